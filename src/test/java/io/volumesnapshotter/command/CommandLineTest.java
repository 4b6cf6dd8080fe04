package io.volumesnapshotter.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.VolumeSnapshotter;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** What all commands share: flags, forms of output, colours, mistakes and exit codes. */
class CommandLineTest {

    @AutoClose private static final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @TempDir private Path directory;

    private static Stream<String> commands() {
        return line().getSubcommands().entrySet().stream()
                .filter(entry -> entry.getValue().getCommand() instanceof ClusterCommand)
                .map(Map.Entry::getKey);
    }

    private static CommandLine line() {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream());
        return VolumeSnapshotter.line(
                Map.of(),
                Map.of(),
                Console.of(nowhere, nowhere, "", Map.of()),
                Interrupts.of(() -> {}));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theHelpOfEachCommandTeachesWithTwoExamplesAndNamesTheExitCodes(String command) {
        String help = line().getSubcommands().get(command).getUsageMessage();
        assertThat(help.split("Examples:")[1].lines())
                .filteredOn(line -> line.trim().startsWith("volume-snapshotter " + command))
                .hasSizeGreaterThanOrEqualTo(2);
        assertThat(help)
                .contains("Exit codes:", "130", "--context", "--namespace", "--request-timeout")
                .containsPattern("\\n *0 +all was done")
                .containsPattern("\\n *75 +the API server");
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theExamplesOfEachCommandCanBeParsed(String command) {
        String help = line().getSubcommands().get(command).getUsageMessage();
        help.split("Examples:")[1]
                .lines()
                .map(String::trim)
                .filter(line -> line.startsWith("volume-snapshotter " + command))
                .forEach(
                        example ->
                                line().parseArgs(
                                                example.replace("'", "")
                                                        .substring("volume-snapshotter ".length())
                                                        .split(" ")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    prefligth                      | preflight
                    preflight --namespce=shop      | --namespace
                    preflight --contxt x           | --context
                    preflight -o jsn               | table, json, yaml, name
                    preflight -o name              | table, json, yaml
                    preflight --request-timeout 5x | 5s, 2m, 1h
                    preflight --request-timeout 0  | 5s, 2m, 1h
                    preflight -n Shop              | lower case letters
                    preflight --context other      | there are simulated
                    preflight --as-group admins    | by --as
                    preflight --kubeconfig none    | no such readable file
                    """)
    void aMistakeInTheArgumentsIsToldInOneLineWithWhatWouldBeRight(
            String arguments, String remedy) {
        Cli.Answer answer = Cli.of(cluster).with("claims", "data").run(arguments.split(" "));
        assertThat(answer.code()).isEqualTo(ExitCode.USAGE);
        assertThat(answer.out()).isEmpty();
        assertThat(answer.err()).singleElement().asString().startsWith("error: ").contains(remedy);
    }

    @Test
    void aKubeconfigWithoutACurrentContextIsToldWithThoseThatThereAre() throws Exception {
        Path file = cluster.kubeconfig(directory.resolve("config"), "apps");
        Files.writeString(file, Files.readString(file).replace("current-context: simulated", ""));
        Cli cli = Cli.of(cluster).with("claims", "data").variable("KUBECONFIG", file.toString());
        Cli.Answer answer = cli.run("preflight");
        assertThat(answer.code()).isEqualTo(ExitCode.CONFIG);
        assertThat(answer.err())
                .singleElement()
                .asString()
                .contains("--context", "there are simulated");
        assertThat(cli.run("preflight", "--context", "simulated").code()).isZero();
    }

    @Test
    void kubectlsFlagsSayWhichClusterWhereAndAsWhom() throws Exception {
        Path admin = cluster.adminKubeconfig(directory.resolve("admin"), "default");
        Cli.Answer answer =
                Cli.of(cluster)
                        .with("claims", "data")
                        .run(
                                "preflight",
                                "--kubeconfig=" + admin,
                                "--context=simulated",
                                "--namespace=apps",
                                "--as=system:serviceaccount:apps:volume-snapshotter",
                                "--request-timeout=20s");
        assertThat(answer.code()).isZero();
        assertThat(answer.out())
                .anyMatch(line -> line.contains("rights: all 3 that are needed are granted"))
                // What the account may not read is left out, so it is not the administrator.
                .anyMatch(line -> line.contains("claims: those that are named are not looked at"));
    }

    @Test
    void theFormsForMachinesAreAsTheSchemaSays() {
        Cli cli = Cli.of(cluster).with("claims", "data");
        assertThat(OutputSchema.json(cli.run("preflight", "-o", "json")).at("/items")).isNotEmpty();
        assertThat(OutputSchema.yaml(cli.run("preflight", "-o=yaml")).at("/items")).isNotEmpty();
    }

    @Test
    void aWrongSettingEndsWith78() {
        Cli.Answer answer =
                Cli.of(cluster).with("claims", "data").with("keep-last", "x").run("preflight");
        assertThat(answer.code()).isEqualTo(ExitCode.CONFIG);
        assertThat(answer.err()).singleElement().asString().contains("keep-last: \"x\"");
    }

    @ParameterizedTest
    @CsvSource({"'out,err', '', true", "'out,err', 1, false", "'', '', false"})
    void coloursAreForTerminalsAndNotWhereNobodyWantsThem(
            String terminals, String noColour, boolean has) {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(written, true, StandardCharsets.UTF_8);
        Console console =
                Console.of(
                        stream,
                        stream,
                        terminals,
                        Map.of("NO_COLOR", noColour == null ? "" : noColour));
        console.error("no");
        Table table = new Table("NAME");
        table.add("data");
        table.lines(true, console.hasColours()).forEach(console::print);
        assertThat(written.toString(StandardCharsets.UTF_8).contains("\033[")).isEqualTo(has);
    }

    @Test
    void progressIsUpdatedInPlaceOnATerminalAndIsPlainLinesElsewhere() {
        assertThat(progress("")).isEqualTo("data: asked for\ndb: asked for\ndata: ready\n");
        assertThat(progress("err"))
                .isEqualTo(
                        "data   asked for\n"
                                + "\033[1A\033[Jdata   asked for\ndb     asked for\n"
                                + "\033[2A\033[Jdata   ready\ndb     asked for\n");
    }

    private static String progress(String terminals) {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(written, true, StandardCharsets.UTF_8);
        Console console = Console.of(stream, stream, terminals, Map.of());
        console.progress("data", "asked for", Colour.NONE);
        console.progress("db", "asked for", Colour.NONE);
        console.progress("db", "asked for", Colour.NONE);
        console.progress("data", "ready", Colour.NONE);
        return written.toString(StandardCharsets.UTF_8);
    }

    @Test
    void columnsAreAligned() {
        Table table = new Table("NAME", "READY");
        table.add("data", "true");
        table.add("a-long-one", "");
        assertThat(table.lines(true, false))
                .containsExactly("NAME         READY", "data         true", "a-long-one");
        assertThat(table.lines(false, false)).containsExactly("data         true", "a-long-one");
    }

    @Test
    void theSecondInterruptEndsAtOnce() {
        int[] calls = new int[2];
        Interrupts interrupts = Interrupts.of(() -> calls[1]++);
        interrupts.onInterrupt(() -> {});
        interrupts.interrupt();
        assertThat(interrupts.isInterrupted()).isTrue();
        assertThat(calls[1]).isZero();
        interrupts.interrupt();
        assertThat(calls[1]).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"2,0,false,0", "0,2,false,1", "0,2,true,75", "1,1,true,3", "1,1,false,3"})
    void theExitCodeFollowsFromWhatSucceededAndWhatFailed(
            int succeeded, int failed, boolean again, int code) {
        assertThat(ExitCode.of(succeeded, failed, again)).isEqualTo(code);
    }
}
