package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.utils.TokenRefreshInterceptor;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster that the program works in: where it is, how to get there, and who to be there. All of
 * its clients share that.
 */
public final class Cluster {

    private static final String SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/";
    private static final String TOKEN_FILE = "KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN";
    private static final String AUTHORITY_FILE = "KUBERNETES_CERTS_CA_FILE";
    private static final String MASTER = "KUBERNETES_MASTER";
    private static final String SERVICE_HOST = "KUBERNETES_SERVICE_HOST";
    private static final String SERVICE_PORT = "KUBERNETES_SERVICE_PORT";
    private static final List<String> NAMESPACES = List.of("POD_NAMESPACE", "KUBERNETES_NAMESPACE");

    private static final String CONTEXT_FLAG = "--context";

    private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);

    private final ClusterAddress address;
    private final String namespace;
    private final CredentialSource user;
    private final ClusterTls tls;
    private final Optional<HttpProxy> proxy;
    private final Optional<Duration> requestTimeout;
    private final Optional<String> podNamespace;

    private Cluster(
            ClusterAddress address,
            String namespace,
            CredentialSource user,
            Map<String, String> environment) {
        this(address, namespace, user, environment, ClusterChoice.NONE, Optional.empty());
    }

    private Cluster(
            ClusterAddress address,
            String namespace,
            CredentialSource known,
            Map<String, String> environment,
            ClusterChoice choice,
            Optional<String> podNamespace) {
        this.address = address;
        this.namespace = choice.namespace().orElse(namespace.isEmpty() ? "default" : namespace);
        this.requestTimeout = choice.requestTimeout();
        this.podNamespace = podNamespace.filter(name -> !name.isEmpty());
        this.user =
                choice.as().isEmpty() && choice.asGroups().isEmpty()
                        ? known
                        : new ImpersonatedUser(
                                known, Impersonation.of(choice.as().orElse(""), choice.asGroups()));
        this.tls = new ClusterTls(address, user);
        this.proxy =
                HttpProxy.to(address.server(), address.proxyUrl(), address.place(), environment);
    }

    /**
     * Finds it where kubectl does: by {@code KUBECONFIG}, the home's kubeconfig, or the pod's
     * service account. What the kubeconfig names is read, and its plugin run, so that what is wrong
     * with them is told now.
     *
     * @throws InvalidSettingException when there is none, or when it cannot be used
     */
    public static Cluster find(Map<String, String> environment) {
        return find(environment, ClusterChoice.NONE);
    }

    /**
     * Finds it as {@link #find(Map)} does, but for what the user says otherwise.
     *
     * @throws InvalidSettingException when there is none, or when it cannot be used
     */
    public static Cluster find(Map<String, String> environment, ClusterChoice choice) {
        List<Path> files =
                choice.kubeconfig()
                        .map(Cluster::named)
                        .orElseGet(() -> Kubeconfig.files(environment));
        Kubeconfig kubeconfig = Kubeconfig.read(files);
        if (kubeconfig.isEmpty() && choice.context().isPresent()) {
            throw new InvalidSettingException(
                    CONTEXT_FLAG, choice.context().get(), "there is no kubeconfig with contexts");
        }
        Cluster cluster =
                kubeconfig.isEmpty()
                        ? inPod(environment, choice)
                        : ofContext(
                                files,
                                choice.context()
                                        .map(name -> kubeconfig.select(CONTEXT_FLAG, name))
                                        .orElseGet(kubeconfig::select),
                                environment,
                                choice);
        cluster.check();
        return cluster;
    }

    private static List<Path> named(Path file) {
        if (!Files.isReadable(file)) {
            throw new InvalidSettingException(
                    "--kubeconfig", file.toString(), "there is no such readable file");
        }
        return List.of(file);
    }

    /** The one that somebody else's configuration names, with its token. */
    public static Cluster of(Config config) {
        return new Cluster(
                ClusterAddress.of(
                        URI.create(config.getMasterUrl().replaceFirst("/+$", "")),
                        Optional.empty()),
                Optional.ofNullable(config.getNamespace()).orElse(""),
                User.ofToken(
                        Optional.ofNullable(config.getOauthToken())
                                .map(token -> "Bearer " + token)),
                Map.of());
    }

    private static Cluster ofContext(
            List<Path> files,
            Kubeconfig.Selection selection,
            Map<String, String> environment,
            ClusterChoice choice) {
        ClusterAddress address = ClusterAddress.of(selection.cluster());
        byte[] authority = address.authority().orElseGet(() -> content(address));
        CredentialSource user =
                new ContextUser(
                        files,
                        selection,
                        entry ->
                                User.of(
                                        entry,
                                        address.isTls(),
                                        exec ->
                                                new PluginCredentials(
                                                        ExecCredential.plugin(
                                                                exec, address, authority),
                                                        InstantSource.system(),
                                                        aside())));
        return new Cluster(
                address, selection.namespace(), user, environment, choice, Optional.empty());
    }

    private static byte[] content(ClusterAddress address) {
        try {
            return address.authorityFile().isEmpty()
                    ? new byte[0]
                    : Files.readAllBytes(address.authorityFile().get());
        } catch (IOException e) {
            throw new InvalidSettingException(
                    address.place(), address.authorityFile().get().toString(), "it cannot be read");
        }
    }

    private static Cluster inPod(Map<String, String> environment, ClusterChoice choice) {
        Path token = Path.of(environment.getOrDefault(TOKEN_FILE, SERVICE_ACCOUNT + "token"));
        Path authority =
                Path.of(environment.getOrDefault(AUTHORITY_FILE, SERVICE_ACCOUNT + "ca.crt"));
        String host = environment.getOrDefault(SERVICE_HOST, "");
        String server =
                environment.getOrDefault(
                        MASTER,
                        "https://%s:%s"
                                .formatted(
                                        host.contains(":") ? "[" + host + "]" : host,
                                        environment.getOrDefault(SERVICE_PORT, "443")));
        boolean hasServer = environment.containsKey(MASTER) || !host.isEmpty();
        boolean hasToken = Files.isReadable(token);
        if (!hasServer || !hasToken && !server.startsWith("http://")) {
            throw new InvalidSettingException(
                    Kubeconfig.VARIABLE,
                    environment.getOrDefault(Kubeconfig.VARIABLE, ""),
                    "no cluster is known: run in a pod, or name a kubeconfig here or in"
                            + " ~/.kube/config");
        }
        return new Cluster(
                ClusterAddress.of(
                        URI.create(server.replaceFirst("/+$", "")),
                        Optional.of(authority).filter(Files::isReadable)),
                namespace(environment),
                hasToken
                        ? User.ofTokenFile("the service account's token", token)
                        : User.ofToken(Optional.empty()),
                environment,
                choice,
                Optional.of(namespace(environment)));
    }

    private static String namespace(Map<String, String> environment) {
        return NAMESPACES.stream()
                .map(name -> environment.getOrDefault(name, ""))
                .filter(name -> !name.isEmpty())
                .findFirst()
                .orElseGet(
                        () -> {
                            try {
                                return Files.readString(Path.of(SERVICE_ACCOUNT, "namespace"))
                                        .strip();
                            } catch (IOException e) {
                                return "";
                            }
                        });
    }

    private void check() {
        try {
            user.current();
            if (address.isTls()) {
                tls.current();
            }
        } catch (NoCredentialException e) {
            throw e.atStart();
        }
        String host = ClusterAddress.host(address.server());
        if (address.insecure()) {
            LOG.warn(
                    "the certificate of {} is not checked, so whoever answers there gets the token:"
                            + " replace insecure-skip-tls-verify by certificate-authority in the"
                            + " kubeconfig",
                    server());
        } else if (!address.isTls()
                && user.current().authorization().isPresent()
                && !NoProxy.excepts("", host, 0)) {
            LOG.warn("{} is no https address, so whoever is on the way gets the token", server());
        }
    }

    /** How long to wait for an answer, where the user said that. */
    Optional<Duration> requestTimeout() {
        return requestTimeout;
    }

    /** The namespace of the pod that this runs in, whatever namespace the user works in. */
    public Optional<String> podNamespace() {
        return podNamespace;
    }

    /** Its address, as the clients have it. */
    public String server() {
        return address.server() + "/";
    }

    /**
     * A client that sends each request once and speaks HTTP/1.1.
     *
     * @param connectionTimeout how long to wait for a connection, in milliseconds
     * @param requestTimeout how long to wait for an answer, in milliseconds
     * @param http what else its HTTP client is made with
     */
    public KubernetesClient connect(
            int connectionTimeout, int requestTimeout, Consumer<HttpClient.Builder> http) {
        Config config =
                new ConfigBuilder(Config.empty())
                        .withAutoConfigure(false)
                        .withMasterUrl(server())
                        .withNamespace(namespace)
                        .withRequestRetryBackoffLimit(0)
                        .withConnectionTimeout(connectionTimeout)
                        .withRequestTimeout(requestTimeout)
                        .withHttp2Disable(true)
                        .build();
        ExecutorService executor = Executors.newCachedThreadPool(daemons("kubernetes-http"));
        return new KubernetesClientBuilder()
                .withConfig(config)
                .withHttpClientFactory(new ClusterHttp(this::tls, executor))
                .withHttpClientBuilderConsumer(
                        builder -> {
                            HttpProxy.configure(proxy, builder);
                            builder.addOrReplaceInterceptor(
                                    TokenRefreshInterceptor.NAME,
                                    new RequestCredentials(user, aside()));
                            http.accept(builder);
                        })
                .build();
    }

    private SSLContext tls() {
        try {
            return address.isTls() ? tls.current() : SSLContext.getDefault();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A thread for what takes its time and is rare. */
    private static Executor aside() {
        ThreadFactory threads = daemons("credentials");
        return task -> threads.newThread(task).start();
    }

    private static ThreadFactory daemons(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }
}
