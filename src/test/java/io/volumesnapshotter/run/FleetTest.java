package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One schedule over a thousand claims. */
class FleetTest {

    private static final int CLAIMS = 1000;
    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Set<String> REFUSED = names(0, 5);
    private static final Set<String> BROKEN = names(500, 505);

    private SimulatedCluster cluster;

    @BeforeEach
    void startCluster() {
        cluster = SimulatedCluster.start();
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
    }

    @AfterEach
    void stopCluster() {
        cluster.close();
    }

    @Test
    void aSteadyRunCostsLittleMoreThanTwoRequestsPerClaim() {
        claimsWithAnOldSnapshot(CLAIMS);
        try (Program program = start(Map.of())) {
            awaitPreflight(program);
            cluster.log().clear();
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 1000 of 1000 ready");
        }
        assertThat(cluster.log().total()).isLessThanOrEqualTo(CLAIMS * 21 / 10);
        assertThat(cluster.log().count("delete")).isEqualTo(CLAIMS);
        awaitOnly(CLAIMS, "hourly-20261122100000");
    }

    @Test
    void nobodyWaitsForTheFewWhoseCreationFails() {
        claimsWithAnOldSnapshot(CLAIMS);
        cluster.faults()
                .answer(
                        creates(REFUSED),
                        Faults.ALWAYS,
                        ApiAnswer.status(422, "Invalid", "a webhook does not like it"));
        cluster.faults()
                .answer(
                        creates(BROKEN),
                        Faults.ALWAYS,
                        ApiAnswer.status(500, "InternalError", "etcd has a hiccup"));
        try (Program program = start(Map.of())) {
            program.fire(TEN);
            Predicate<String> ofClaim = line -> line.contains(": take-snapshot failed");
            assertThat(program.told(Level.ERROR).stream().filter(ofClaim))
                    .hasSize(10)
                    .allMatch(line -> line.contains("webhook") || line.contains("hiccup"));
            assertThat(program.told(Level.ERROR))
                    .hasSize(11)
                    .last()
                    .asString()
                    .startsWith("hourly-20261122100000: failed, 990 of 1000 ready, failed: ");
        }
        List<RequestLog.Entry> entries = cluster.log().entries();
        int lastTry = last(entries, e -> e.code() == 500);
        assertThat(last(entries, e -> e.verb().equals("create") && e.code() == 201))
                .describedAs("the last creation comes before the last try of those that fail")
                .isLessThan(lastTry);
        assertThat(last(entries, e -> e.verb().equals("delete")))
                .describedAs("the last deletion, too")
                .isLessThan(lastTry);
        assertThat(cluster.log().count("delete")).isEqualTo(CLAIMS - 10);
        assertThat(stay())
                .filteredOn(s -> s.name().endsWith("hourly-20261122090000"))
                .extracting(SimulatedSnapshot::claim)
                .containsExactlyInAnyOrderElementsOf(
                        Stream.concat(REFUSED.stream(), BROKEN.stream()).toList());
    }

