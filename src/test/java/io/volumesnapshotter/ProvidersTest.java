package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.RouteSchema;
import io.volumesnapshotter.testing.SnapshotClassManifest;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The snapshot classes of providers, and the schedules that prune what other tools took. */
class ProvidersTest {

    private static final Path PROVIDERS = Path.of("k8s/providers");
    private static final Path PRUNE_ONLY = Path.of("examples/prune-only");

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    @TempDir private Path routes;

    static Stream<Path> providers() throws IOException {
        try (Stream<Path> folders = Files.list(PROVIDERS)) {
            return folders.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("providers")
    void aProviderIsOneClassThatFreesWhatIsPruned(Path provider) throws Exception {
        assertThat(Kustomize.build(provider))
                .singleElement()
                .satisfies(
                        object -> {
                            SnapshotClassManifest found = (SnapshotClassManifest) object;
                            assertThat(found.getDeletionPolicy()).isEqualTo("Delete");
                            assertThat(found.getMetadata().getName())
                                    .isEqualTo(provider.getFileName().toString());
                        });
    }

    @Test
    void thePageNamesEachWithItsDriver() throws Exception {
        String page = Files.readString(Path.of("docs/providers.md"));
        for (Path provider : providers().toList()) {
            HasMetadata made = Kustomize.build(provider).get(0);
            String driver = ((SnapshotClassManifest) made).getDriver();
            assertThat(page).contains("| `%s` | `%s` |".formatted(provider.getFileName(), driver));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "snapscheduler, snapscheduler.backube/schedule, 8",
        "cloudnative-pg, cnpg.io/backupName, 8",
        "velero, velero.io/backup-name, 2",
    })
    void aScheduleThatPrunesForAnotherToolTakesNoneAndLeavesOthersAlone(
            String name, String label, int kept) throws Exception {
        String file = name + ".camel.yaml";
        String text = Files.readString(PRUNE_ONLY.resolve(file));
        assertThat(RouteSchema.violations(text)).isEmpty();
        TestRoutes.copyTo(routes);
        Files.writeString(routes.resolve(file), text);
        Instant first = Instant.parse("2026-11-01T02:00:00Z");
        for (int day = 0; day < 10; day++) {
            Instant time = first.plusSeconds(day * 86_400L);
            snapshot("theirs-" + day, Map.of(label, "x"), time);
            snapshot("others-" + day, Map.of("other", "x"), time);
            snapshot(
                    "ours-" + day,
                    SnapshotLabels.of("ours-" + day, "s", "r", Program.INSTALLATION),
                    time);
        }
        try (Program program = Program.start(cluster, "data", routes)) {
            program.fire(name, Instant.parse("2026-11-12T04:30:00Z"));
            assertThat(program.told(ch.qos.logback.classic.Level.WARN)).isEmpty();
        }
        assertThat(left("theirs-")).isEqualTo(kept);
        assertThat(left("others-")).isEqualTo(10);
        assertThat(left("ours-")).isEqualTo(10);
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
    }

    private void snapshot(String name, Map<String, String> labels, Instant time) {
        cluster.snapshot(Program.NAMESPACE, name, "data", labels, time);
    }

    private long left(String prefix) {
        return cluster.snapshots(Program.NAMESPACE).stream()
                .filter(snapshot -> snapshot.name().startsWith(prefix))
                .filter(snapshot -> !snapshot.terminating())
                .count();
    }
}
