package io.volumesnapshotter.testing;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SelfSignedCertificate;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/** HTTPS in front of a server that speaks HTTP, under a certificate that nobody has signed. */
public final class TlsFront implements AutoCloseable {

    /** The name in the certificate. */
    private static final String HOST = "localhost";

    private final Vertx vertx = Vertx.vertx();
    private final SelfSignedCertificate certificate = SelfSignedCertificate.create(HOST);
    private final NetServer server;

    private TlsFront(URI behind, KeyCertOptions shown) {
        server =
                vertx.createNetServer(
                                new NetServerOptions()
                                        .setSsl(true)
                                        .setHost("127.0.0.1")
                                        .setKeyCertOptions(
                                                shown == null
                                                        ? certificate.keyCertOptions()
                                                        : shown))
                        .connectHandler(
                                socket -> {
                                    socket.pause();
                                    vertx.createNetClient()
                                            .connect(behind.getPort(), behind.getHost())
                                            .onSuccess(
                                                    plain -> {
                                                        socket.pipeTo(plain);
                                                        plain.pipeTo(socket);
                                                    })
                                            .onFailure(away -> socket.close());
                                });
        await(server.listen());
    }

    /** Listens on a free port. */
    public static TlsFront of(String url) {
        return new TlsFront(URI.create(url), null);
    }

    /** Listens on a free port under the certificate of a directory, as a TLS Secret is mounted. */
    public static TlsFront of(String url, Path directory) {
        return new TlsFront(
                URI.create(url),
                new PemKeyCertOptions()
                        .setCertPath(directory.resolve("tls.crt").toString())
                        .setKeyPath(directory.resolve("tls.key").toString()));
    }

    /** Its address, by the name in its certificate. */
    public String url() {
        return "https://" + HOST + ":" + server.actualPort();
    }

    /** Its address by a name that a certificate of its own does not have. */
    public String otherUrl() {
        return "https://127.0.0.1:" + server.actualPort();
    }

    /** Its certificate, as a kubeconfig has it in certificate-authority-data. */
    public String authorityData() throws IOException {
        return Base64.getEncoder()
                .encodeToString(Files.readAllBytes(Path.of(certificate.certificatePath())));
    }

    @Override
    public void close() {
        await(vertx.close());
        certificate.delete();
    }

    private static void await(Future<?> future) {
        future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS)
                .join();
    }
}
