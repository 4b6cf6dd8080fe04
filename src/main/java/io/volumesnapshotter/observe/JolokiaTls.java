package io.volumesnapshotter.observe;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.SSLOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.settings.ProgramSettings;
import io.volumesnapshotter.settings.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.component.platform.http.plugin.DefaultJolokiaPlatformHttpPlugin;
import org.apache.camel.component.platform.http.plugin.JolokiaPlatformHttpPlugin;
import org.apache.camel.support.service.ServiceHelper;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jolokia over TLS for one client that shows its certificate: the gateway of Hawtio Online. That
 * sends on what its user's browser sent, the user's token and the address of its page, so there is
 * no password to ask for, and the origin of a request tells nothing.
 *
 * <p>Jolokia's own agent is not used, since it does not ask for the certificate on each of its
 * paths.
 */
public final class JolokiaTls extends ServiceSupport {

    private static final Logger LOG = LoggerFactory.getLogger(JolokiaTls.class);
    private static final int IDLE_SECONDS = 60;
    private static final int START_SECONDS = 30;
    private static final long RENEWAL_MILLIS = 10_000;

    private final Path directory;
    private final LdapName client;
    private final int port;
    private final JolokiaPlatformHttpPlugin jolokia = new DefaultJolokiaPlatformHttpPlugin();
    private Vertx vertx;
    private volatile SSLOptions certificates;

    /**
     * @param directory has tls.crt and tls.key, which it shows, and ca.crt, which has to have
     *     signed the client's certificate
     * @param client what the subject of the client's certificate has to have
     * @param port where it listens, on all addresses
     */
    JolokiaTls(Path directory, LdapName client, int port) {
        this.directory = directory;
        this.client = client;
        this.port = port;
    }

    /** The service that the settings ask for. */
    public static JolokiaTls of(Path directory, Settings settings) {
        try {
            LdapName name = new LdapName(settings.text(ProgramSettings.JOLOKIA_TLS_CLIENT));
            if (!name.isEmpty()) {
                return new JolokiaTls(
                        directory, name, settings.get(ProgramSettings.JOLOKIA_TLS_LISTEN));
            }
        } catch (InvalidNameException e) {
            // told below, like none
        }
        throw settings.invalid(
                ProgramSettings.JOLOKIA_TLS_CLIENT,
                "give the subject of the client's certificate, such as"
                        + " CN=hawtio-online.hawtio.svc");
    }

    /** Without it snapshots are still taken, so what keeps it from listening is only told. */
    @Override
    protected void doStart() {
        vertx =
                Vertx.vertx(
                        new VertxOptions()
                                .setEventLoopPoolSize(1)
                                .setWorkerPoolSize(1)
                                .setInternalBlockingPoolSize(1));
        try {
            ServiceHelper.startService(jolokia);
            HttpServerOptions options = options();
            certificates = options.getSslOptions();
            HttpServer server = vertx.createHttpServer(options).requestHandler(router());
            server.listen(port)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(START_SECONDS, TimeUnit.SECONDS);
            vertx.setPeriodic(RENEWAL_MILLIS, id -> renew(server));
        } catch (Exception e) {
            LOG.error(
                    "Jolokia does not listen on port {}: {}; put tls.crt, tls.key and ca.crt into"
                            + " {} and restart",
                    port,
                    ErrorText.rootWords(e),
                    directory);
            LOG.debug("Jolokia does not listen", e);
        }
    }

    @Override
    protected void doStop() {
        if (vertx != null) {
            vertx.close();
        }
        ServiceHelper.stopService(jolokia);
    }

    /** Takes files that were renewed, as cert-manager does long before they end. */
    private void renew(HttpServer server) {
        try {
            SSLOptions found = options().getSslOptions();
            if (!found.equals(certificates)) {
                certificates = found;
                server.updateSSLOptions(found)
                        .onSuccess(any -> LOG.info("{}: certificates read anew", directory))
                        .onFailure(this::notRenewed);
            }
        } catch (IOException e) {
            if (certificates != null) {
                certificates = null;
                notRenewed(e);
            }
        }
    }

    private void notRenewed(Throwable failure) {
        LOG.warn(
                "{}: the certificates of before are used on, since those that are there now"
                        + " can't be read: {}",
                directory,
                ErrorText.rootWords(failure));
    }

    private HttpServerOptions options() throws IOException {
        return new HttpServerOptions()
                .setIdleTimeout(IDLE_SECONDS)
                .setSsl(true)
                .setKeyCertOptions(
                        new PemKeyCertOptions()
                                .setCertValue(file("tls.crt"))
                                .setKeyValue(file("tls.key")))
                .setTrustOptions(new PemTrustOptions().addCertValue(file("ca.crt")))
                .setClientAuth(ClientAuth.REQUIRED);
    }

    private Buffer file(String name) throws IOException {
        return Buffer.buffer(Files.readAllBytes(directory.resolve(name)));
    }

    @SuppressWarnings("unchecked")
    private Router router() {
        Router router = Router.router(vertx);
        router.route().handler(this::admit);
        for (HttpMethod method : List.of(HttpMethod.GET, HttpMethod.POST)) {
            router.route(method, "/jolokia/*")
                    .handler(BodyHandler.create(false))
                    .blockingHandler((Handler<RoutingContext>) jolokia.getHandler());
        }
        return router;
    }

    private void admit(RoutingContext request) {
        String refusal = refusal(request);
        if (refusal.isEmpty()) {
            request.request().headers().remove(HttpHeaders.ORIGIN).remove(HttpHeaders.REFERER);
            request.next();
        } else {
            request.response().setStatusCode(403).end(refusal);
        }
    }

    private String refusal(RoutingContext request) {
        try {
            String subject = request.request().sslSession().getPeerPrincipal().getName();
            return new LdapName(subject).getRdns().containsAll(client.getRdns())
                    ? ""
                    : "the certificate is of %s, and %s is let in: snapshotter.jolokia-tls-client"
                            .formatted(subject, client);
        } catch (SSLPeerUnverifiedException | InvalidNameException e) {
            return ErrorText.rootWords(e);
        }
    }
}
