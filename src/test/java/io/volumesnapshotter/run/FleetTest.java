package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One schedule over many claims. */
class FleetTest {

    private static final int CLAIMS = Scale.of(200, 1000);
    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Set<String> REFUSED = names(0, 5);
    private static final Set<String> BROKEN = names(100, 105);

    @TempDir private Path routes;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    @BeforeEach
    void startCluster() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
    }

    @Test
    void aSteadyRunCostsTwoRequestsPerClaimAndSomeLooksAtAllOfThem() {
        claimsWithAnOldSnapshot(CLAIMS);
        Instant begin;
        Instant end;
        try (Program program = start(Map.of("max-poll-interval", "1s"))) {
            cluster.log().clear();
            begin = Instant.now();
            program.fire(TEN);
            end = Instant.now();
            assertThat(program.told(Level.INFO))
                    .contains(
                            "hourly-20261122100000: succeeded, %1$d of %1$d ready"
                                    .formatted(CLAIMS));
        }
        long looks = cluster.log().count(FleetTest::isLook);
        assertThat(looks)
                .describedAs("less and less often, from 50 ms on")
                .isLessThanOrEqualTo(Duration.between(begin, end).toSeconds() + 10);
        assertThat(cluster.log().total())
                .describedAs("2.1 for each of a thousand claims")
                .isLessThanOrEqualTo(2 * CLAIMS + 100);
        assertThat(cluster.log().count("create")).isEqualTo(CLAIMS);
        assertThat(cluster.log().count("delete")).isEqualTo(CLAIMS);
        awaitOnly(CLAIMS, "hourly-20261122100000");
    }

    private static boolean isLook(RequestLog.Entry entry) {
        return entry.labelSelector().contains(SnapshotLabels.RUN + "=");
    }

    @Test
    void nobodyWaitsForTheFewWhoseCreationFails() throws Exception {
        TestRoutes.copyTo(routes);
        TestRoutes.retryQuickly(routes);
        claimsWithAnOldSnapshot(CLAIMS);
        int wellOnes = CLAIMS - REFUSED.size() - BROKEN.size();
        cluster.faults()
                .answer(
                        creates(REFUSED),
                        Faults.ALWAYS,
                        ApiAnswer.status(422, "Invalid", "a webhook does not like it"));
        AtomicInteger tries = new AtomicInteger();
        cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        creates(BROKEN).and(any -> tries.incrementAndGet() > BROKEN.size()),
                        Faults.ALWAYS,
                        request -> await().until(() -> cluster.log().count("delete") == wellOnes));
        cluster.faults()
                .answer(
                        creates(BROKEN),
                        Faults.ALWAYS,
                        ApiAnswer.status(500, "InternalError", "etcd has a hiccup"));
        // A request under way has its turn all the time.
        String concurrency = Integer.toString(BROKEN.size() + 3);
        try (Program program =
                start(Map.of("routes", routes.toString(), "concurrency", concurrency))) {
            program.context()
                    .getRegistry()
                    .findSingleByType(KubernetesClient.class)
                    .getConfiguration()
                    .setRequestTimeout((int) Patience.LIMIT.multipliedBy(2).toMillis());
            program.fire(TEN);
            Predicate<String> ofClaim = line -> line.contains(": take-snapshot failed");
            assertThat(program.told(Level.ERROR).stream().filter(ofClaim))
                    .hasSize(REFUSED.size() + BROKEN.size())
                    .allMatch(line -> line.contains("webhook") || line.contains("hiccup"));
            assertThat(program.told(Level.ERROR))
                    .hasSize(REFUSED.size() + BROKEN.size() + 1)
                    .last()
                    .asString()
                    .startsWith(
                            "hourly-20261122100000: failed, %d of %d ready, failed: "
                                    .formatted(wellOnes, CLAIMS));
        }
        assertThat(cluster.log().count("delete")).isEqualTo(wellOnes);
        assertThat(stay())
                .filteredOn(s -> s.name().endsWith("hourly-20261122090000"))
                .extracting(SimulatedSnapshot::claim)
                .containsExactlyInAnyOrderElementsOf(
                        Stream.concat(REFUSED.stream(), BROKEN.stream()).toList());
    }

    @Test
    void aCreationThatWaitsToBeSentAgainHoldsNoTurn() {
        claims(2);
        cluster.faults()
                .answer(FleetTest::isCreation, 1, ApiAnswer.status(500, "InternalError", "no"));
        try (Program program = start(Map.of("concurrency", "1"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        List<RequestLog.Entry> creations =
                cluster.log().entries(entry -> entry.verb().equals("create")).stream()
                        .filter(entry -> entry.resource().equals("volumesnapshots"))
                        .toList();
        assertThat(creations).extracting(RequestLog.Entry::code).containsExactly(500, 201, 201);
        assertThat(creations.get(2).name()).isEqualTo(creations.get(0).name());
    }

    @Test
    void aBurstThatStorageWorksOffSlowlyIsNoFailure() {
        String last = name(CLAIMS - 1);
        claims(CLAIMS);
        cluster.driver()
                .snapshotsPerSecond(100)
                .neverReady("claim-0001")
                .startsAfter(last, Duration.ofDays(1));
        try (Program program = start(Map.of("ready-timeout", "1s", "max-poll-interval", "500ms"))) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().alias("its deadline is its own: it fails while others still start")
                    .until(() -> !program.told(Level.ERROR).isEmpty());
            cluster.driver().startsAfter(last, Duration.ZERO);
            run.join();
            assertThat(program.told(Level.ERROR))
                    .hasSize(2)
                    .first()
                    .asString()
                    .contains("claim-0001: await-ready failed", "not ready within 1s");
            assertThat(program.told(Level.ERROR))
                    .last()
                    .asString()
                    .contains(
                            "%d of %d ready, failed: apps/claim-0001"
                                    .formatted(CLAIMS - 1, CLAIMS));
        }
    }

    @ParameterizedTest(name = "concurrency {0}, jitter \"{1}\"")
    @CsvSource({"4,", "4, 1s", "1, 200ms", "30,"})
    void noMoreCreationsAreUnderWayThanTheScheduleAllows(int concurrency, String jitter)
            throws IOException {
        claims(Scale.of(60, 200));
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
        TestRoutes.copyTo(routes);
        TestRoutes.retryQuickly(routes);
        Map<String, String> settings = new HashMap<>();
        settings.put("routes", routes.toString());
        settings.put("concurrency", Integer.toString(concurrency));
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
        return Program.of(cluster).with("claims", "*").with(settings).start();
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
}
