package io.volumesnapshotter.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {

    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
    private static final String NONCE = "11111111-2222-3333-4444-555555555555";

    private static Pod ended(int code) {
        return new PodBuilder()
                .withNewStatus()
                .addNewContainerStatus()
                .withNewState()
                .withNewTerminated()
                .withExitCode(code)
                .endTerminated()
                .endState()
                .endContainerStatus()
                .endStatus()
                .build();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    0   | volume-snapshotter-check-ended 11111111-2222-3333-4444-555555555555 0 | true
                    0   | volume-snapshotter-check-ended 11111111-2222-3333-4444-555555555555 1 | false
                    0   | volume-snapshotter-check-ended another 0                              | false
                    0   | all is well                                                           | false
                    1   | volume-snapshotter-check-ended 11111111-2222-3333-4444-555555555555 0 | false
                    137 |                                                                       | false
                    """)
    void onlyACheckThatSaysItsEndInThisPodPasses(int code, String line, boolean passes) {
        List<String> log = line == null ? List.of() : List.of("3 files read", line);

        assertThat(Verdict.of(ended(code), log, NONCE).passed()).isEqualTo(passes);
    }

    @Test
    void aPodThatHasNotEndedDoesNotPass() {
        assertThat(Verdict.of(new Pod(), List.of(Check.ended(NONCE)), NONCE).passed()).isFalse();
        assertThat(Verdict.hasStarted(new Pod())).isFalse();
        assertThat(Verdict.hasEnded(new Pod())).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "2026-11-21T09:59:59Z, false",
        "2026-11-21T10:00:00Z, true",
        "2026-11-22T09:00:00Z, true",
    })
    void theDataMayBeAsOldAsWasSaid(Instant cut, boolean fits) {
        Optional<Verdict> verdict =
                Verdict.ofSnapshot("s", cut, null, Optional.empty(), Duration.ofDays(1), NOW);

        assertThat(verdict.isEmpty()).isEqualTo(fits);
    }

    @ParameterizedTest
    @CsvSource({"a, a, true", "a, b, false", "a, , true", ", b, true"})
    void theSnapshotIsOfTheClaimThatIsThere(String ofUid, String present, boolean fits) {
        Optional<Verdict> verdict =
                Verdict.ofSnapshot(
                        "s", NOW, ofUid, Optional.ofNullable(present), Duration.ofDays(1), NOW);

        assertThat(verdict.isEmpty()).isEqualTo(fits);
    }

    @Test
    void aPodThatCannotBePlacedSaysWhy() {
        Pod pod =
                new PodBuilder()
                        .withNewStatus()
                        .addNewCondition()
                        .withType("PodScheduled")
                        .withStatus("False")
                        .withMessage("0/3 nodes are available")
                        .endCondition()
                        .endStatus()
                        .build();

        assertThat(Verdict.whyNotStarted(pod)).isEqualTo("0/3 nodes are available");
    }

    /** The command is tried by a shell, as in a pod. */
    @ParameterizedTest
    @CsvSource({"exit 0, 0, true", "exit 3, 3, false", "echo hello, 0, true"})
    void theCommandSaysItsEndWithTheCodeOfTheScript(String script, int code, boolean passes)
            throws Exception {
        List<String> command =
                new Check(Check.IMAGE, script, 1, Duration.ofMinutes(1)).command(NONCE);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> log = new String(process.getInputStream().readAllBytes()).lines().toList();

        assertThat(process.waitFor()).isEqualTo(code);
        assertThat(log.contains(Check.ended(NONCE))).isEqualTo(passes);
    }

    /** The default check, by a shell, with another folder in place of the volume. */
    @ParameterizedTest
    @CsvSource({"db, 0", "sub/db, 0", "'', 1", "lost+found/x, 1"})
    void theDefaultCheckReadsAllFilesAndFailsWhereThereIsNone(
            String file, int code, @TempDir Path data) throws Exception {
        if (!file.isEmpty()) {
            Files.createDirectories(data.resolve(file).getParent());
            Files.writeString(data.resolve(file), "content");
        }
        Process process =
                new ProcessBuilder("/bin/sh", "-c", Check.SCRIPT.replace("/data", data.toString()))
                        .redirectErrorStream(true)
                        .start();
        String log = new String(process.getInputStream().readAllBytes());

        assertThat(process.waitFor()).as(log).isEqualTo(code);
        assertThat(log).contains(code == 0 ? "1 files read" : "there is no file");
    }

    @Test
    void theDefaultCheckFailsWhereNothingIsMounted(@TempDir Path data) throws Exception {
        Process process =
                new ProcessBuilder(
                                "/bin/sh",
                                "-c",
                                Check.SCRIPT.replace("/data", data.resolve("none").toString()))
                        .redirectErrorStream(true)
                        .start();
        process.getInputStream().readAllBytes();

        assertThat(process.waitFor()).isEqualTo(1);
    }
}
