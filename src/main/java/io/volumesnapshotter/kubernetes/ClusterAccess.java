package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the cluster where kubectl finds it, and makes the one client that the program uses. */
public final class ClusterAccess {

    /** How long to wait for a connection, in milliseconds. */
    private static final int CONNECTION_TIMEOUT = 5_000;

    /** How long to wait for an answer, in milliseconds. */
    private static final int REQUEST_TIMEOUT = 15_000;

    /** All that is told of a kubeconfig with a mistake: parsers quote the token beside it. */
    private static final Pattern LINE = Pattern.compile("\\bline:? (\\d+)");

    private static final Logger LOG = LoggerFactory.getLogger(ClusterAccess.class);

    private ClusterAccess() {}

    /**
     * The configuration that {@code KUBECONFIG}, the home's kubeconfig or the pod's service account
     * gives.
     *
     * @throws InvalidSettingException when there is none
     */
    public static Config find(Map<String, String> environment) {
        String kubeconfig = environment.getOrDefault("KUBECONFIG", "");
        if (!kubeconfig.isBlank()
                && Arrays.stream(kubeconfig.split(File.pathSeparator))
                        .noneMatch(file -> Files.isReadable(Path.of(file)))) {
            throw new InvalidSettingException(
                    "KUBECONFIG", kubeconfig, "there is no such readable file");
        }
        Config config;
        try {
            config = Config.autoConfigure(null);
        } catch (RuntimeException e) {
            throw new InvalidSettingException(
                    "KUBECONFIG",
                    kubeconfig,
                    "it cannot be read as a kubeconfig"
                            + LINE.matcher(ErrorText.rootWords(e))
                                    .results()
                                    .map(line -> ", look at line " + line.group(1))
                                    .findFirst()
                                    .orElse("")
                            + "; kubectl config view says what is wrong");
        }
        boolean found =
                config.getCurrentContext() != null
                        || Files.isReadable(Path.of(Config.KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH))
                        || !config.getMasterUrl().startsWith(Config.DEFAULT_MASTER_URL);
        if (!found) {
            throw new InvalidSettingException(
                    "KUBECONFIG",
                    kubeconfig,
                    "no cluster is known: run in a pod, or name a kubeconfig here or in"
                            + " ~/.kube/config");
        }
        if (!config.getMasterUrl().matches("https?://[^/\\s]+.*")) {
            throw new InvalidSettingException(
                    "KUBECONFIG",
                    kubeconfig,
                    "its server is no https address: " + config.getMasterUrl());
        }
        if (config.isTrustCerts()) {
            LOG.warn(
                    "the certificate of {} is not checked, so whoever answers there gets the token:"
                            + " replace insecure-skip-tls-verify by certificate-authority in the"
                            + " kubeconfig",
                    config.getMasterUrl());
        }
        return config;
    }

    /**
     * The client. It sends each request once, because retrying is the routes' business, and speaks
     * HTTP/1.1, because a request that timed out then takes its dead connection with it. It logs
     * none at any level, because fabric8 would log the token with it.
     */
    public static KubernetesClient connect(Config found, ApiServerMonitor apiServer) {
        return connect(
                found,
                CONNECTION_TIMEOUT,
                REQUEST_TIMEOUT,
                http -> http.addOrReplaceInterceptor("api-server", apiServer));
    }

    /**
     * A client for requests that are worth nothing when they come late. What becomes of them says
     * nothing about others: it tells no {@link ApiServerMonitor}.
     *
     * @param limit how long to wait for a connection, and for an answer
     */
    public static KubernetesClient connect(Config found, Duration limit) {
        int millis = Math.toIntExact(limit.toMillis());
        return connect(found, millis, millis, http -> {});
    }

    private static KubernetesClient connect(
            Config found,
            int connectionTimeout,
            int requestTimeout,
            Consumer<HttpClient.Builder> http) {
        Config config =
                new ConfigBuilder(found)
                        .withRequestRetryBackoffLimit(0)
                        .withConnectionTimeout(connectionTimeout)
                        .withRequestTimeout(requestTimeout)
                        .withHttp2Disable(true)
                        .withNamespace(
                                found.getNamespace() == null ? "default" : found.getNamespace())
                        .build();
        try {
            return new KubernetesClientBuilder()
                    .withConfig(config)
                    .withHttpClientBuilderConsumer(
                            http.andThen(
                                    builder ->
                                            builder.addOrReplaceInterceptor("HttpLogging", null)))
                    .build();
        } catch (RuntimeException e) {
            throw new InvalidSettingException(
                    "KUBECONFIG",
                    found.getMasterUrl(),
                    "correct its certificates or credentials (" + ErrorText.rootWords(e) + ")");
        }
    }
}
