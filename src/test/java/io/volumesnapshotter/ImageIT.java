package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Manifests;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the image promises, as far as it can be told without building one. */
class ImageIT {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir private Path directory;

    @Test
    void theBuildMakesAllThatIsCopied() throws IOException {
        assertThat(copied()).isNotEmpty().allSatisfy(source -> assertThat(source).exists());
    }

    @Test
    void theBuildContextIsWhatIsCopied() throws IOException {
        assertThat(Files.readAllLines(Path.of(".dockerignore")))
                .startsWith("*")
                .containsAll(copied().stream().map(source -> "!" + source).toList())
                .hasSize(copied().size() + 1);
    }

    @Test
    void theProgramHoldsTheRoutesThatShip() throws IOException {
        for (Path file : routes(Path.of("routes"))) {
            assertThat(PackagedProgram.HOME.resolve("routes").resolve(file.getFileName()))
                    .hasSameTextualContentAs(file);
        }
        assertThat(routes(PackagedProgram.HOME.resolve("routes")))
                .hasSameSizeAs(routes(Path.of("routes")));
    }

    @Test
    void theDeploymentsProbesAreAnswered() throws Exception {
        Deployment deployment =
                (Deployment)
                        Manifests.read(Files.readString(Path.of("k8s/deployment.yaml"))).get(0);
        var container = deployment.getSpec().getTemplate().getSpec().getContainers().get(0);
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            try (PackagedProgram program = start(cluster, port)) {
                for (var probe :
                        List.of(
                                container.getStartupProbe(),
                                container.getLivenessProbe(),
                                container.getReadinessProbe())) {
                    awaitStatus(200, port, probe.getHttpGet().getPath());
                }
                program.terminate();
            }
        }
    }

    @Test
    void anApiServerThatIsAwayFailsNoProbe() throws Exception {
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            cluster.goDown();
            try (PackagedProgram program = start(cluster, port)) {
                program.awaitLine("does not serve");
                awaitStatus(200, port, "/observe/health/live");
                awaitStatus(200, port, "/observe/health/ready");
                program.terminate();
            }
        }
    }

    @Test
    void nothingButHealthIsServed() throws Exception {
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            try (PackagedProgram program = start(cluster, port)) {
                awaitStatus(200, port, "/observe/health/live");
                for (String path : List.of("/", "/observe/info", "/q/dev", "/q/send")) {
                    assertThat(status(port, path)).as(path).isEqualTo(404);
                }
                program.terminate();
            }
        }
    }

    private PackagedProgram start(SimulatedCluster cluster, int port) throws IOException {
        cluster.claim(SimulatedCluster.NAMESPACE, "data");
        Path kubeconfig =
                cluster.kubeconfig(directory.resolve("kubeconfig"), SimulatedCluster.NAMESPACE);
        return PackagedProgram.start(
                directory,
                Map.of(
                        "KUBECONFIG",
                        kubeconfig.toString(),
                        "SNAPSHOTTER_CLAIMS",
                        "data",
                        "CAMEL_MANAGEMENT_ENABLED",
                        "true",
                        "JAVA_OPTS",
                        PackagedProgram.JVM + "-Dcamel.management.port=" + port));
    }

    private void awaitStatus(int status, int port, String path) {
        Awaitility.await().untilAsserted(() -> assertThat(status(port, path)).isEqualTo(status));
    }

    /** The HTTP status, or -1 when nothing listens. */
    private static int status(int port, String path) throws InterruptedException {
        try {
            return HTTP.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return -1;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static List<Path> copied() throws IOException {
        return Pattern.compile("(?m)^COPY (?:--\\S+ )*(\\S+) \\S+$")
                .matcher(Files.readString(Path.of("Dockerfile")))
                .results()
                .map((MatchResult line) -> Path.of(line.group(1)))
                .toList();
    }

    private static List<Path> routes(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(RouteFiles.SUFFIX)).toList();
        }
    }
}
