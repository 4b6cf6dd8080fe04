package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

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
            Program.hadTaken(cluster, claim, NOON.minus(Duration.ofHours(i / claims)));
        }
        try (PackagedProgram program = start("list", "-o", form)) {
            assertThat(program.awaitExit()).as(() -> tail(program.lines())).isZero();
            assertThat(program.lines().stream().filter(line -> line.contains("data-7-hourly-")))
                    .hasSizeGreaterThanOrEqualTo(50);
        }
    }

    @Test
    void kubectlFindsThePluginWhichTakesItsFlags() throws Exception {
        cluster.claim(NAMESPACE, "data");
        Path kubeconfig = cluster.kubeconfig(directory.resolve("config"), "default");
        String taken =
                plugin(0, "take", "data", "--kubeconfig", kubeconfig.toString(), "-n", NAMESPACE);
        assertThat(taken).contains("apps/data: ready data-on-demand-");
        assertThat(plugin(0)).contains("Usage: volume-snapshotter", "Commands:");
    }

    private String plugin(int code, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(
                PackagedProgram.HOME
                        .resolve("bin/kubectl-volume_snapshotter")
                        .toAbsolutePath()
                        .toString());
        command.addAll(List.of(arguments));
        Process process =
                new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isEqualTo(code);
        return output;
    }

    @Test
    void theManifestForKrewNamesWhatThePackageHas() throws Exception {
        String text =
                Files.readString(Path.of(".krew.yaml"))
                        .replaceAll("\\{\\{addURIAndSha .*", "sha256: none")
                        .replace("{{ .TagName }}", "v0.2.0");
        @SuppressWarnings("unchecked")
        Map<String, Object> spec =
                (Map<String, Object>)
                        ((Map<String, Object>)
                                        new Load(LoadSettings.builder().build())
                                                .loadFromString(text))
                                .get("spec");
        Map<?, ?> platform = (Map<?, ?>) ((List<?>) spec.get("platforms")).get(0);
        assertThat(spec.get("version")).isEqualTo("v0.2.0");
        assertThat(PackagedProgram.HOME.resolve(platform.get("bin").toString())).isExecutable();
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
