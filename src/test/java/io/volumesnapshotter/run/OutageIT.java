package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An API server that is unhealthy for hundreds of runs, in every way that there is: the program
 * neither grows nor tells more than each run's end, and all goes well afterwards. What an hour does
 * to a schedule that is due every minute happens here to many that are due every second.
 */
class OutageIT {

    private static final int NAMING = 20;
    private static final int SELECTING = 5;
    private static final int LARGE = 15;

    /** That it starts, that a step which concerns all claims failed, and how it ended. */
    private static final int LINES_PER_RUN = 3;

    /** Of a claim that failed. */
    private static final int LINES_PER_CLAIM = 1;

    /** That the API does not serve, and that it does again. */
    private static final int LINES_OF_THE_API = 4;

    /** A request that hangs takes ten seconds, and is sent again after longer and longer waits. */
    private static final Duration LIMIT = Patience.scaled(Duration.ofMinutes(3));

    private static final long GROWTH = 3_000_000;

    private static final Pattern RUN = Pattern.compile("\\S+ \\w+ +(\\S+-\\d{14})[ :].*");
    private static final Pattern ROW = Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s+(\\d+)\\s+(\\S+).*");

    /** With these the serial collector fills what it does not move; they are no objects. */
    private static final String FILLERS = "[I";

    private static final String EXCHANGE = "org.apache.camel.support.DefaultExchange";
    private static final String THREAD = "java.lang.Thread";
    private static final String BYTES = "bytes";

    @TempDir private Path directory;

    @Test
    void anUnhealthyApiServerMakesItNeitherGrowNorTellMoreThanEachRunsEnd() throws Exception {
        try (SimulatedCluster cluster = cluster();
                PackagedProgram program = start(cluster)) {
            program.awaitLine("succeeded");
            int healthy = program.lines().size();
            Faults.Fault hang = cluster.faults().hold(Boundary.ARRIVED, any -> true, Faults.ALWAYS);
            await().atMost(LIMIT).until(() -> hang.hits() > 3 * (NAMING + SELECTING));
            cluster.goDown();
            hang.cancel();
            awaitRuns(program);
            Map<String, Long> early = live(program);
            for (ApiAnswer answer :
                    List.of(
                            ApiAnswer.status(503, "ServiceUnavailable", "not now"),
                            ApiAnswer.status(403, "Forbidden", "not you"))) {
                Faults.Fault unhealthy =
                        cluster.faults().answer(any -> true, Faults.ALWAYS, answer);
                cluster.comeBack();
                awaitRuns(program);
                cluster.goDown();
                unhealthy.cancel();
            }
            awaitRuns(program);
            Map<String, Long> late = live(program);
            assertThat(late.get(Run.class.getName()))
                    .describedAs("runs that still live")
                    .isLessThanOrEqualTo(NAMING + SELECTING + 1L);
            assertThat(late.get(EXCHANGE)).isLessThan(early.get(EXCHANGE) * 2);
            assertThat(late.get(THREAD)).isLessThan(early.get(THREAD) + 20);
            assertThat(late.get(BYTES)).isLessThan(early.get(BYTES) + GROWTH);
            List<String> lines = program.lines();
            assertTold(lines.subList(0, healthy), lines.subList(healthy, lines.size()));

            cluster.comeBack();
            int before = program.lines().size();
            await().atMost(LIMIT)
                    .untilAsserted(
                            () ->
                                    assertThat(program.lines().stream().skip(before))
                                            .filteredOn(line -> line.contains("succeeded"))
                                            .extracting(line -> line.split("-\\d{14}")[0])
                                            .extracting(line -> line.substring(31))
                                            .contains("naming0", "selecting0", "large"));
        }
    }

    private static void assertTold(List<String> before, List<String> lines) {
        Map<String, Integer> byRun = new TreeMap<>();
        List<String> others = new ArrayList<>();
        for (String line : lines) {
            Matcher run = RUN.matcher(line);
            if (run.matches()) {
                byRun.merge(run.group(1), 1, Integer::sum);
            } else {
                others.add(line);
            }
        }
        before.stream()
                .map(RUN::matcher)
                .filter(Matcher::matches)
                .forEach(m -> byRun.remove(m.group(1)));
        assertThat(byRun)
                .hasSizeGreaterThan(100)
                .allSatisfy(
                        (run, count) ->
                                assertThat(count)
                                        .isLessThanOrEqualTo(
                                                LINES_PER_RUN
                                                        + LINES_PER_CLAIM
                                                                * (run.startsWith("large")
                                                                        ? LARGE
                                                                        : 1)));
        assertThat(others).hasSizeLessThanOrEqualTo(LINES_OF_THE_API);
    }

    private static void awaitRuns(PackagedProgram program) {
        int soFar = runs(program);
        await().atMost(LIMIT).until(() -> runs(program) >= soFar + 2 * NAMING);
    }

    /** How many runs have ended without a success. */
    private static int runs(PackagedProgram program) {
        return (int) program.lines().stream().filter(line -> line.contains(": failed, ")).count();
    }

    /** What lives after a full garbage collection: the number of some objects, and all bytes. */
    private static Map<String, Long> live(PackagedProgram program) throws IOException {
        Process jcmd =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                                Long.toString(program.pid()),
                                "GC.class_histogram")
                        .redirectErrorStream(true)
                        .start();
        String text = new String(jcmd.getInputStream().readAllBytes());
        Map<String, Long> live = new TreeMap<>();
        for (String line : text.lines().toList()) {
            Matcher row = ROW.matcher(line);
            if (!row.matches() || row.group(3).equals(FILLERS)) {
                continue;
            }
            live.merge(BYTES, Long.parseLong(row.group(2)), Long::sum);
            if (row.group(3).startsWith("io.volumesnapshotter")
                    || row.group(3).equals(EXCHANGE)
                    || row.group(3).equals(THREAD)) {
                live.put(row.group(3), Long.parseLong(row.group(1)));
            }
        }
        return live;
    }

    private static SimulatedCluster cluster() {
        SimulatedCluster cluster = SimulatedCluster.start();
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        IntStream.range(0, LARGE)
                .forEach(i -> cluster.claim(NAMESPACE, "c" + i, Map.of("tier", "gold")));
        return cluster;
    }

    private PackagedProgram start(SimulatedCluster cluster) throws IOException {
        Path routes = Files.createDirectory(directory.resolve("routes"));
        TestRoutes.copyTo(routes);
        Files.delete(routes.resolve("hourly" + RouteFiles.SUFFIX));
        TestRoutes.retryQuickly(routes);
        for (int i = 0; i < NAMING; i++) {
            TestRoutes.schedule(routes, "naming" + i, "claims: c" + i % LARGE);
        }
        for (int i = 0; i < SELECTING; i++) {
            TestRoutes.schedule(routes, "selecting" + i, "claim-selector: tier=gold");
        }
        String all =
                IntStream.range(0, LARGE).mapToObj(i -> "c" + i).collect(Collectors.joining(","));
        TestRoutes.schedule(routes, "large", "claims: " + all);
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG",
                cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("SNAPSHOTTER_ROUTES", routes.toString());
        environment.put("SNAPSHOTTER_SCHEDULE", "* * * * * ?");
        environment.put("SNAPSHOTTER_READY_TIMEOUT", "1s");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "500ms");
        return PackagedProgram.start(directory, environment);
    }
}
