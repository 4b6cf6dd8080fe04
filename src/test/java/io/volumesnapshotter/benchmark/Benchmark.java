package io.volumesnapshotter.benchmark;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Measures the packaged program, as its start script starts it, against a simulated cluster in this
 * JVM whose storage is quick: what the program itself costs, without what a cluster takes.
 *
 * <p>System properties: {@code benchmark.times} (3), how often each figure is taken; {@code
 * benchmark.claims} (1,100,1000) and {@code benchmark.latency} (0,20), for how many claims and how
 * many milliseconds of the API server's; {@code benchmark.history} (50), snapshots of each claim in
 * the run with many; {@code benchmark.home}, the folder of the program; {@code benchmark.save}, a
 * file for the figures; {@code benchmark.compare}, a file of figures: it ends with exit code 1
 * where one is worse by more than the noise.
 */
public final class Benchmark {

    private static final String NAMESPACE = SimulatedCluster.NAMESPACE;
    private static final String SCHEDULE = "hourly";
    private static final String NEVER = "0 0 0 1 1 ? 2099";
    private static final String READY = "ready: ";

    /** The setting {@code concurrency}, as it is by default. */
    private static final int CONCURRENCY = 4;

    private static final int WARM_UP = 20;
    private static final int CYCLES = 40;
    private static final int IDLE_SECONDS = 30;
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private static final Map<String, String> HEALTH = Map.of("CAMEL_MANAGEMENT_ENABLED", "true");
    private static final Map<String, String> MONITORED =
            Map.of(
                    "CAMEL_MANAGEMENT_ENABLED", "true",
                    "CAMEL_METRICS_ENABLED", "true",
                    "CAMEL_MANAGEMENT_JOLOKIA_ENABLED", "true");

    private final int times = Integer.getInteger("benchmark.times", 3);
    private final Map<String, Figure> figures = new TreeMap<>();

    private Benchmark() {}

    /** What is taken once, by the names of the figures. */
    private interface Measurement {

        Map<String, Double> take() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        System.out.printf(
                "Java %s, %d processors, %s, %d times each: median, and from least to most%n",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                Integer.getInteger("benchmark.times", 3));
        Benchmark benchmark = new Benchmark();
        benchmark.takeAll();
        benchmark.save();
        if (!benchmark.holds()) {
            System.exit(1);
        }
    }

    private void takeAll() throws Exception {
        take(() -> start("without monitoring", Map.of()));
        take(() -> start("with health", HEALTH));
        take(() -> start("with health, metrics, Jolokia", MONITORED));
        take(Benchmark::commands);
        take(Benchmark::cycles);
        for (int latency : numbers("benchmark.latency", "0,20")) {
            for (int claims : numbers("benchmark.claims", "1,100,1000")) {
                take(() -> run(claims, 1, latency));
            }
        }
        take(() -> run(1000, Integer.getInteger("benchmark.history", 50), 0));
    }

    private static int[] numbers(String property, String byDefault) {
        return Arrays.stream(System.getProperty(property, byDefault).split(","))
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    private void take(Measurement measurement) throws Exception {
        Map<String, List<Double>> values = new LinkedHashMap<>();
        for (int i = 0; i < times; i++) {
            measurement
                    .take()
                    .forEach(
                            (name, value) ->
                                    values.computeIfAbsent(name, any -> new ArrayList<>())
                                            .add(value));
        }
        values.forEach(
                (name, all) -> {
                    String[] parts = name.split(" \\| ", -1);
                    Figure figure = new Figure(parts[0], parts[1], parts[1].endsWith("/s"), all);
                    figures.put(figure.name(), figure);
                    System.out.println(figure);
                });
    }

    private static Map<String, Double> start(String kind, Map<String, String> shows)
            throws Exception {
        Map<String, Double> taken = new LinkedHashMap<>();
        try (SimulatedCluster cluster = cluster(1);
                MeasuredProgram program = new MeasuredProgram(cluster, settings(NEVER, 1, shows))) {
            taken.put("start to ready, " + kind + " | s", program.awaitLine(READY));
            TimeUnit.SECONDS.sleep(2);
            double cpu = program.cpu();
            taken.put("CPU of a start, " + kind + " | s", cpu);
            TimeUnit.SECONDS.sleep(IDLE_SECONDS);
            taken.put(
                    "CPU of an idle hour, " + kind + " | s",
                    (program.cpu() - cpu) * TimeUnit.HOURS.toSeconds(1) / IDLE_SECONDS);
            taken.put("resident at idle, " + kind + " | MB", program.resident());
            taken.put("threads at idle, " + kind + " | ", program.threads());
        }
        return taken;
    }

    private static Map<String, Double> commands() throws Exception {
        Map<String, Double> taken = new LinkedHashMap<>();
        taken.put("java -version | s", javaVersion());
        try (SimulatedCluster cluster = cluster(1)) {
            cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get");
            for (String command : List.of("--version", "preflight", "list")) {
                try (MeasuredProgram program =
                        new MeasuredProgram(cluster, settings(NEVER, 1, Map.of()), command)) {
                    taken.put("volume-snapshotter " + command + " | s", program.awaitEnd());
                }
            }
        }
        return taken;
    }

    private static double javaVersion() throws Exception {
        Instant begin = Instant.now();
        new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(), "-version")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        return Duration.between(begin, Instant.now()).toNanos() / 1e9;
    }

