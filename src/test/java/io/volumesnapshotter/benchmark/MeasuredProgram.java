package io.volumesnapshotter.benchmark;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The packaged program as a process whose use of the machine the kernel tells, where it does; with
 * what it leaves behind removed at the end.
 */
final class MeasuredProgram implements AutoCloseable {

    /** Where the program to be measured is; by default what {@code mvn package} makes. */
    static final Path HOME =
            Path.of(System.getProperty("benchmark.home", PackagedProgram.HOME.toString()));

    private static final Duration LIMIT = Duration.ofMinutes(30);

    /** Of {@code /proc/PID/stat}: user and system time, in hundredths of a second. */
    private static final int USER_TIME = 11;

    private final Path directory = Files.createTempDirectory("volume-snapshotter-benchmark");
    private final Instant begin = Instant.now();
    private final PackagedProgram program;

    MeasuredProgram(SimulatedCluster cluster, Map<String, String> settings, String... arguments)
            throws IOException {
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG",
                cluster.kubeconfig(directory.resolve("kubeconfig"), SimulatedCluster.NAMESPACE)
                        .toString());
        environment.put("SNAPSHOTTER_ROUTES", HOME.resolve("routes").toAbsolutePath().toString());
        environment.put("JAVA_TOOL_OPTIONS", "-Dcamel.management.port=0");
        Optional.ofNullable(System.getenv("JAVA_OPTS"))
                .ifPresent(options -> environment.put("JAVA_OPTS", options));
        environment.putAll(settings);
        program = PackagedProgram.startFrom(HOME, directory, environment, arguments);
    }

    /** Seconds from its start to a line with these words. */
    double awaitLine(String words) {
        program.awaitLine(words, LIMIT);
        return Duration.between(begin, time(words, false)).toMillis() / 1000.0;
    }

    /** Seconds from its start to its end. */
    double awaitEnd() throws InterruptedException {
        program.awaitExit();
        return Duration.between(begin, Instant.now()).toNanos() / 1e9;
    }

    /** When it told the first or the last line with these words. */
    Instant time(String words, boolean last) {
        List<Instant> times =
                program.lines().stream()
                        .filter(line -> line.contains(words))
                        .map(line -> Instant.parse(line.substring(0, line.indexOf(' '))))
                        .toList();
        return times.get(last ? times.size() - 1 : 0);
    }

    /** How many lines there are with these words. */
    long lines(String words) {
        return program.lines().stream().filter(line -> line.contains(words)).count();
    }

    /** MB that are resident now. */
    double resident() throws IOException {
        return status("VmRSS:") / 1024;
    }

    /** MB that were resident at most. */
    double peak() throws IOException {
        return status("VmHWM:") / 1024;
    }

    double threads() throws IOException {
        return status("Threads:");
    }

    private double status(String field) throws IOException {
        try (Stream<String> lines = Files.lines(proc("status"))) {
            return lines.filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** Seconds of CPU so far. */
    double cpu() throws IOException {
        String stat = Files.readString(proc("stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[USER_TIME + 1])) / 100.0;
    }

    private Path proc(String file) {
        return Path.of("/proc", Long.toString(program.pid()), file);
    }

    @Override
    public void close() throws IOException {
        program.close();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
