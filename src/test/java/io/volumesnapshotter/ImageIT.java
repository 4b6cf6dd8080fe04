package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.volumesnapshotter.simulation.SimulatedCluster;
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
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the image promises, as far as it can be told without building one. */
class ImageIT {

    private static final Path PROGRAM = Path.of("target/volume-snapshotter");
    private static final int LIMIT = 60;
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir private Path directory;

    /** JUnit warns of a link that leads out of the directory that it removes. */
    @AfterEach
    void removeLink() throws IOException {
        Files.deleteIfExists(link());
    }

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
            assertThat(PROGRAM.resolve("routes").resolve(file.getFileName()))
                    .hasSameTextualContentAs(file);
        }
        assertThat(routes(PROGRAM.resolve("routes"))).hasSameSizeAs(routes(Path.of("routes")));
    }

    @Test
    void theDeploymentsProbesAreAnswered() throws Exception {
        Deployment deployment =
                (Deployment)
                        Manifests.read(Files.readString(Path.of("k8s/deployment.yaml"))).get(0);
        var container = deployment.getSpec().getTemplate().getSpec().getContainers().get(0);
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            Process program = start(cluster, port);
            try {
                for (var probe :
                        List.of(
                                container.getStartupProbe(),
                                container.getLivenessProbe(),
                                container.getReadinessProbe())) {
                    awaitStatus(200, port, probe.getHttpGet().getPath());
                }
            } finally {
                stop(program);
            }
        }
    }

    @Test
    void anApiServerThatIsAwayFailsNoProbe() throws Exception {
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            cluster.goDown();
            Process program = start(cluster, port);
            try {
                awaitLog("does not serve");
                awaitStatus(200, port, "/observe/health/live");
                awaitStatus(200, port, "/observe/health/ready");
            } finally {
                stop(program);
            }
        }
    }

    @Test
    void nothingButHealthIsServed() throws Exception {
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            Process program = start(cluster, port);
            try {
                awaitStatus(200, port, "/observe/health/live");
                for (String path :
                        List.of("/", "/observe/info", "/observe/jolokia", "/q/dev", "/q/send")) {
                    assertThat(status(port, path)).as(path).isEqualTo(404);
                }
            } finally {
                stop(program);
            }
        }
    }

    @Test
    void theSignalToStopReachesTheProgram() throws Exception {
        int port = freePort();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            Process program = start(cluster, port);
            awaitStatus(200, port, "/observe/health/ready");

            program.destroy();

            assertThat(program.waitFor(LIMIT, TimeUnit.SECONDS)).isTrue();
            assertThat(status(port, "/observe/health/live")).isEqualTo(-1);
        }
    }

    @Test
    void wrongConfigurationIsToldInOneLine() throws Exception {
        Process program = start(Map.of("KUBECONFIG", "/nonexistent"));

        assertThat(program.waitFor(LIMIT, TimeUnit.SECONDS)).isTrue();

        assertThat(program.exitValue()).isEqualTo(VolumeSnapshotter.EXIT_CONFIG);
        assertThat(Files.readAllLines(log())).singleElement().asString().contains("KUBECONFIG");
    }

    private Process start(SimulatedCluster cluster, int port) throws IOException {
        cluster.claim(SimulatedCluster.NAMESPACE, "data");
        Path kubeconfig =
                cluster.kubeconfig(directory.resolve("kubeconfig"), SimulatedCluster.NAMESPACE);
        return start(
                Map.of(
                        "KUBECONFIG",
                        kubeconfig.toString(),
                        "SNAPSHOTTER_CLAIMS",
                        "data",
                        "CAMEL_MANAGEMENT_ENABLED",
                        "true",
                        "JAVA_OPTS",
                        "-Xmx128m -Dcamel.management.port=" + port));
    }

    /** By way of a symbolic link and from another directory, as an image may have it. */
    private Process start(Map<String, String> environment) throws IOException {
        Path link = directory.resolve("volume-snapshotter");
        Files.createSymbolicLink(link, PROGRAM.resolve("bin/volume-snapshotter").toAbsolutePath());
        ProcessBuilder builder =
                new ProcessBuilder(link.toString())
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log().toFile());
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv("PATH"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static void stop(Process program) throws InterruptedException {
        program.destroy();
        if (!program.waitFor(LIMIT, TimeUnit.SECONDS)) {
            program.destroyForcibly();
        }
    }

    private Path link() {
        return directory.resolve("volume-snapshotter");
    }

    private Path log() {
        return directory.resolve("log");
    }

    private void awaitLog(String words) {
        Awaitility.await()
                .atMost(LIMIT, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(log()).content().contains(words));
    }

    private void awaitStatus(int status, int port, String path) {
        Awaitility.await()
                .atMost(LIMIT, TimeUnit.SECONDS)
                .untilAsserted(
                        () ->
                                assertThat(status(port, path))
                                        .as(Files.readString(log()))
                                        .isEqualTo(status));
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
