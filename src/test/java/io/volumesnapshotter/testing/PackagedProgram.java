package io.volumesnapshotter.testing;

import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.SimulatedCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The program as it is packaged, in a process of its own, started by its script. */
public final class PackagedProgram implements AutoCloseable {

    /** What the start script gives the JVM, for those who give it more. */
    public static final String JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m ";

    public static final Path HOME = Path.of("target/volume-snapshotter");

    private final Process process;
    private final Path link;
    private final Path log;

    private PackagedProgram(Process process, Path link, Path log) {
        this.process = process;
        this.link = link;
        this.log = log;
    }

    /**
     * Starts it from another directory and by way of a symbolic link, as an image may have it.
     *
     * @param directory where its log goes and where it runs
     * @param environment all of its environment, but for the way to Java
     * @param arguments its arguments
     */
    public static PackagedProgram start(
            Path directory, Map<String, String> environment, String... arguments)
            throws IOException {
        return startFrom(HOME, directory, environment, arguments);
    }

    /**
     * Starts it against a cluster. As long as the settings say nothing else, it has the claims
     * {@code data} and {@code db}, and its schedule is due every two seconds.
     */
    public static PackagedProgram start(
            SimulatedCluster cluster,
            Path directory,
            Map<String, String> settings,
            String... arguments)
            throws IOException {
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG",
                cluster.kubeconfig(directory.resolve("given"), Program.NAMESPACE).toString());
        environment.put("SNAPSHOTTER_CLAIMS", "data,db");
        environment.put("SNAPSHOTTER_SCHEDULE", "*/2 * * * * ?");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.putAll(settings);
        return start(directory, environment, arguments);
    }

    /**
     * As {@link #start(Path, Map, String...)}, from another folder than the one that the build
     * makes.
     */
    public static PackagedProgram startFrom(
            Path home, Path directory, Map<String, String> environment, String... arguments)
            throws IOException {
        Path link = directory.resolve("volume-snapshotter");
        Files.createSymbolicLink(link, home.resolve("bin/volume-snapshotter").toAbsolutePath());
        Path log = Files.createTempFile(directory, "program", ".log");
        ProcessBuilder builder =
                new ProcessBuilder(
                                Stream.concat(Stream.of(link.toString()), Stream.of(arguments))
                                        .toList())
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv("PATH"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        return new PackagedProgram(builder.start(), link, log);
    }

    /** The lines that it printed so far. */
    public List<String> lines() {
        try {
            return Files.readAllLines(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public long pid() {
        return process.pid();
    }

    /** Lets it do nothing until it is thawed, as SIGSTOP does. */
    public void freeze() throws IOException, InterruptedException {
        signal("STOP");
    }

    /** Lets it go on where it was frozen. */
    public void thaw() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        // It may have ended meanwhile, which is the caller's to see.
        new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    }

    public void awaitLine(String words) {
        awaitLine(words, Patience.LIMIT);
    }

    public void awaitLine(String words, Duration limit) {
        await().alias("a line with: " + words)
                .atMost(limit)
                .failFast(
                        "the program ended",
                        () ->
                                !process.isAlive()
                                        && lines().stream().noneMatch(l -> l.contains(words)))
                .until(() -> lines().stream().anyMatch(line -> line.contains(words)));
    }

    /** Whether it ends by itself in this time. */
    public boolean endsWithin(Duration time) throws InterruptedException {
        return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Tells it to end as Kubernetes tells a pod, and does not wait for it. */
    public void tellToEnd() {
        process.destroy();
    }

    /** Ends it as Kubernetes ends a pod, and gives its exit code. */
    public int terminate() throws InterruptedException {
        tellToEnd();
        return awaitExit();
    }

    /** Ends it as kill -9 does. */
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    public int awaitExit() throws InterruptedException {
        if (!process.waitFor(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("still running: " + lines());
        }
        return process.exitValue();
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        Files.delete(link);
    }
}
