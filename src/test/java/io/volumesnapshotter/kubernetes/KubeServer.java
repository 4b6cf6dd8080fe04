package io.volumesnapshotter.kubernetes;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * An API server as it looks from the outside: TLS, which asks for a certificate, and an answer that
 * depends on who asks. It keeps what it saw.
 */
public final class KubeServer implements AutoCloseable {

    /**
     * A request as it came.
     *
     * @param impersonation the headers by which it was made as somebody else, in small letters
     * @param certificate the subject of the certificate that the connection was made with, or empty
     * @param name the name that the client asked for in its hello, or empty
     */
    public record Seen(
            String method,
            String path,
            String authorization,
            Map<String, List<String>> impersonation,
            String certificate,
            String name,
            String version) {}

    /** What becomes of a connection. */
    public enum Farewell {
        /** It goes on. */
        NONE,
        /** It ends after a refusal, as an API server ends those of unknown users. */
        GO_AWAY,
        /** It is cut instead of the next answer. */
        CUT
    }

    private final Vertx vertx = Vertx.vertx();
    private final List<Seen> seen = new ArrayList<>();
    private HttpServer server;
    private int port;
    private volatile Predicate<Seen> accepts = any -> true;
    private volatile Farewell farewell = Farewell.NONE;

    private KubeServer(Path certificate, boolean http2) {
        listen("127.0.0.1", certificate, http2);
    }

    /**
     * Listens on a free port.
     *
     * @param certificate where its tls.crt, its tls.key and the ca.crt for clients are
     */
    static KubeServer with(Path certificate) {
        return new KubeServer(certificate, false);
    }

    /** Speaks HTTP/2 with who can. */
    static KubeServer withHttp2(Path certificate) {
        return new KubeServer(certificate, true);
    }

    private void listen(String address, Path certificate, boolean http2) {
        server =
                vertx.createHttpServer(
                                new HttpServerOptions()
                                        .setHost(address)
                                        .setPort(port)
                                        .setSsl(true)
                                        .setUseAlpn(http2)
                                        .setSni(true)
                                        .setClientAuth(ClientAuth.REQUEST)
                                        .setKeyCertOptions(
                                                new PemKeyCertOptions()
                                                        .setCertPath(file(certificate, "tls.crt"))
                                                        .setKeyPath(file(certificate, "tls.key")))
                                        .setTrustOptions(
                                                new PemTrustOptions()
                                                        .addCertPath(file(certificate, "ca.crt"))))
                        .requestHandler(this::answer);
        await(server.listen());
        port = server.actualPort();
    }

    private static String file(Path directory, String name) {
        return directory.resolve(name).toString();
    }

    /** AnswerCheck others with 401, as an API server does. */
    public void accepts(Predicate<Seen> users) {
        accepts = users;
    }

    public void farewell(Farewell next) {
        farewell = next;
    }

    /** Goes away and comes back, on its port, with another certificate. */
    void restart(Path certificate) {
        await(server.close());
        listen("127.0.0.1", certificate, false);
    }

    private void answer(HttpServerRequest request) {
        Seen one = seen(request);
        synchronized (seen) {
            seen.add(one);
        }
        boolean accepted = accepts.test(one);
        Farewell now = farewell;
        if (now == Farewell.CUT) {
            farewell = Farewell.NONE;
            request.connection().close();
            return;
        }
        if (now == Farewell.GO_AWAY && !accepted) {
            if (request.version() == HttpVersion.HTTP_2) {
                request.connection().goAway(0);
            } else {
                request.response().putHeader("Connection", "close");
            }
        }
        request.response()
                .setStatusCode(accepted ? 200 : 401)
                .putHeader("Content-Type", "application/json")
                .end(
                        accepted
                                ? "{\"major\": \"1\", \"minor\": \"36\", \"gitVersion\": \"v1.36.2\"}"
                                : "{\"kind\": \"Status\", \"apiVersion\": \"v1\", \"status\": \"Failure\","
                                        + " \"message\": \"Unauthorized\", \"reason\": \"Unauthorized\","
                                        + " \"code\": 401}");
    }

    private static Seen seen(HttpServerRequest request) {
        Map<String, List<String>> impersonation = new TreeMap<>();
        for (String header : request.headers().names()) {
            String name = header.toLowerCase(Locale.ROOT);
            if (name.startsWith("impersonate-")) {
                impersonation.put(name, request.headers().getAll(header));
            }
        }
        String name = request.connection().indicatedServerName();
        return new Seen(
                request.method().name(),
                request.path(),
                String.valueOf(request.getHeader("Authorization")),
                impersonation,
                certificate(request),
                name == null ? "" : name,
                request.version().alpnName());
    }

    private static String certificate(HttpServerRequest request) {
        try {
            X509Certificate shown =
                    (X509Certificate) request.connection().sslSession().getPeerCertificates()[0];
            return shown.getSubjectX500Principal().getName();
        } catch (SSLPeerUnverifiedException e) {
            return "";
        }
    }

    int port() {
        return port;
    }

    public String url() {
        return "https://127.0.0.1:" + port;
    }

    /** What came since this was asked the last time. */
    public List<Seen> takeSeen() {
        synchronized (seen) {
            List<Seen> all = List.copyOf(seen);
            seen.clear();
            return all;
        }
    }

    @Override
    public void close() {
        await(vertx.close());
    }

    private static void await(Future<?> future) {
        future.toCompletionStage().toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }
}
