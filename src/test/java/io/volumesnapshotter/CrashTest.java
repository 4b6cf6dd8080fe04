package io.volumesnapshotter;

import static io.volumesnapshotter.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Cuts the program off at every boundary of every request of a run, which to the cluster is the
 * same as a kill -9 there, and starts another one. After the next run the cluster holds what an
 * undisturbed program would have left.
 */
class CrashTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");

    /** What an undisturbed run sends, with a first look that is late enough to see all ready. */
    private static final List<String> REQUESTS =
            List.of("create", "create", "list", "list", "delete", "delete");

    static Stream<Arguments> boundaries() {
        return IntStream.rangeClosed(1, REQUESTS.size())
                .boxed()
                .flatMap(n -> Stream.of(Boundary.values()).map(b -> Arguments.of(n, b)));
    }

    @ParameterizedTest(name = "request {0}, {1}")
    @MethodSource("boundaries")
    void theNextRunLeavesWhatAnUndisturbedOneWould(int number, Boundary boundary) {
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            cluster.claim(NAMESPACE, "data");
            cluster.claim(NAMESPACE, "db");
            try (Program before = start(cluster)) {
                before.fire(NINE);
                awaitSnapshots(cluster, NINE);
                crashAt(number, boundary, cluster, before);
            }
            await().until(
                            () ->
                                    cluster.snapshots(NAMESPACE).stream()
                                            .allMatch(SimulatedSnapshot::ready));
            assertThat(cluster.snapshots(NAMESPACE))
                    .describedAs("a good copy of each claim is there all the time")
                    .extracting(SimulatedSnapshot::claim)
                    .contains("data", "db");
            try (Program after = start(cluster)) {
                after.fire(ELEVEN);
                assertThat(after.told(Level.ERROR)).isEmpty();
                awaitSnapshots(cluster, ELEVEN);
            }
        }
    }

    private static Program start(SimulatedCluster cluster) {
        return Program.start(
                cluster,
                Map.of(
                        "snapshotter.claims",
                        "data,db",
                        "snapshotter.poll-interval",
                        "500ms",
                        "snapshotter.max-poll-interval",
                        "500ms"));
    }

    private static void crashAt(
            int number, Boundary boundary, SimulatedCluster cluster, Program program) {
        String token = cluster.token();
        AtomicInteger seen = new AtomicInteger();
        AtomicReference<String> verb = new AtomicReference<>();
        Faults.Fault cut =
                cluster.faults()
                        .hook(
                                boundary,
                                request -> seen.incrementAndGet() == number,
                                1,
                                request -> {
                                    verb.set(request.verb());
                                    cluster.rotateToken();
                                });
        CompletableFuture<Void> run = program.fireLater(TEN);
        await().until(() -> !cluster.token().equals(token) || run.isDone());
        assertThat(verb.get()).isEqualTo(REQUESTS.get(number - 1));
        run.join();
        cut.cancel();
    }

    private static void awaitSnapshots(SimulatedCluster cluster, Instant dueTime) {
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(NAMESPACE))
                                        .extracting(SimulatedSnapshot::name)
                                        .containsExactlyInAnyOrderElementsOf(
                                                List.of(
                                                        Names.snapshot("data", "hourly", dueTime),
                                                        Names.snapshot("db", "hourly", dueTime))));
    }
}