    /** What a run of one claim costs once the JVM is warm. */
    private static Map<String, Double> cycles() throws Exception {
        try (SimulatedCluster cluster = cluster(1);
                MeasuredProgram program =
                        new MeasuredProgram(cluster, settings("* * * * * ?", 1, HEALTH))) {
            awaitRuns(program, WARM_UP);
            double before = program.cpu();
            long runs = program.lines(": succeeded");
            awaitRuns(program, WARM_UP + CYCLES);
            return Map.of(
                    "CPU of a run of one claim, warm | ms",
                    1000 * (program.cpu() - before) / (program.lines(": succeeded") - runs));
        }
    }

    private static void awaitRuns(MeasuredProgram program, int runs) throws Exception {
        while (program.lines(": succeeded") < runs) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private static Map<String, Double> run(int claims, int history, int latency) throws Exception {
        String kind =
                ", %,d claims%s%s"
                        .formatted(
                                claims,
                                history == 1
                                        ? ""
                                        : ", %,d snapshots in scope"
                                                .formatted(claims * (history + 1)),
                                latency == 0 ? "" : ", answers after %d ms".formatted(latency));
        Map<String, Double> taken = new LinkedHashMap<>();
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
            try (MeasuredProgram program =
                    new MeasuredProgram(cluster, settings(once, history, MONITORED))) {
                program.awaitLine(READY);
                slow(cluster, latency);
                cluster.log().clear();
                program.awaitLine(": succeeded");
                Instant begin = program.time(": starts", false);
                taken.put(
                        "run" + kind + " | s", seconds(begin, program.time(": succeeded", false)));
                if (claims > 1) {
                    taken.put(
                            "creations" + kind + " | 1/s",
                            claims / seconds(begin, program.time(": created", true)));
                }
                cluster.log()
                        .byVerb()
                        .forEach(
                                (verb, number) ->
                                        taken.put(
                                                "requests" + kind + ": " + verb + " | ",
                                                number.doubleValue()));
                taken.put("most memory" + kind + " | MB", program.peak());
            }
        }
        if (claims > 1 && history == 1) {
            try (SimulatedCluster cluster = cluster(claims)) {
                slow(cluster, latency);
                taken.put(
                        "creations of a raw loop" + kind + " | 1/s",
                        RawLoop.creationsPerSecond(cluster, claims, CONCURRENCY));
            }
        }
        return taken;
    }

    private static void slow(SimulatedCluster cluster, int latency) {
        if (latency > 0) {
            cluster.faults()
                    .delay(
                            Faults.Boundary.ARRIVED,
                            any -> true,
                            Faults.ALWAYS,
                            Duration.ofMillis(latency));
        }
    }

    private static double seconds(Instant begin, Instant end) {
        return Math.max(1, Duration.between(begin, end).toMillis()) / 1000.0;
    }

    private static Map<String, String> settings(
            String schedule, int keepLast, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>();
        settings.put("SNAPSHOTTER_CLAIMS", "*");
        settings.put("SNAPSHOTTER_SCHEDULE", schedule);
        settings.put("SNAPSHOTTER_KEEP_LAST", Integer.toString(keepLast));
        settings.putAll(more);
        return settings;
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

    private void save() throws IOException {
        String file = System.getProperty("benchmark.save");
        if (file != null) {
            JSON.writeValue(Path.of(file).toFile(), figures.values());
        }
    }

    /** Whether no figure is worse than the one that it is to be compared with. */
    private boolean holds() throws IOException {
        String file = System.getProperty("benchmark.compare");
        if (file == null) {
            return true;
        }
        boolean holds = true;
        for (Figure before :
                JSON.readValue(
                        Files.readString(Path.of(file)), new TypeReference<List<Figure>>() {})) {
            Optional<Figure> now = Optional.ofNullable(figures.get(before.name()));
            if (now.isPresent() && now.get().isWorseThan(before)) {
                System.out.printf("worse: %s%n  was: %s%n", now.get(), before);
                holds = false;
            }
        }
        return holds;
    }
}
