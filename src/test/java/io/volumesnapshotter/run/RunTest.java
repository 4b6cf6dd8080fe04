package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.volumesnapshotter.routes.RouteFiles;
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
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a run of the shipped routes leaves in the cluster, and what it tells. */
class RunTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");

    @AutoClose
    private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db", "media");

    @Test
    void takesASnapshotOfEachClaimAndThenDeletesTheOlderOnes() {
        seed("data", NINE);
        seed("db", NINE);
        try (Program program = Program.start(cluster, "data,db,media")) {
            program.fire(TEN);
            awaitSnapshots(
                    "data-hourly-20261122100000",
                    "db-hourly-20261122100000",
                    "media-hourly-20261122100000");
            assertThat(program.told(Level.WARN)).isEmpty();
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 3 of 3 ready");
        }
    }

    @Test
    void labelsWhatItTakes() {
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(cluster.snapshots(NAMESPACE).get(0).labels())
                    .containsExactlyInAnyOrderEntriesOf(
                            Map.of(
                                    "job", "volume-snapshotter",
                                    "name", "data-hourly-20261122100000",
                                    "app.kubernetes.io/managed-by", "volume-snapshotter",
                                    "volume-snapshotter/schedule", "hourly",
                                    "volume-snapshotter/run", "hourly-20261122100000",
                                    "volume-snapshotter/installation", Program.INSTALLATION));
        }
    }

    @Test
    void aClaimWithALongNameGetsItsSnapshotToo() {
        String claim = "a".repeat(253);
        cluster.claim(NAMESPACE, claim);
        try (Program program = Program.start(cluster, claim)) {
            program.fire(TEN);
            SimulatedSnapshot snapshot = cluster.snapshots(NAMESPACE).get(0);
            assertThat(snapshot.claim()).isEqualTo(claim);
            assertThat(snapshot.labels()).doesNotContainKey("name");
        }
    }

    @Test
    void setsTheSnapshotClassOnlyWhenOneIsNamed() {
        cluster.snapshotClass("gold", SimulatedCluster.DRIVER, false, "Delete");
        try (Program program =
                Program.start(
                        cluster,
                        Map.of(
                                "snapshotter.claims", "data",
                                "snapshotter.snapshot-class-name", "gold"))) {
            program.fire(TEN);
        }
        try (Program program = Program.start(cluster, "db")) {
            program.fire(TEN);
        }
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .extracting(SimulatedSnapshot::className)
                .containsExactly("gold");
        assertThat(cluster.snapshots(NAMESPACE, "db"))
                .extracting(SimulatedSnapshot::className)
                .containsExactly(SimulatedCluster.SNAPSHOT_CLASS);
    }

    @Test
    void needsFiveRequestsForASnapshotThatIsReadyAtTheSecondLook() {
        seed("data", NINE);
        readyAtLook(2);
        try (Program program = Program.start(cluster, "data")) {
            cluster.log().clear();
            program.fire(TEN);
            assertThat(cluster.log().byVerb())
                    .isEqualTo(Map.of("create", 1L, "list", 3L, "delete", 1L));
        }
    }

    @Test
    void sendsNothingButTheFourVerbsOnVolumeSnapshotsInItsNamespaceAndTriesOneEvent() {
        seed("data", NINE);
        cluster.driver().fails("db", "no space left");
        try (Program program =
                Program.start(
                        cluster,
                        Map.of(
                                "snapshotter.claims", "data,db",
                                "snapshotter.ready-timeout", "500ms"))) {
            cluster.log().clear();
            program.fire(TEN);
            program.fire(ELEVEN);
            await().until(() -> cluster.log().count("create", "events") > 0);
        }
        assertThat(cluster.log().entries(request -> request.resource().equals("events")))
                .singleElement()
                .extracting(RequestLog.Entry::code)
                .isEqualTo(403);
        assertThat(cluster.log().entries(request -> !request.group().isEmpty()))
                .isNotEmpty()
                .allSatisfy(
                        request -> {
                            assertThat(request.verb()).isIn("create", "get", "list", "delete");
                            assertThat(request.resource()).isEqualTo("volumesnapshots");
                            assertThat(request.namespace()).isEqualTo(NAMESPACE);
                        });
    }

    @Test
    void asksLessAndLessOften() {
        readyAtLook(7);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
        }
        List<Instant> looks =
                cluster.log().entries(request -> request.labelSelector().contains("run=")).stream()
                        .map(RequestLog.Entry::time)
                        .toList();
        assertThat(Duration.between(looks.get(0), looks.get(1)))
                .isGreaterThanOrEqualTo(Duration.ofMillis(74));
        assertThat(Duration.between(looks.get(5), looks.get(6)))
                .isGreaterThanOrEqualTo(Duration.ofMillis(199));
    }

    @Test
    void deletesNothingWhenTheSnapshotIsNotReadyByItsDeadline() {
        seed("data", NINE);
        cluster.driver().neverReady("data");
        try (Program program =
                Program.start(
                        cluster,
                        Map.of(
                                "snapshotter.claims", "data",
                                "snapshotter.ready-timeout", "500ms"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .startsWith(
                            "hourly-20261122100000 apps/data: await-ready failed for"
                                    + " data-hourly-20261122100000: not ready within 0.5s:");
            assertThat(program.told(Level.ERROR))
                    .contains("hourly-20261122100000: failed, 0 of 1 ready, failed: apps/data");
        }
        assertThat(cluster.log().count("delete")).isZero();
        assertThat(cluster.kept(NAMESPACE)).contains("data-hourly-20261122090000");
    }

    @Test
    void aDriverThatIsLateOrReportsPassingErrorsIsWaitedFor() {
        seed("data", NINE);
        try (Program program = Program.start(cluster, "data,db")) {
            cluster.driver()
                    .fails("data", "rpc error: code = Unavailable")
                    .startsAfter("db", Duration.ofHours(1));
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> !program.told(Level.WARN).isEmpty());
            cluster.driver().heal();
            run.join();
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(program.told(Level.WARN)).singleElement().asString().contains("Unavailable");
        }
        awaitSnapshots("data-hourly-20261122100000", "db-hourly-20261122100000");
    }

    @Test
    void oneFailingClaimDoesNotStopTheOthers() {
        seed("data", NINE);
        seed("db", NINE);
        seed("media", NINE);
        cluster.driver().fails("db", "rpc error: code = InvalidArgument desc = no such volume");
        try (Program program = Program.start(cluster, "data,db,media")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .contains(" apps/db: ", "InvalidArgument desc = no such volume");
            assertThat(program.told(Level.ERROR))
                    .contains("hourly-20261122100000: failed, 2 of 3 ready, failed: apps/db");
        }
        awaitSnapshots(
                "data-hourly-20261122100000",
                "db-hourly-20261122090000",
                "db-hourly-20261122100000",
                "media-hourly-20261122100000");
    }

    @Test
    void aListForPruningThatIsRefusedIsToldOnce() {
        cluster.faults()
                .answer(
                        request ->
                                request.is("list") && request.labelSelector().endsWith("=hourly"),
                        Faults.ALWAYS,
                        ApiAnswer::noNamespace);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .filteredOn(line -> line.contains(": prune-snapshots failed"))
                    .hasSize(1);
        }
    }

    @Test
    void takesOverTheSnapshotThatAnEarlierTryOfTheSameRunLeft() {
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            String uid = cluster.snapshots(NAMESPACE).get(0).uid();
            program.fire(TEN);
            assertThat(cluster.snapshots(NAMESPACE))
                    .extracting(SimulatedSnapshot::uid)
                    .containsExactly(uid);
            assertThat(program.told(Level.INFO))
                    .filteredOn(line -> line.contains("succeeded"))
                    .hasSize(2);
        }
    }

    @Test
    void aSnapshotOfThatNameThatIsNotTheRunsOwnIsAFailureAndStays() {
        seed("data", NINE);
        cluster.snapshot(
                NAMESPACE, "data-hourly-20261122100000", "data", Map.of("made-by", "hand"), TEN);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .contains("not one of this run");
        }
        assertThat(cluster.kept(NAMESPACE))
                .containsExactly("data-hourly-20261122090000", "data-hourly-20261122100000");
    }

    @Test
    void aSnapshotOfThatNameButOfAnotherClaimIsAFailureAndStays() {
        cluster.snapshot(
                NAMESPACE,
                "data-hourly-20261122100000",
                "db",
                SnapshotLabels.ofRun("hourly", "hourly-20261122100000"),
                TEN);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).first().asString().contains("of claim \"db\"");
        }
        assertThat(cluster.log().count("delete")).isZero();
    }

    @Test
    void theLastGoodOneStaysAlsoWhenTheNewOneGoesWhileADeletionIsSentAgain() {
        seed("data", NINE);
        cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        request -> request.is("delete"),
                        1,
                        request -> {
                            cluster.admin()
                                    .genericKubernetesResources(
                                            "snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                                    .inNamespace(NAMESPACE)
                                    .withName("data-hourly-20261122100000")
                                    .delete();
                            throw new IllegalStateException("etcd lost its leader");
                        });
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .contains(
                            "hourly-20261122100000 apps/data: left data-hourly-20261122090000: the"
                                    + " snapshot was ready, and is gone");
            assertThat(program.told(Level.ERROR))
                    .contains("hourly-20261122100000: failed, 0 of 1 ready, failed: apps/data")
                    .first()
                    .asString()
                    .contains(
                            "failed for data-hourly-20261122100000",
                            "the snapshot was ready, and is gone -> find out who deletes");
        }
        awaitSnapshots("data-hourly-20261122090000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"is gone", "is being deleted", "is not any more: lun vanished"})
    void aRunWhoseSnapshotIsNoGoodOneAnyMoreWhenItPrunesIsNoSuccessAndDeletesNothing(String how) {
        seed("data", NINE);
        var made =
                cluster.admin()
                        .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                        .inNamespace(NAMESPACE)
                        .withName("data-hourly-20261122100000");
        if (how.contains("being deleted")) {
            cluster.driver().holdDeletions();
        }
        try (Program program = Program.start(cluster, "data")) {
            cluster.faults()
                    .hook(
                            Boundary.ARRIVED,
                            request ->
                                    request.is("list")
                                            && !request.labelSelector().contains("run=")
                                            && made.get() != null,
                            1,
                            request -> {
                                if (how.contains("vanished")) {
                                    GenericKubernetesResource broken = made.get();
                                    broken.setAdditionalProperty(
                                            "status",
                                            Map.of(
                                                    "readyToUse",
                                                    false,
                                                    "error",
                                                    Map.of("message", "lun vanished")));
                                    cluster.admin().resource(broken).subresource("status").update();
                                } else {
                                    made.delete();
                                    await().until(
                                                    () ->
                                                            !how.equals("is gone")
                                                                    || made.get() == null);
                                }
                            });
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .hasSize(2)
                    .contains("hourly-20261122100000: failed, 0 of 1 ready, failed: apps/data")
                    .first()
                    .asString()
                    .startsWith(
                            "hourly-20261122100000 apps/data: prune-snapshots failed for"
                                    + " data-hourly-20261122100000: the snapshot was ready, and "
                                    + how);
        }
        assertThat(cluster.log().count("delete")).isZero();
        assertThat(cluster.kept(NAMESPACE)).contains("data-hourly-20261122090000");
    }

    @Test
    void aDeletionThatStorageHoldsUpDoesNotHoldUpTheRun() {
        seed("data", NINE);
        cluster.driver().holdDeletions();
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            program.fire(ELEVEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        assertThat(cluster.snapshots(NAMESPACE))
                .filteredOn(snapshot -> !snapshot.terminating())
                .extracting(SimulatedSnapshot::name)
                .containsExactly("data-hourly-20261122110000");
        assertThat(cluster.log().count("delete"))
                .describedAs("a terminating snapshot is not deleted again")
                .isEqualTo(2);
    }

    @Test
    void twoSchedulesInOneNamespaceLeaveEachOtherAlone(@TempDir Path directory) throws IOException {
        TestRoutes.copyTo(directory);
        TestRoutes.schedule(directory, "nightly", "claims: data,db");
        seed("data", NINE);
        cluster.snapshot(NAMESPACE, "by-hand", "data", Map.of("job", "volume-snapshotter"), NINE);
        try (Program program = Program.start(cluster, "data", directory)) {
            program.fire("nightly", TEN);
            program.fire("hourly", TEN);
            program.fire("nightly", ELEVEN);
            awaitSnapshots(
                    "by-hand",
                    "data-hourly-20261122100000",
                    "data-nightly-20261122110000",
                    "db-nightly-20261122110000");
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void aScheduleCanHaveKeepRulesOfItsOwn(@TempDir Path directory) throws IOException {
        TestRoutes.copyTo(directory);
        TestRoutes.schedule(directory, "everything", "keep-last: \"\"");
        TestRoutes.schedule(directory, "two", "keep-last: 2");
        TestRoutes.schedule(directory, "within", "keep-within: 3h");
        try (Program program = Program.start(cluster, "data", directory)) {
            for (String schedule : List.of("everything", "two", "within", "hourly")) {
                program.fire(schedule, NINE);
                program.fire(schedule, TEN);
                program.fire(schedule, ELEVEN);
            }
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        awaitSnapshots(
                "data-everything-20261122090000",
                "data-everything-20261122100000",
                "data-everything-20261122110000",
                "data-hourly-20261122110000",
                "data-two-20261122100000",
                "data-two-20261122110000",
                "data-within-20261122090000",
                "data-within-20261122100000",
                "data-within-20261122110000");
    }

    @Test
    void goesOnWhenTheApiServerComesBack() {
        seed("data", NINE);
        cluster.driver().neverReady();
        try (Program program = Program.start(cluster, "data")) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 1);
            cluster.goDown();
            await().until(() -> !program.told(Level.WARN).isEmpty());
            cluster.comeBack();
            cluster.driver().heal();
            run.join();
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(program.told(Level.WARN))
                    .describedAs("told once, not once per try")
                    .singleElement()
                    .asString()
                    .contains("does not serve");
        }
        awaitSnapshots("data-hourly-20261122100000");
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 502, 503, 504})
    void outlastsAnOutageInWhichSomethingAnswersForTheApiServer(int code, @TempDir Path directory)
            throws IOException {
        TestRoutes.copyTo(directory);
        Path errors = directory.resolve("error-handling" + RouteFiles.SUFFIX);
        Files.writeString(
                errors,
                Files.readString(errors)
                        .replace("\"1000\"", "\"20\"")
                        .replace("\"30000\"", "\"50\""));
        try (Program program = Program.start(cluster, "data", directory)) {
            AtomicInteger creations = new AtomicInteger();
            Faults.Fault away =
                    cluster.faults()
                            .answer(
                                    any -> creations.get() <= 10,
                                    Faults.ALWAYS,
                                    request -> {
                                        if (request.is("create", "volumesnapshots")) {
                                            creations.incrementAndGet();
                                        }
                                        return ApiAnswer.status(code, "Away", "no backend");
                                    });
            program.fire(TEN);
            assertThat(away.hits()).isGreaterThan(10);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void aRestartOfTheApiServerIsNotTakenForMissingRights() {
        cluster.driver().neverReady();
        try (Program program = Program.start(cluster, "data")) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 1);
            cluster.restart().join();
            cluster.driver().heal();
            run.join();
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void missingRightsAreToldWithTheServersWords() {
        cluster.access().revoke(NAMESPACE, SimulatedCluster.SNAPSHOTS, "create");
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .filteredOn(line -> line.startsWith("hourly-20261122100000 apps/data"))
                    .singleElement()
                    .asString()
                    .contains("cannot create resource \"volumesnapshots\"", "k8s/role.yaml");
        }
    }

    @Test
    void aFullQuotaIsToldWithItsNumbersAndTheLastGoodOneStays() {
        seed("data", NINE);
        cluster.quota(NAMESPACE, 1);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .contains("exceeded quota: q", "used:", "raise the quota");
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly("data-hourly-20261122090000");
    }

    @Test
    void whatTheRunWouldDeleteAnywayMakesRoomInAFullQuota() {
        seed("data", NINE.minusSeconds(3600));
        seed("data", NINE);
        cluster.quota(NAMESPACE, 2);
        cluster.driver().deletesAfter(Duration.ofMillis(300));
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(program.told(Level.WARN)).allMatch(line -> line.contains("exceeded quota"));
        }
        awaitSnapshots("data-hourly-20261122100000");
    }

    @Test
    void whatAnEarlierRunDeletedMakesRoomInAFullQuotaHoweverLongThatTakes() {
        cluster.driver().holdDeletions();
        seed("data", NINE.minusSeconds(3600));
        cluster.admin()
                .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                .inNamespace(NAMESPACE)
                .withName("data-hourly-20261122080000")
                .delete();
        seed("data", NINE);
        cluster.quota(NAMESPACE, 2);
        try (Program program = Program.start(cluster, "data")) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> refusals() > 5);
            cluster.driver().releaseDeletions();
            run.join();
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        awaitSnapshots("data-hourly-20261122100000");
    }

    private long refusals() {
        return cluster.log()
                .entries(
                        request ->
                                request.verb().equals("create")
                                        && request.resource().equals("volumesnapshots")
                                        && request.code() == 403)
                .size();
    }

    @Test
    void aFullQuotaIsToldOnceAndTheScheduleListedOnceForAllClaimsBetweenTwoLooks() {
        int claims = 12;
        List<String> names = IntStream.range(0, claims).mapToObj(i -> "c" + i).toList();
        for (String claim : names) {
            cluster.claim(NAMESPACE, claim);
            seed(claim, NINE);
        }
        cluster.quota(NAMESPACE, claims);
        try (Program program = Program.start(cluster, String.join(",", names))) {
            cluster.log().clear();
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).hasSize(claims + 1);
            assertThat(program.told(Level.WARN))
                    .filteredOn(line -> line.contains("not yet:"))
                    .hasSize(1);
        }
        int looks =
                cluster.log()
                        .entries(r -> r.labelSelector().contains("run=") && r.verb().equals("list"))
                        .size();
        assertThat(cluster.log().entries(r -> r.verb().equals("list")))
                .describedAs("at most one after each look, one before, one to prune")
                .hasSizeLessThanOrEqualTo(2 * looks + 2);
    }

    @Test
    void aCreationWhoseAnswerWasLostIsFoundAlthoughItFilledTheQuota() {
        seed("data", NINE);
        cluster.quota(NAMESPACE, 2);
        try (Program program = Program.start(cluster, "data")) {
            cluster.faults()
                    .cut(
                            Boundary.CARRIED_OUT,
                            request -> request.is("create", "volumesnapshots"),
                            1);
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        awaitSnapshots("data-hourly-20261122100000");
    }

    @Test
    void hiccupsThatHealDoNotAddUp(@TempDir Path directory) throws IOException {
        TestRoutes.copyTo(directory);
        TestRoutes.retryQuickly(directory);
        readyAtLook(25);
        AtomicInteger looks = new AtomicInteger();
        cluster.faults()
                .answer(
                        request -> isLook(request) && looks.incrementAndGet() % 2 == 0,
                        Faults.ALWAYS,
                        ApiAnswer.status(503, "ServiceUnavailable", "busy"));
        try (Program program = Program.start(cluster, "data", directory)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(program.told(Level.WARN))
                    .describedAs("one outage, told once")
                    .singleElement()
                    .asString()
                    .contains("does not serve: HTTP 503");
        }
        assertThat(looks.get()).isGreaterThanOrEqualTo(25);
    }

    @Test
    void aRunWhoseLookFailsForGoodEndsAsAFailureAndStillPrunesWhatIsReady() {
        seed("data", NINE);
        cluster.driver().neverReady("db");
        try (Program program = Program.start(cluster, "data,db")) {
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> told(program, "apps/data: ready"));
            cluster.faults()
                    .answer(
                            RunTest::isLook,
                            Faults.ALWAYS,
                            ApiAnswer.status(422, "Invalid", "not like this"));
            run.join();
            assertThat(program.told(Level.ERROR))
                    .anyMatch(line -> line.contains("apps/db: await-ready failed"))
                    .contains("hourly-20261122100000: failed, 1 of 2 ready, failed: apps/db");
            assertThat(program.told(Level.INFO))
                    .contains(
                            "hourly-20261122100000 apps/data: deleted data-hourly-20261122090000: no"
                                    + " rule keeps it");
        }
    }

    @Test
    void aRunThatCannotPruneIsNoSuccess() {
        seed("data", NINE);
        cluster.faults()
                .answer(
                        request ->
                                request.is("list")
                                        && request.labelSelector().contains("schedule=")
                                        && !request.labelSelector().contains("run="),
                        Faults.ALWAYS,
                        ApiAnswer.status(422, "Invalid", "not like this"));
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .contains(
                            "hourly-20261122100000: failed, 1 of 1 ready, failed: prune-snapshots");
        }
        assertThat(cluster.log().count("delete")).isZero();
    }

    @Test
    void aServerThatAsksToBeLeftAloneIs(@TempDir Path directory) throws IOException {
        TestRoutes.copyTo(directory);
        TestRoutes.retryQuickly(directory);
        try (Program program = Program.start(cluster, "data", directory)) {
            cluster.faults()
                    .answer(
                            request -> request.is("create", "volumesnapshots"),
                            1,
                            ApiAnswer.tooManyRequests(1));
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        List<Instant> tries =
                cluster
                        .log()
                        .entries(request -> request.resource().equals("volumesnapshots"))
                        .stream()
                        .filter(request -> request.verb().equals("create"))
                        .map(RequestLog.Entry::time)
                        .toList();
        assertThat(Duration.between(tries.get(0), tries.get(1)))
                .isGreaterThanOrEqualTo(Duration.ofMillis(990));
    }

    @Test
    void deletionsOfAThrottledServerAreJudgedByOneListForSomeSecondsAndNotByOneEach() {
        for (int hours = 1; hours <= 4; hours++) {
            String name = SnapshotNames.snapshot("data", "hourly", TEN.minusSeconds(hours * 3600L));
            seed("data", TEN.minusSeconds(hours * 3600L));
            cluster.faults()
                    .answer(
                            request -> request.is("delete") && request.objectName().equals(name),
                            1,
                            ApiAnswer.tooManyRequests(1));
        }
        try (Program program = Program.start(cluster, "data")) {
            cluster.log().clear();
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        awaitSnapshots("data-hourly-20261122100000");
        List<Instant> deletions =
                cluster.log().entries(entry -> entry.verb().equals("delete")).stream()
                        .map(RequestLog.Entry::time)
                        .toList();
        assertThat(deletions).hasSize(8);
        Duration took = Duration.between(deletions.get(0), deletions.get(7));
        assertThat(
                        cluster.log()
                                .count(
                                        entry ->
                                                entry.verb().equals("list")
                                                        && !entry.labelSelector()
                                                                .contains(SnapshotLabels.RUN)))
                .isLessThanOrEqualTo(2 + took.dividedBy(ClusterFacts.MAX_AGE));
    }

    @Test
    void whatServerAndDriverSayStaysInOneLine() {
        cluster.driver().fails("data", "line one\nline two: code = InvalidArgument");
        cluster.faults()
                .answer(
                        request ->
                                request.is("create", "volumesnapshots")
                                        && request.objectName().startsWith("db"),
                        1,
                        ApiAnswer.status(422, "Invalid", "denied\nby policy"));
        try (Program program = Program.start(cluster, "data,db")) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .anyMatch(line -> line.contains("line one line two"))
                    .anyMatch(line -> line.contains("denied by policy"))
                    .noneMatch(line -> line.contains("\n"));
        }
    }

    @Test
    void aSnapshotThatSomeoneKeepsDeletingIsNotTakenForSomeoneElses() {
        cluster.driver().readyAfter(Duration.ofMinutes(1));
        cluster.faults()
                .hook(
                        Boundary.ANSWERED,
                        request -> request.is("create", "volumesnapshots"),
                        Faults.ALWAYS,
                        request ->
                                cluster.admin()
                                        .genericKubernetesResources(
                                                "snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                                        .inNamespace(NAMESPACE)
                                        .delete());
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .contains("deletes snapshots of this run");
        }
    }

    @Test
    void claimsWithNamesThatMeanSomethingElsewhereAreOrdinary() {
        List<String> names = List.of("null", "true", "1e5", "0123", "my.class");
        names.forEach(name -> cluster.claim(NAMESPACE, name));
        try (Program program = Program.start(cluster, String.join(",", names))) {
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 5 of 5 ready");
        }
    }

    /** The creation and the first look are on their way at the same time. */
    @ParameterizedTest
    @CsvSource({"create, await-ready", "list, take-snapshot"})
    void runsWithoutTheCrdTellWhatToInstall(String late, String phase) {
        cluster.withoutCrd();
        try (Program program = Program.start(cluster, "data")) {
            await().until(() -> told(program, "API snapshot.storage.k8s.io: the cluster has none"));
            Faults.Fault held =
                    cluster.faults()
                            .hold(Boundary.ARRIVED, request -> request.is(late), Faults.ALWAYS);
            CompletableFuture<Void> run = program.fireLater(TEN);
            await().until(() -> told(program, "apps/data: " + phase + " failed"));
            held.cancel();
            run.join();
            assertThat(program.told(Level.ERROR))
                    .filteredOn(line -> line.contains("apps/data: "))
                    .singleElement()
                    .asString()
                    .contains(" failed", "install the");
        }
    }

    private void seed(String claim, Instant dueTime) {
        String run = SnapshotNames.run("hourly", dueTime);
        String name = SnapshotNames.snapshot(claim, "hourly", dueTime);
        cluster.snapshot(
                NAMESPACE,
                name,
                claim,
                SnapshotLabels.of(name, "hourly", run, Program.INSTALLATION),
                dueTime);
    }

    /** Lets what a run asks for become ready when it looks for the n-th time, and not before. */
    private void readyAtLook(int n) {
        cluster.driver().neverReady();
        cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        Faults.nth(n, RunTest::isLook),
                        1,
                        request -> {
                            cluster.driver().heal();
                            await().until(
                                            () ->
                                                    cluster.snapshots(NAMESPACE).stream()
                                                            .allMatch(SimulatedSnapshot::ready));
                        });
    }

    private static boolean isLook(ApiRequest request) {
        return request.is("list") && request.labelSelector().contains("run=");
    }

    private static boolean told(Program program, String words) {
        return program.told(Level.INFO).stream().anyMatch(line -> line.contains(words));
    }

    private void awaitSnapshots(String... expected) {
        await().untilAsserted(() -> assertThat(cluster.kept(NAMESPACE)).containsExactly(expected));
    }
}
