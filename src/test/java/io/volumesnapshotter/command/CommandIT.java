package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.INSTALLATION;
import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.PackagedProgram;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands of the packaged program, in a process of their own. */
class CommandIT {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    @TempDir private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"table", "json", "yaml", "name"})
    void aListOfTenThousandSnapshotsFitsIntoTheHeapOfACommand(String form) throws Exception {
        int claims = 200;
        for (int i = 0; i < 10_000; i++) {
            String claim = "data-" + i % claims;
            Instant due = NOON.minus(Duration.ofHours(i / claims));
            String name = SnapshotNames.snapshot(claim, "hourly", due);
            cluster.snapshot(
                    NAMESPACE,
                    name,
                    claim,
                    SnapshotLabels.of(
                            name, "hourly", SnapshotNames.run("hourly", due), INSTALLATION),
                    due);
        }
        try (PackagedProgram program = start("list", "-o", form)) {
            assertThat(program.awaitExit()).as(() -> tail(program.lines())).isZero();
            assertThat(program.lines().stream().filter(line -> line.contains("data-7-hourly-")))
                    .hasSizeGreaterThanOrEqualTo(50);
        }
    }

    private static String tail(List<String> lines) {
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    private PackagedProgram start(String... arguments) throws Exception {
        return PackagedProgram.start(
                directory,
                Map.of(
                        "KUBECONFIG",
                        cluster.kubeconfig(directory.resolve("config"), NAMESPACE).toString()),
                arguments);
    }
}
