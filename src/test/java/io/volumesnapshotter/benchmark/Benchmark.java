package io.volumesnapshotter.benchmark;

import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Measures the packaged program, as its start script starts it, against a simulated cluster in this
 * JVM whose storage is quick: what the program itself costs, without what a cluster takes.
 *
 * <p>Arguments: number of claims (1000), snapshots of each claim in the second run (50).
 */
public final class Benchmark {

    private static final String NAMESPACE = SimulatedCluster.NAMESPACE;
    private static final String SCHEDULE = "hourly";
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final String NEVER = "0 0 0 1 1 ? 2099";

    /** Those of the start script. */
    private static final String JAVA_OPTS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m";

    private static final Map<String, String> MONITORED =
            Map.of(
                    "CAMEL_METRICS_ENABLED", "true",
                    "CAMEL_MANAGEMENT_JOLOKIA_ENABLED", "true");

    private Benchmark() {}

    public static void main(String[] args) throws Exception {
        int claims = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        int history = args.length > 1 ? Integer.parseInt(args[1]) : 50;
        System.out.printf(
                Locale.ROOT,
                "Java %s, %d processors%n%-50s %10s %10s %12s%n",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                "",
                "time",
                "requests",
                "peak memory");
        start("health only", Map.of());
        start("health, metrics, Jolokia", MONITORED);
        run(claims, 1);
        run(claims, history);
    }

    private static void start(String shows, Map<String, String> environment) throws Exception {
        try (SimulatedCluster cluster = cluster(1);
                Started program = new Started(cluster, NEVER, 1, environment)) {
            Instant begin = Instant.now();
            program.program.awaitLine("ready: ");
            row(
                    "start to ready, " + shows,
                    Duration.between(begin, Instant.now()),
                    -1,
                    program.peak());
        }
    }

    private static void run(int claims, int history) throws Exception {
        try (SimulatedCluster cluster = cluster(claims)) {
            for (int claim = 0; claim < claims; claim++) {
                for (int age = 1; age <= history; age++) {
                    old(cluster, "claim-" + claim, age);
                }
            }
            ZonedDateTime due = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(15);
            String once =
                    "%d %d %d %d %d ?"
                            .formatted(
                                    due.getSecond(),
                                    due.getMinute(),
                                    due.getHour(),
                                    due.getDayOfMonth(),
                                    due.getMonthValue());
            try (Started program = new Started(cluster, once, history, MONITORED)) {
                program.program.awaitLine("ready: ");
                cluster.log().clear();
                Instant begin = program.time(": starts");
                Instant end = program.time(": succeeded");
                long requests = cluster.log().count((RequestLog.Entry any) -> true);
                row(
                        "run over %,d claims, %,d snapshots in scope"
                                .formatted(claims, claims * (history + 1)),
                        Duration.between(begin, end),
                        requests,
                        program.peak());
            }
        }
    }

    private static void row(String what, Duration time, long requests, String memory) {
        System.out.printf(
                Locale.ROOT,
                "%-50s %8.1f s %10s %12s%n",
                what,
                time.toMillis() / 1000.0,
                requests < 0 ? "" : "%,d".formatted(requests),
                memory);
    }

    private static SimulatedCluster cluster(int claims) {
        SimulatedCluster cluster = SimulatedCluster.start();
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        for (int claim = 0; claim < claims; claim++) {
            cluster.claim(NAMESPACE, "claim-" + claim);
        }
        return cluster;
    }

    private static void old(SimulatedCluster cluster, String claim, int hours) {
        Instant due = Instant.now().minus(Duration.ofHours(hours));
        String name = SnapshotNames.snapshot(claim, SCHEDULE, due);
        Map<String, String> labels =
                SnapshotLabels.of(
                        name, SCHEDULE, SnapshotNames.run(SCHEDULE, due), Program.INSTALLATION);
        cluster.snapshot(NAMESPACE, name, claim, labels, due);
    }

    /** The program as a process, with what it leaves behind removed at the end. */
    private static final class Started implements AutoCloseable {

        private final Path directory = Files.createTempDirectory("volume-snapshotter-benchmark");
        private final PackagedProgram program;

        Started(SimulatedCluster cluster, String schedule, int keepLast, Map<String, String> shows)
                throws IOException {
            Map<String, String> environment = new HashMap<>();
            environment.put(
                    "KUBECONFIG",
                    cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString());
            environment.put("SNAPSHOTTER_CLAIMS", "*");
            environment.put("SNAPSHOTTER_SCHEDULE", schedule);
            environment.put("SNAPSHOTTER_KEEP_LAST", Integer.toString(keepLast));
            environment.put("CAMEL_MANAGEMENT_ENABLED", "true");
            environment.put(
                    "JAVA_OPTS",
                    Optional.ofNullable(System.getenv("JAVA_OPTS")).orElse(JAVA_OPTS)
                            + " -Dcamel.management.port=0");
            environment.putAll(shows);
            program = PackagedProgram.start(directory, environment);
        }

        /** When it printed the line with these words. */
        Instant time(String words) {
            program.awaitLine(words, LIMIT);
            return program.lines().stream()
                    .filter(line -> line.contains(words))
                    .map(line -> Instant.parse(line.substring(0, line.indexOf(' '))))
                    .findFirst()
                    .orElseThrow();
        }

        /** The most memory that it had at once, where the kernel tells. */
        String peak() throws IOException {
            Path status = Path.of("/proc", Long.toString(program.pid()), "status");
            if (!Files.isReadable(status)) {
                return "n/a";
            }
            try (Stream<String> lines = Files.lines(status)) {
                return lines.filter(line -> line.startsWith("VmHWM:"))
                        .map(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024 + " MB")
                        .findFirst()
                        .orElse("n/a");
            }
        }

        @Override
        public void close() throws IOException {
            program.close();
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }
}
