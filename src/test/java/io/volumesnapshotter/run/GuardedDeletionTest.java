package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** No order of events loses a good snapshot that nothing stands for. */
class GuardedDeletionTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant NINE = TEN.minusSeconds(3600);
    private static final Instant EIGHT = TEN.minusSeconds(7200);

    private SimulatedCluster cluster;

    @BeforeEach
    void startCluster() {
        cluster = SimulatedCluster.start();
        cluster.claim(NAMESPACE, "data");
    }

    @AfterEach
    void stopCluster() {
        cluster.close();
    }

    private void seed(Instant due) {
        seed(Program.INSTALLATION, due);
    }

    private void seed(String installation, Instant due) {
        String name = name(due);
        cluster.snapshot(
                NAMESPACE,
                name,
                "data",
                SnapshotLabels.of(name, "hourly", SnapshotNames.run("hourly", due), installation),
                due);
    }

    private static String name(Instant due) {
        return SnapshotNames.snapshot("data", "hourly", due);
    }

    private static Program start(SimulatedCluster cluster, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>();
        settings.forEach((name, value) -> all.put("snapshotter." + name, value));
        all.putIfAbsent("snapshotter.claims", "data");
        return Program.start(cluster, all);
    }

    private void atFirst(Consumer<ApiRequest> what, String verb, String name) {
        cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        request ->
                                request.is(verb, "volumesnapshots") && request.name().equals(name),
                        1,
                        what::accept);
    }

    private void deleteByHand(String name) {
        cluster.admin()
                .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                .inNamespace(NAMESPACE)
                .withName(name)
                .delete();
    }

    @Test
    void neitherOfTwoStaleOnesGoesWhenTheNewOneVanishesWhileTheFirstIsSentAgain() {
        seed(EIGHT);
        seed(NINE);
        atFirst(
                any -> {
                    deleteByHand(name(TEN));
                    throw new IllegalStateException("etcd lost its leader");
                },
                "delete",
                name(EIGHT));
        try (Program program = start(cluster, Map.of())) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .contains("hourly-20261122100000: failed, 0 of 1 ready, failed: apps/data");
        }
        assertThat(cluster.kept(NAMESPACE)).contains(name(NINE));
    }

    @Test
    void aHoldThatIsPutOnRightBeforeTheDeletionIsRespected() {
        seed(NINE);
        atFirst(
                any ->
                        cluster.admin()
                                .genericKubernetesResources(
                                        "snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                                .inNamespace(NAMESPACE)
                                .withName(name(NINE))
                                .edit(
                                        snapshot -> {
                                            snapshot.getMetadata()
                                                    .setAnnotations(
                                                            Map.of(
                                                                    "volume-snapshotter/hold",
                                                                    "true"));
                                            return snapshot;
                                        }),
                "delete",
                name(NINE));
        try (Program program = start(cluster, Map.of())) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .contains("hourly-20261122100000 apps/data: left " + name(NINE) + ": held");
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 1 of 1 ready");
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly(name(NINE), name(TEN));
    }

    @Test
    void suspendingAScheduleStopsItsDeletionsAtOnce() {
        seed(EIGHT);
        seed(NINE);
        AtomicReference<Program> running = new AtomicReference<>();
        atFirst(
                any ->
                        running.get()
                                .context()
                                .getComponent("policy", PolicyComponent.class)
                                .registry()
                                .suspend("hourly", true),
                "delete",
                name(EIGHT));
        try (Program program = start(cluster, Map.of())) {
            running.set(program);
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .contains(
                            "hourly-20261122100000: nothing more is deleted: the schedule was"
                                    + " suspended, stopped or removed");
        }
        assertThat(cluster.kept(NAMESPACE)).contains(name(NINE), name(TEN));
    }

    @Test
    void suspendingAScheduleWhileItTakesSnapshotsGivesTheRunUpInOneLine() {
        cluster.claim(NAMESPACE, "db");
        AtomicReference<Program> running = new AtomicReference<>();
        atFirst(
                any ->
                        running.get()
                                .context()
                                .getComponent("policy", PolicyComponent.class)
                                .registry()
                                .suspend("hourly", true),
                "create",
                "");
        Map<String, String> oneByOne = Map.of("claims", "data,db", "concurrency", "1");
        try (Program program = start(cluster, oneByOne)) {
            running.set(program);
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .filteredOn(line -> line.contains("given up"))
                    .isNotEmpty();
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        assertThat(cluster.kept(NAMESPACE)).hasSize(1);
    }

    @Test
    void aFireThatWaitedBehindARunDoesNothingOnceTheScheduleIsSuspended() {
        seed(NINE);
        cluster.driver().neverReady();
        try (Program program = start(cluster, Map.of())) {
            CompletableFuture<Void> first = program.fireLater(TEN);
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 1);
            CompletableFuture<Void> second = program.fireLater(TEN.plusSeconds(3600));
            await().until(GuardedDeletionTest::isTurnAwaited);
            program.context()
                    .getComponent("policy", PolicyComponent.class)
                    .registry()
                    .suspend("hourly", true);
            cluster.driver().heal();
            first.join();
            second.join();
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isEqualTo(1);
        assertThat(cluster.kept(NAMESPACE)).containsExactly(name(NINE), name(TEN));
    }

    private static boolean isTurnAwaited() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Arrays::stream)
                .anyMatch(frame -> frame.getClassName().equals(Turns.class.getName()));
    }

    @Test
    void whatCouldNotBeAskedForInTimeIsNotAskedForLater() {
        cluster.claim(NAMESPACE, "db");
        AtomicReference<Program> running = new AtomicReference<>();
        atFirst(any -> running.get().pass(Duration.ofHours(1)), "create", "");
        try (Program program = start(cluster, Map.of("claims", "data,db", "concurrency", "1"))) {
            running.set(program);
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .anyMatch(line -> line.contains(SnapshotJudge.UNASKED));
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isEqualTo(1);
    }

    @Test
    void twoInstallationsWithOneScheduleNameKeepTheirOwn() {
        seed("other.snapshotter", EIGHT);
        seed("other.snapshotter", NINE);
        seed("other.snapshotter", TEN);
        try (Program program = start(cluster, Map.of())) {
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 1 of 1 ready");
        }
        String ours = SnapshotNames.snapshot("data", "hourly", TEN, Program.INSTALLATION);
        assertThat(cluster.kept(NAMESPACE))
                .containsExactlyInAnyOrder(name(EIGHT), name(NINE), name(TEN), ours);
    }

    @Test
    void theLastCopyOfAVolumeStaysWhenItsClaimIsMadeAnewBeforeTheCreation() {
        String uid = seedOfPresentClaim();
        mayListClaims();
        atFirst(any -> makeClaimAnew(), "create", "");
        try (Program program = start(cluster, Map.of("claims", "*"))) {
            program.fire(TEN);
        }
        assertThat(claimUid()).isNotEqualTo(uid);
        assertThat(cluster.kept(NAMESPACE)).contains(name(NINE), name(TEN));
    }

    @Test
    void theLastCopyOfAVolumeStaysWhenItsClaimIsMadeAnewAfterTheCreation() {
        String uid = seedOfPresentClaim();
        mayListClaims();
        cluster.faults()
                .hook(
                        Boundary.CARRIED_OUT,
                        request -> request.is("create", "volumesnapshots"),
                        1,
                        any -> {
                            cluster.clock(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(3)));
                            makeClaimAnew();
                        });
        try (Program program = start(cluster, Map.of("claims", "*"))) {
            program.fire(TEN);
        }
        assertThat(claimUid()).isNotEqualTo(uid);
        assertThat(cluster.kept(NAMESPACE)).contains(name(NINE), name(TEN));
    }

    @Test
    void aClaimThatIsOnlyReadIsReadAgainRightBeforeItsSnapshotIsCreated() {
        seedOfPresentClaim();
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get");
        AtomicReference<Program> running = new AtomicReference<>();
        atFirst(
                any -> {
                    running.get().pass(Duration.ofSeconds(10));
                    makeClaimAnew();
                    throw new IllegalStateException("etcd lost its leader");
                },
                "create",
                "");
        try (Program program = start(cluster, Map.of("read-claims", "true"))) {
            running.set(program);
            program.fire(TEN);
        }
        assertThat(cluster.snapshots(NAMESPACE))
                .filteredOn(snapshot -> snapshot.name().equals(name(TEN)))
                .singleElement()
                .satisfies(
                        snapshot ->
                                assertThat(snapshot.annotations())
                                        .containsEntry(Snapshot.CLAIM_UID, claimUid()));
        assertThat(cluster.kept(NAMESPACE)).contains(name(NINE), name(TEN));
    }

    @Test
    void aClaimThatIsOnlyReadAndGoneBeforeItsCreationFailsAtOnce() {
        seedOfPresentClaim();
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get");
        AtomicReference<Program> running = new AtomicReference<>();
        atFirst(
                any -> {
                    running.get().pass(Duration.ofSeconds(10));
                    cluster.withoutClaim(NAMESPACE, "data");
                    throw new IllegalStateException("etcd lost its leader");
                },
                "create",
                "");
        try (Program program = start(cluster, Map.of("read-claims", "true"))) {
            running.set(program);
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .anyMatch(
                            line ->
                                    line.contains(
                                            "the claim was deleted before its snapshot was asked"
                                                    + " for"));
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly(name(NINE));
    }

    /** Makes the snapshot of nine of the claim that is there, and returns that one's uid. */
    private String seedOfPresentClaim() {
        String uid = claimUid();
        seed(NINE);
        cluster.admin()
                .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                .inNamespace(NAMESPACE)
                .withName(name(NINE))
                .edit(
                        snapshot -> {
                            snapshot.getMetadata().setAnnotations(Map.of(Snapshot.CLAIM_UID, uid));
                            return snapshot;
                        });
        return uid;
    }

    private void makeClaimAnew() {
        cluster.withoutClaim(NAMESPACE, "data");
        cluster.claim(NAMESPACE, "data");
    }

    private String claimUid() {
        KubernetesClient admin = cluster.admin();
        return admin.persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName("data")
                .get()
                .getMetadata()
                .getUid();
    }

    private void mayListClaims() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
    }

    @Test
    void whatAClaimIsBeingRestoredFromIsSparedAndSaidSo() {
        seed(EIGHT);
        seed(NINE);
        cluster.restoringClaim(NAMESPACE, "restored", name(NINE));
        mayListClaims();
        try (Program program = start(cluster, Map.of("claims", "*"))) {
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .contains(
                            "hourly-20261122100000 apps/data: kept "
                                    + name(NINE)
                                    + ", apps/restored is being restored from it");
        }
        await().atMost(LIMIT)
                .untilAsserted(
                        () ->
                                assertThat(cluster.kept(NAMESPACE))
                                        .containsExactly(name(NINE), name(TEN)));
    }

    @Test
    void aDriverThatIsFullGetsRoomBeyondWhatTheRulesKeep() {
        List.of(1, 2, 3, 4, 5, 6).forEach(hours -> seed(TEN.minusSeconds(3600L * hours)));
        cluster.driver()
                .holdsAtMost(6, "rpc error: code = ResourceExhausted desc = limit of 6 reached");
        try (Program program = start(cluster, Map.of("keep-last", "2"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 1 of 1 ready");
        }
        await().atMost(LIMIT)
                .untilAsserted(
                        () ->
                                assertThat(cluster.kept(NAMESPACE))
                                        .containsExactly(name(NINE), name(TEN)));
    }

    @Test
    void aDriverThatGivesAllSnapshotsOneDateLosesNone() {
        cluster.driver().stamps("2026-01-01T00:00:00Z");
        List.of(1, 2, 3).forEach(hours -> seed(TEN.minusSeconds(3600L * hours)));
        try (Program program = start(cluster, Map.of("keep-last", "4"))) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .singleElement()
                    .asString()
                    .startsWith(
                            "snapshot class csi-hostpath-snapclass: its driver says that "
                                    + name(TEN)
                                    + " was cut at 2026-01-01T00:00:00Z");
        }
        assertThat(cluster.kept(NAMESPACE)).hasSize(4);
    }

    @Test
    void aDeletionThatDoesNotEndIsToldAsAskedFor() {
        seed(EIGHT);
        cluster.driver().holdDeletions();
        deleteByHand(name(EIGHT));
        Duration later = SnapshotWarnings.SLOW_DELETION.plusMinutes(1);
        try (Program program = start(cluster, Map.of())) {
            program.pass(later);
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .anyMatch(
                            line ->
                                    line.contains("deletion of " + name(EIGHT) + " was asked for")
                                            && line.contains("has not ended"));
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains(": deleted "));
        }
        cluster.driver().releaseDeletions();
    }

    @Test
    void anErrorThatIsFinalButPassesIsToldAndTheSnapshotAdopted() {
        cluster.driver().fails("rpc error: code = InvalidArgument desc = volume is busy");
        try (Program program =
                start(cluster, Map.of("poll-interval", "1s", "max-poll-interval", "1s"))) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().atMost(LIMIT).until(() -> !program.told(Level.ERROR).isEmpty());
            cluster.driver().heal();
            await().atMost(LIMIT).until(run::isDone);
            assertThat(program.told(Level.ERROR))
                    .singleElement()
                    .asString()
                    .contains("volume is busy");
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 1 of 1 ready")
                    .anyMatch(line -> line.contains("recovered"));
        }
    }

    @Test
    void aThrottledDriverIsNoFinalError() {
        cluster.driver()
                .failsFor(
                        "data",
                        "rpc error: code = InvalidArgument desc = googleapi: Error 429",
                        Duration.ofMillis(300));
        try (Program program = start(cluster, Map.of("poll-interval", "200ms"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }
}
