package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Cuts the program off at every boundary of every request of a run, which to the cluster is the
 * same as a kill -9 there, and starts another one. After the next run the cluster holds what an
 * undisturbed program would have left.
 */
class CrashTest {

    private static final Instant SEVEN = Instant.parse("2026-11-22T07:00:00Z");
    private static final Instant EIGHT = Instant.parse("2026-11-22T08:00:00Z");
    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");

    /**
     * A run that is cut off and the one after it.
     *
     * @param claims its claims
     * @param settings beside those that all have
     * @param keepLast how many stay
     * @param quota of the namespace, which is full before, 0 for none; else there are as many
     *     before as stay
     * @param madeUp whether both runs are made up for the same fire time, as after a start
     * @param requests what it sends when nothing happens; when the first look comes too early, it
     *     sends another list
     */
    private record Scenario(
            String name,
            List<String> claims,
            Map<String, String> settings,
            int keepLast,
            int quota,
            boolean madeUp,
            List<String> requests) {

        @Override
        public String toString() {
            return name;
        }
    }

    private static final List<Scenario> SCENARIOS =
            List.of(
                    new Scenario(
                            "claims are named",
                            List.of("data", "db"),
                            Map.of("snapshotter.claims", "data,db"),
                            1,
                            0,
                            false,
                            List.of("create", "create", "list", "list", "delete", "delete")),
                    new Scenario(
                            "claims are selected, the run is made up",
                            List.of("data", "db"),
                            Map.of("snapshotter.claim-selector", "tier=gold"),
                            1,
                            0,
                            true,
                            List.of(
                                    "list", "list", "create", "create", "list", "list", "delete",
                                    "delete")),
                    new Scenario(
                            "the quota is full",
                            List.of("data"),
                            Map.of("snapshotter.claims", "data"),
                            2,
                            3,
                            false,
                            List.of(
                                    "create", "list", "delete", "list", "create", "list", "list",
                                    "delete")));

    @TempDir private static Path routes;

    /** What is cut off notices that soon: it does not wait long before it tries again. */
    @BeforeAll
    static void quickRoutes() throws IOException {
        TestRoutes.copyTo(routes);
        TestRoutes.retryQuickly(routes);
    }

    static Stream<Arguments> boundaries() {
        return SCENARIOS.stream()
                .flatMap(
                        scenario ->
                                IntStream.rangeClosed(1, scenario.requests().size())
                                        .boxed()
                                        .flatMap(
                                                n ->
                                                        boundaries(n)
                                                                .map(
                                                                        b ->
                                                                                Arguments.of(
                                                                                        scenario, n,
                                                                                        b))));
    }

    /** In a small test each request is cut off at one of its boundaries, each in its turn. */
    private static Stream<Boundary> boundaries(int request) {
        Boundary[] all = Boundary.values();
        return Scale.WHOLE ? Stream.of(all) : Stream.of(all[request % all.length]);
    }

    @ParameterizedTest(name = "{0}: request {1}, {2}")
    @MethodSource("boundaries")
    void theNextRunLeavesWhatAnUndisturbedOneWould(
            Scenario scenario, int number, Boundary boundary) {
        try (SimulatedCluster cluster = cluster(scenario)) {
            try (Program before = start(cluster, scenario)) {
                crashAt(number, boundary, cluster, before, scenario);
            }
            await().until(
                            () ->
                                    cluster.snapshots(NAMESPACE).stream()
                                            .noneMatch(s -> s.terminating() || !s.ready()));
            List<SimulatedSnapshot> left = cluster.snapshots(NAMESPACE);
            assertThat(left)
                    .describedAs("a good copy of each claim is there all the time")
                    .extracting(SimulatedSnapshot::claim)
                    .containsAll(scenario.claims());
            Instant next = scenario.madeUp() ? TEN : ELEVEN;
            try (Program after = start(cluster, scenario)) {
                run(after, next, scenario);
                assertThat(after.told(Level.ERROR)).isEmpty();
            }
            List<String> kept =
                    scenario.claims().stream()
                            .flatMap(claim -> newest(scenario.keepLast(), claim, left, next))
                            .toList();
            await().untilAsserted(
                            () ->
                                    assertThat(cluster.snapshots(NAMESPACE))
                                            .extracting(SimulatedSnapshot::name)
                                            .containsExactlyInAnyOrderElementsOf(kept));
        }
    }

    /** The names of a claim's newest snapshots, of those that are there and one of a next run. */
    private static Stream<String> newest(
            int count, String claim, List<SimulatedSnapshot> left, Instant next) {
        return Stream.concat(
                        left.stream()
                                .filter(snapshot -> snapshot.claim().equals(claim))
                                .map(SimulatedSnapshot::name),
                        Stream.of(SnapshotNames.snapshot(claim, "hourly", next)))
                .distinct()
                .sorted(Comparator.reverseOrder())
                .limit(count);
    }

    private static SimulatedCluster cluster(Scenario scenario) {
        SimulatedCluster cluster = SimulatedCluster.start();
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        if (scenario.quota() > 0) {
            cluster.quota(NAMESPACE, scenario.quota());
        }
        for (String claim : scenario.claims()) {
            cluster.claim(NAMESPACE, claim, Map.of("tier", "gold"));
            Stream.of(NINE, EIGHT, SEVEN)
                    .limit(Math.max(scenario.keepLast(), scenario.quota()))
                    .forEach(due -> earlier(cluster, claim, due));
        }
        return cluster;
    }

    private static void earlier(SimulatedCluster cluster, String claim, Instant due) {
        String name = SnapshotNames.snapshot(claim, "hourly", due);
        Map<String, String> labels =
                SnapshotLabels.of(
                        name, "hourly", SnapshotNames.run("hourly", due), Program.INSTALLATION);
        cluster.snapshot(NAMESPACE, name, claim, labels, due);
    }

    private Program start(SimulatedCluster cluster, Scenario scenario) {
        Map<String, String> settings = new HashMap<>(scenario.settings());
        settings.put("snapshotter.routes", routes.toString());
        settings.put("snapshotter.keep-last", Integer.toString(scenario.keepLast()));
        settings.put("snapshotter.starting-deadline", "300d");
        settings.put("snapshotter.poll-interval", "300ms");
        settings.put("snapshotter.max-poll-interval", "300ms");
        return Program.start(cluster, settings);
    }

    private static void run(Program program, Instant due, Scenario scenario) {
        if (scenario.madeUp()) {
            program.makeUp(due);
        } else {
            program.fire(due);
        }
    }

    private static void crashAt(
            int number,
            Boundary boundary,
            SimulatedCluster cluster,
            Program program,
            Scenario scenario) {
        String token = cluster.token();
        AtomicInteger seen = new AtomicInteger();
        String verb = scenario.requests().get(number - 1);
        long ofVerb = scenario.requests().stream().limit(number).filter(verb::equals).count();
        Faults.Fault cut =
                cluster.faults()
                        .hook(
                                boundary,
                                request -> request.is(verb) && seen.incrementAndGet() == ofVerb,
                                1,
                                request -> cluster.rotateToken());
        CompletableFuture<Void> run = Program.later(() -> run(program, TEN, scenario));
        await().until(() -> !cluster.token().equals(token) || run.isDone());
        run.join();
        assertThat(cut.hits()).isEqualTo(1);
        cut.cancel();
    }
}
