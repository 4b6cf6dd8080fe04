package io.volumesnapshotter.testing;

import io.volumesnapshotter.VolumeSnapshotter;
import io.volumesnapshotter.command.Console;
import io.volumesnapshotter.command.Interrupts;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The command line in this JVM, with a kubeconfig of the simulated cluster. It waits little, and
 * looks often.
 */
public final class Cli {

    private final SimulatedCluster cluster;
    private final Map<String, String> settings = new HashMap<>();
    private final Map<String, String> environment = new HashMap<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private String terminals = "";
    private Interrupts interrupts = Interrupts.of(() -> {});

    private Cli(SimulatedCluster cluster) {
        this.cluster = cluster;
    }

    /** One that the program's ServiceAccount uses. */
    public static Cli of(SimulatedCluster cluster) {
        return new Cli(cluster)
                .with("schedule", "0 0 0 1 1 ? 2099")
                .with("ready-timeout", Patience.LIMIT.toMillis() + "ms");
    }

    /** A setting of the program, with or without its prefix. */
    public Cli with(String name, String value) {
        settings.put(name.contains(".") ? name : Settings.PREFIX + name, value);
        return this;
    }

    /** A variable of the environment. */
    public Cli variable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** The streams that are terminals. */
    public Cli terminals(String streams) {
        terminals = streams;
        return this;
    }

    /** What tells of Ctrl-C. */
    public Cli interrupts(Interrupts own) {
        interrupts = own;
        return this;
    }

    /**
     * What a command ended with.
     *
     * @param code its exit code
     * @param out the lines on standard output
     * @param err the lines on standard error
     */
    public record Answer(int code, List<String> out, List<String> err) {

        /** Standard output as one text. */
        public String text() {
            return String.join("\n", out);
        }
    }

    /** Runs a command to its end. */
    public Answer run(String... arguments) {
        out.reset();
        err.reset();
        try {
            if (!environment.containsKey("KUBECONFIG")) {
                Path file = Files.createTempFile("kubeconfig", ".yaml");
                file.toFile().deleteOnExit();
                environment.put(
                        "KUBECONFIG", cluster.kubeconfig(file, Program.NAMESPACE).toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Console console =
                Console.of(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        terminals,
                        environment);
        int code =
                VolumeSnapshotter.line(environment, settings, console, interrupts)
                        .execute(arguments);
        return new Answer(code, outLines(), lines(err));
    }

    /** What stands on standard output so far. */
    public List<String> outLines() {
        return lines(out);
    }

    /** What stands on standard error so far. */
    public List<String> errLines() {
        return lines(err);
    }

    private static List<String> lines(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
