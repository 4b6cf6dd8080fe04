package io.volumesnapshotter;

import static io.volumesnapshotter.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What Prometheus sees of the program. */
@Timeout(60)
class MetricsTest {

    private static final Instant DUE = Instant.parse("2026-11-22T10:00:00Z");

    private SimulatedCluster cluster;

    @BeforeEach
    void startCluster() {
        cluster = SimulatedCluster.start();
        cluster.claim(NAMESPACE, "data");
        cluster.claim(NAMESPACE, "logs");
    }

    @AfterEach
    void stopCluster() {
        cluster.close();
    }

    private Program start(Map<String, String> settings) {
        Map<String, String> all =
                new HashMap<>(
                        Map.of(
                                "camel.metrics.enabled", "true",
                                "camel.management.enabled", "true",
                                "camel.management.port", "0",
                                "snapshotter.claims", "data,logs"));
        all.putAll(settings);
        return Program.start(cluster, all);
    }

    private static List<String> page(Program program) {
        return program.context()
                .getRegistry()
                .findSingleByType(PrometheusMeterRegistry.class)
                .scrape()
                .lines()
                .toList();
    }

    @Test
    void aSuccessfulRunIsCounted() {
        try (Program program = start(Map.of())) {
            program.fire(DUE);
            await().untilAsserted(() -> assertThat(page(program)).contains("x"));
        }
    }
}
