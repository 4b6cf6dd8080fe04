package io.volumesnapshotter.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompletionTest {

    @AutoClose private static final SimulatedCluster cluster = SimulatedCluster.start();

    @TempDir private Path directory;

    @Test
    void bashCompletesCommandsOptionsAndForms() throws Exception {
        assertThat(completed("volume-snapshotter", "ta")).contains("take");
        assertThat(completed("volume-snapshotter", "list", "--sched")).contains("--schedule");
        assertThat(completed("volume-snapshotter", "list", "-o", "")).contains("json", "yaml");
    }

    private String completed(String... words) throws Exception {
        Path script = directory.resolve("completion.bash");
        Files.writeString(script, completion("bash"));
        String test =
                """
                source '%s'
                COMP_WORDS=(%s)
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                COMP_LINE="${COMP_WORDS[*]}"
                _complete_volume-snapshotter
                printf '%%s\\n' "${COMPREPLY[@]}"
                """
                        .formatted(script, "'" + String.join("' '", words) + "'");
        Process bash = new ProcessBuilder("bash", "-c", test).redirectErrorStream(true).start();
        String output = new String(bash.getInputStream().readAllBytes());
        assertThat(bash.waitFor()).as(output).isZero();
        return output;
    }

    @Test
    void fishCompletesEachCommandWithItsOptions() {
        assertThat(completion("fish").lines())
                .contains("complete -c volume-snapshotter -f")
                .anyMatch(line -> line.contains("-n __fish_use_subcommand -a take -d 'Takes"))
                .anyMatch(
                        line ->
                                line.contains("__fish_seen_subcommand_from list")
                                        && line.contains(
                                                " -s o -l output -x -a 'table json yaml name'"))
                .allMatch(
                        line ->
                                line.replace("\\'", "").chars().filter(c -> c == '\'').count() % 2
                                        == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sh", ""})
    void anUnknownShellIsToldWithThoseThatThereAre(String shell) {
        Cli.Answer answer = Cli.of(cluster).run("completion", shell);
        assertThat(answer.code()).isEqualTo(2);
        assertThat(answer.err()).singleElement().asString().contains("bash, zsh, fish");
    }

    private static String completion(String shell) {
        Cli.Answer answer = Cli.of(cluster).run("completion", shell);
        assertThat(answer.code()).as(answer.toString()).isZero();
        return answer.text();
    }
}
