package io.volumesnapshotter.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
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
        return said("bash", test);
    }

    private static String said(String shell, String script) throws Exception {
        Process process = new ProcessBuilder(shell, "-c", script).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private static void assumeInstalled(String shell) {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, shell))),
                shell + " is not installed");
    }

    @Test
    void fishItselfCompletesCommandsOptionsAndForms() throws Exception {
        assumeInstalled("fish");
        Path script = directory.resolve("completion.fish");
        Files.writeString(script, completion("fish"));
        String test =
                "source %s; complete -C 'volume-snapshotter ta';"
                        + " complete -C 'volume-snapshotter list --sched';"
                        + " complete -C 'volume-snapshotter list -o '";
        assertThat(said("fish", test.formatted(script)).lines())
                .anyMatch(line -> line.startsWith("take\tTakes"))
                .anyMatch(line -> line.startsWith("--schedule\t"))
                .anyMatch(line -> line.startsWith("json\t"));
    }

    /** What is typed into a terminal of zsh, each line with the tabulator behind it. */
    @Test
    void zshItselfCompletesCommandsOptionsAndForms() throws Exception {
        assumeInstalled("zsh");
        Path script = directory.resolve("completion.zsh");
        Files.writeString(script, completion("zsh"));
        String test =
                """
                zmodload zsh/zpty
                zpty z 'TERM=dumb HOME=%1$s zsh -f -i'
                zpty -w z 'autoload -U compinit; compinit -u; source %1$s/completion.zsh; echo rea""dy'
                zpty -r z out '*ready*'
                for typed in ta:take 'list --sched:--schedule' 'list -o js:json'; do
                  zpty -w -n z $'\\x15'"volume-snapshotter ${typed%%%%:*}"$'\\t'
                  zpty -r z out "*${typed##*:}*" && print -r -- "completed ${typed##*:}"
                done
                zpty -d z
                """
                        .formatted(directory);
        assertThat(said("zsh", test).lines())
                .contains("completed take", "completed --schedule", "completed json");
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
