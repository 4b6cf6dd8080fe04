package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Prometheus;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program, a real Prometheus and the rules that ship; skipped without Prometheus. */
class AlertingIT {

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @Test
    void anAlertFiresWhenTheDriverFailsAndClearsWhenItIsWell() throws Exception {
        int port = freePort();
        try (Prometheus prometheus = Prometheus.start(directory, port, "ops");
                PackagedProgram program = start(port)) {
            await().until(
                            () ->
                                    !prometheus
                                            .query(
                                                    "volume_snapshotter_last_success_timestamp_seconds"
                                                            + "{claim=\"db\"} > 0")
                                            .isEmpty());
            await().untilAsserted(() -> assertThat(prometheus.firing()).isEmpty());

            cluster.driver().fails("db", "rpc error: code = InvalidArgument desc = no such pool");
            await().untilAsserted(
                            () ->
                                    assertThat(prometheus.firing())
                                            .containsExactlyInAnyOrder(
                                                    alert("VolumeSnapshotterRunFailed", "warning"),
                                                    claimAlert()));

            assertThat(Prometheus.lint("http://127.0.0.1:" + port + "/observe/metrics"))
                    .describedAs("what promtool check metrics finds")
                    .isEmpty();

            cluster.driver().heal();
            await().untilAsserted(() -> assertThat(prometheus.firing()).isEmpty());
            assertThat(program.terminate()).isZero();
        }
    }

    private static Map<String, String> alert(String name, String severity) {
        return Map.of(
                "alertname", name, "severity", severity, "namespace", "ops", "schedule", "hourly");
    }

    private static Map<String, String> claimAlert() {
        return Map.of(
                "alertname", "VolumeSnapshotterNoSuccess",
                "severity", "critical",
                "namespace", "ops",
                "schedule", "hourly",
                "exported_namespace", NAMESPACE,
                "claim", "db");
    }

    private PackagedProgram start(int port) throws IOException {
        return PackagedProgram.start(
                directory,
                Map.of(
                        "KUBECONFIG",
                        cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString(),
                        "SNAPSHOTTER_CLAIMS",
                        "data,db",
                        "SNAPSHOTTER_SCHEDULE",
                        "*/3 * * * * ?",
                        "SNAPSHOTTER_POLL_INTERVAL",
                        "200ms",
                        "CAMEL_MANAGEMENT_ENABLED",
                        "true",
                        "CAMEL_METRICS_ENABLED",
                        "true",
                        "JAVA_OPTS",
                        PackagedProgram.JVM + "-Dcamel.management.port=" + port));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
