package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Storage is asked for no more at a time than it is meant to be, by whatever schedules. */
class StorageLimitsTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final List<String> CLAIMS = List.of("a", "b", "c", "d", "e", "f");

    @TempDir private Path routes;

    @AutoClose
    private final SimulatedCluster cluster =
            SimulatedCluster.withClaims(CLAIMS.toArray(String[]::new));

    private AtomicInteger mostAtATime(Predicate<SimulatedSnapshot> what) {
        AtomicInteger most = new AtomicInteger();
        cluster.watch(
                (before, now) -> {
                    int number = (int) cluster.snapshots(NAMESPACE).stream().filter(what).count();
                    most.accumulateAndGet(number, Math::max);
                });
        return most;
    }

    private void seed(String claim, int hour) {
        Instant due = TEN.minus(Duration.ofHours(hour));
        String name = SnapshotNames.snapshot(claim, "hourly", due);
        String run = SnapshotNames.run("hourly", due);
        cluster.snapshot(
                NAMESPACE,
                name,
                claim,
                SnapshotLabels.of(name, "hourly", run, Program.INSTALLATION),
                due);
    }

    private long terminating() {
        return cluster.snapshots(NAMESPACE).stream().filter(SimulatedSnapshot::terminating).count();
    }

    @Test
    void twoSchedulesTogetherTakeNoMoreAtATimeOfAClass() throws Exception {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "nightly", "claims: d,e,f");
        cluster.driver().readyAfter(Duration.ofMillis(300));
        AtomicInteger most = mostAtATime(snapshot -> !snapshot.ready());
        try (Program program =
                Program.of(cluster)
                        .routes(routes)
                        .with("claims", "a,b,c")
                        .with("creations-per-storage-class", "2")
                        .start()) {
            CompletableFuture<Void> nightly = Program.later(() -> program.fire("nightly", TEN));
            program.fire(TEN);
            nightly.join();
            assertThat(program.told(Level.INFO))
                    .contains(
                            "hourly-20261122100000: succeeded, 3 of 3 ready",
                            "nightly-20261122100000: succeeded, 3 of 3 ready");
        }
        assertThat(most).hasValue(2);
    }

    @Test
    void aClassThatIsFullHoldsUpNoOther() throws Exception {
        TestRoutes.copyTo(routes);
        cluster.snapshotClass("fast", SimulatedCluster.DRIVER, false, "Delete");
        TestRoutes.schedule(routes, "nightly", "claims: d,e", "snapshot-class-name: fast");
        List.of("a", "b", "c").forEach(claim -> cluster.driver().neverReady(claim));
        try (Program program =
                Program.of(cluster)
                        .routes(routes)
                        .with("claims", "a,b,c")
                        .with("creations-per-storage-class", "1")
                        .start()) {
            CompletableFuture<Void> hourly = program.fireLater(TEN);
            await().until(() -> cluster.snapshots(NAMESPACE).size() == 1);
            program.fire("nightly", TEN);
            assertThat(program.told(Level.INFO))
                    .contains("nightly-20261122100000: succeeded, 2 of 2 ready");
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(3);
            cluster.driver().heal();
            hourly.join();
        }
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(5);
    }

    @Test
    void whatNeverBecomesReadyGivesItsRoomBackWhenItHasFailed() {
        cluster.driver().fails("a", "rpc error: code = InvalidArgument desc = no snapshots");
        try (Program program =
                Program.of(cluster)
                        .with("claims", "a,b")
                        .with("creations-per-storage-class", "1")
                        .start()) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .contains("hourly-20261122100000: failed, 1 of 2 ready, failed: apps/a");
        }
    }

    @Test
    void noMoreAreDeletedAtATimeThanAllowedAndTheRestFollows() {
        CLAIMS.forEach(claim -> seed(claim, 1));
        cluster.driver().holdDeletions();
        AtomicInteger most = mostAtATime(SimulatedSnapshot::terminating);
        try (Program program =
                Program.of(cluster)
                        .with("claims", String.join(",", CLAIMS))
                        .with("deletions-per-storage-class", "2")
                        .start()) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> terminating() == 2 && cluster.log().count("get") > 2);
            assertThat(most).hasValue(2);
            cluster.driver().releaseDeletions();
            run.join();
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 6 of 6 ready");
        }
        assertThat(cluster.kept(NAMESPACE)).hasSize(6).allMatch(name -> name.endsWith("100000"));
    }

    @Test
    void whatThereIsNoTimeForIsLeftToTheNextRun() {
        CLAIMS.forEach(claim -> seed(claim, 1));
        cluster.driver().holdDeletions();
        try (Program program =
                Program.of(cluster)
                        .with("claims", String.join(",", CLAIMS))
                        .with("deletions-per-storage-class", "2")
                        .start()) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> terminating() == 2);
            program.pass(Duration.ofDays(1));
            run.join();
            assertThat(program.told(Level.INFO))
                    .contains(
                            "hourly-20261122100000: succeeded, 6 of 6 ready",
                            "hourly-20261122100000: the next run goes on deleting: 2 snapshots of"
                                    + " class csi-hostpath-snapclass are being deleted already");
            cluster.driver().releaseDeletions();
            program.fire(TEN.plus(Duration.ofHours(1)));
        }
        await().untilAsserted(
                        () ->
                                assertThat(cluster.kept(NAMESPACE))
                                        .hasSize(6)
                                        .allMatch(name -> name.endsWith("110000")));
    }
}