    @Test
    void aBurstThatStorageWorksOffSlowlyIsNoFailure() {
        claims(CLAIMS);
        cluster.driver().snapshotsPerSecond(100).neverReady("claim-0001");
        try (Program program = start(Map.of("ready-timeout", "3s", "max-poll-interval", "500ms"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .hasSize(2)
                    .first()
                    .asString()
                    .contains("claim-0001: await-ready failed", "not ready within 3s");
            assertThat(program.told(Level.ERROR))
                    .last()
                    .asString()
                    .contains("999 of 1000 ready, failed: apps/claim-0001");
            List<String> story = program.told(Level.INFO);
            assertThat(index(story, "claim-0001: await-ready failed"))
                    .describedAs("its deadline is its own: it fails while others still start")
                    .isLessThan(index(story, "claim-0999: ready"));
        }
    }

    @ParameterizedTest(name = "concurrency {0}, jitter \"{1}\"")
    @CsvSource({"4,", "4, 1s", "1, 200ms", "30,"})
    void noMoreCreationsAreUnderWayThanTheScheduleAllows(int concurrency, String jitter) {
        claims(200);
        AtomicInteger underWay = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger tries = new AtomicInteger();
        cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        FleetTest::isCreation,
                        Faults.ALWAYS,
                        request -> most.accumulateAndGet(underWay.incrementAndGet(), Math::max));
        cluster.faults()
                .delay(
                        Boundary.ARRIVED,
                        FleetTest::isCreation,
                        Faults.ALWAYS,
                        Duration.ofMillis(20));
        cluster.faults()
                .hook(
                        Boundary.CARRIED_OUT,
                        FleetTest::isCreation,
                        Faults.ALWAYS,
                        request -> underWay.decrementAndGet());
        // Those that are sent again count, too.
        cluster.faults()
                .answerAfterwards(
                        request -> isCreation(request) && tries.incrementAndGet() % 4 == 0,
                        50,
                        ApiAnswer.status(500, "InternalError", "etcd has a hiccup"));
        Map<String, String> settings = new HashMap<>();
        settings.put("concurrency", Integer.toString(concurrency));
        settings.put("starting-deadline", "1s");
        if (jitter != null) {
            settings.put("jitter", jitter);
        }
        try (Program program = start(settings)) {
            program.fire(Instant.now());
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        assertThat(most.get()).isBetween(Math.min(2, concurrency), concurrency);
    }

    private Program start(Map<String, String> settings) {
        Map<String, String> named = new HashMap<>();
        named.put("snapshotter.claims", "*");
        settings.forEach((name, value) -> named.put("snapshotter." + name, value));
        return Program.start(cluster, named);
    }

    private static Set<String> names(int from, int to) {
        return IntStream.range(from, to).mapToObj(FleetTest::name).collect(Collectors.toSet());
    }

    private static String name(int number) {
        return "claim-%04d".formatted(number);
    }

    private void claims(int number) {
        IntStream.range(0, number).forEach(i -> cluster.claim(NAMESPACE, name(i)));
    }

    private void claimsWithAnOldSnapshot(int number) {
        claims(number);
        for (int i = 0; i < number; i++) {
            String snapshot = SnapshotNames.snapshot(name(i), "hourly", NINE);
            cluster.snapshot(
                    NAMESPACE,
                    snapshot,
                    name(i),
                    SnapshotLabels.of(
                            snapshot,
                            "hourly",
                            SnapshotNames.run("hourly", NINE),
                            Program.INSTALLATION),
                    NINE);
        }
    }

    private static boolean isCreation(ApiRequest request) {
        return request.is("create", "volumesnapshots");
    }

    private static Predicate<ApiRequest> creates(Set<String> claims) {
        return request ->
                isCreation(request)
                        && claims.stream()
                                .anyMatch(c -> request.objectName().startsWith(c + "-hourly"));
    }

    private static int last(List<RequestLog.Entry> entries, Predicate<RequestLog.Entry> which) {
        return IntStream.range(0, entries.size())
                .filter(i -> which.test(entries.get(i)))
                .max()
                .orElseThrow();
    }

    private static int index(List<String> lines, String words) {
        return IntStream.range(0, lines.size())
                .filter(i -> lines.get(i).contains(words))
                .findFirst()
                .orElseThrow();
    }

    private List<SimulatedSnapshot> stay() {
        return cluster.snapshots(NAMESPACE).stream().filter(s -> !s.terminating()).toList();
    }

    private void awaitOnly(int number, String run) {
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(NAMESPACE))
                                        .hasSize(number)
                                        .allMatch(SimulatedSnapshot::ready)
                                        .allMatch(s -> s.name().endsWith(run)));
    }

    private static void awaitPreflight(Program program) {
        await().until(
                        () ->
                                program.told(Level.INFO).stream()
                                        .anyMatch(line -> line.startsWith("ready:")));
    }
}
