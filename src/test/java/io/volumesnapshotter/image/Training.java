package io.volumesnapshotter.image;

import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.TestRoutes;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Makes the cache of loaded classes that the image starts with: runs the image's program against a
 * simulated cluster as a pod runs it, through runs, an edit of its routes and looks at its pages.
 */
public final class Training {

    private Training() {}

    /**
     * Trains the program of a folder.
     *
     * @param args the folder; the cache goes beside the program's jar in it
     */
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        Path cache = home.resolve("lib/app/volume-snapshotter.aot");
        Path directory = Files.createTempDirectory("volume-snapshotter-training");
        Path routes = Files.createDirectory(directory.resolve("routes"));
        TestRoutes.copyTo(routes);
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        try (SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db")) {
            Map<String, String> environment =
                    Map.of(
                            "KUBECONFIG",
                            cluster.kubeconfig(
                                            directory.resolve("kubeconfig"),
                                            SimulatedCluster.NAMESPACE)
                                    .toString(),
                            "SNAPSHOTTER_ROUTES",
                            routes.toString(),
                            "SNAPSHOTTER_ROUTES_POLL_INTERVAL",
                            "500ms",
                            "SNAPSHOTTER_CLAIMS",
                            "data,db",
                            "SNAPSHOTTER_SCHEDULE",
                            "*/2 * * * * ?",
                            "CAMEL_MANAGEMENT_ENABLED",
                            "true",
                            "CAMEL_METRICS_ENABLED",
                            "true",
                            "JAVA_TOOL_OPTIONS",
                            "-XX:AOTCacheOutput=%s -Dcamel.management.port=%d"
                                    .formatted(cache, port));
            try (PackagedProgram program =
                    PackagedProgram.startFrom(home, directory, environment)) {
                program.awaitLine(": deleted ");
                look(port, "health/ready");
                look(port, "metrics");
                TestRoutes.schedule(routes, "nightly", "claims: data", "keep-daily: 7");
                program.awaitLine("nightly" + RouteFiles.SUFFIX);
                program.awaitLine("2 of 2 ready");
                program.terminate();
            }
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        if (!Files.isReadable(cache)) {
            throw new IllegalStateException(cache + " was not made; is it Java 25?");
        }
    }

    private static void look(int port, String page) {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/observe/" + page))
                        .build();
        // It listens when all routes are started, which may be after the first runs.
        await().atMost(Patience.LIMIT)
                .ignoreExceptions()
                .until(
                        () ->
                                HttpClient.newHttpClient()
                                                .send(
                                                        request,
                                                        HttpResponse.BodyHandlers.discarding())
                                                .statusCode()
                                        == 200);
    }
}
