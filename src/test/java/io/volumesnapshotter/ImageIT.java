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
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the image promises, as far as it can be told without building one. */
class ImageIT {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir private Path directory;

    @Test
    void theImageIsWhatItsScriptMakesInTheSamePlace() throws IOException {
        String dockerfile = Files.readString(Path.of("Dockerfile"));

        assertThat(dockerfile)
                .contains("\nRUN src/main/image/build /opt/volume-snapshotter && ")
                .contains("src/main/image/root /opt/volume-snapshotter /root-of-image\n")
                .contains("\nFROM scratch\n")
                .contains("\nCOPY --from=build /root-of-image /\n");
    }

    /** So that both have as much memory, and say the same about it. */
    @Test
    void theImageStartsTheProgramWithTheOptionsOfTheScript() throws IOException {
        String script = Files.readString(Path.of("src/main/scripts/volume-snapshotter"));
        String build = Files.readString(Path.of("src/main/image/build"));

        assertThat(options(script, "(-X\\S+|-Dio\\S+)"))
                .contains("-Xmx128m")
                .containsAll(options(build, "--java-options (\\S+)"));
    }

    private static List<String> options(String text, String pattern) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(option -> option.group(1).replaceAll("['}]+$", ""))
                .toList();
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

    private static List<Path> routes(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(RouteFiles.SUFFIX)).toList();
        }
    }
}
