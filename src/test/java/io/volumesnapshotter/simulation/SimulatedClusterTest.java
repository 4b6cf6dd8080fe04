package io.volumesnapshotter.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.Config;
import io.volumesnapshotter.simulation.Faults.Boundary;
import java.net.BindException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the simulation can do beyond the contract: faults, outages, a driver with switches. */
class SimulatedClusterTest {

    private static final String PATH = ApiCaller.SNAPSHOT_API + "/namespaces/apps/volumesnapshots";
    private static final Predicate<ApiRequest> CREATE = request -> request.is("create");
    private static final Predicate<ApiRequest> LIST = request -> request.is("list");

    private final SimulatedCluster cluster = SimulatedCluster.start();
    private final ApiCaller program = new ApiCaller(cluster.config("apps"));

    SimulatedClusterTest() {
        cluster.claim("apps", "data");
    }

    @AfterEach
    void close() {
        program.close();
        cluster.close();
    }

    private ApiCaller.Answer create(String name) {
        return program.post(
                PATH,
                """
                {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
                 "metadata": {"name": "%s"},
                 "spec": {"source": {"persistentVolumeClaimName": "data"}}}"""
                        .formatted(name));
    }

    private SimulatedSnapshot only() {
        List<SimulatedSnapshot> snapshots = cluster.snapshots("apps");
        assertThat(snapshots).hasSize(1);
        return snapshots.get(0);
    }

    @Test
    void aCutBeforeTheRequestLeavesNothing() {
        cluster.faults().cut(Boundary.ARRIVED, CREATE, 1);

        assertThatThrownBy(() -> create("a")).isInstanceOf(IllegalStateException.class);

        assertThat(cluster.snapshots("apps")).isEmpty();
        assertThat(create("a").code()).isEqualTo(201);
    }

    @Test
    void aCutAfterTheRequestLeavesItsWork() {
        cluster.faults().cut(Boundary.CARRIED_OUT, CREATE, 1);

        assertThatThrownBy(() -> create("a")).isInstanceOf(IllegalStateException.class);

        assertThat(only().name()).isEqualTo("a");
        assertThat(create("a").code()).isEqualTo(409);
    }

    @Test
    void aCutInsideTheAnswerIsSeenAsOne() {
        cluster.faults().cutInsideAnswer(CREATE, 1);

        assertThatThrownBy(() -> create("a")).isInstanceOf(IllegalStateException.class);

        assertThat(only().name()).isEqualTo("a");
    }

    @Test
    void oneHeldRequestDoesNotHoldOthers() {
        Faults.Fault hold = cluster.faults().hold(Boundary.ARRIVED, CREATE, 1);
        CompletableFuture<ApiCaller.Answer> held =
                CompletableFuture.supplyAsync(() -> create("a"), task -> new Thread(task).start());
        await().until(() -> hold.hits() == 1);

        assertThat(program.get(PATH).code()).isEqualTo(200);
        assertThat(held).isNotDone();

        hold.cancel();
        assertThat(held.join().code()).isEqualTo(201);
    }

    @Test
    void cannedAnswersComeAsOftenAsAskedFor() {
        cluster.faults().answer(LIST, 2, ApiAnswer.tooManyRequests(1));

        assertThat(program.get(PATH).retryAfter()).isEqualTo("1");
        assertThat(program.get(PATH).code()).isEqualTo(429);
        assertThat(program.get(PATH).code()).isEqualTo(200);
        assertThat(cluster.log().byCode()).isEqualTo(Map.of(200, 1L, 429, 2L));
    }

    @Test
    void hooksSeeEachBoundaryOnce() {
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        for (Boundary boundary : Boundary.values()) {
            cluster.faults()
                    .hook(
                            boundary,
                            // What comes after an answer may be overtaken by the next request.
                            request -> CREATE.test(request) && request.objectName().equals("b"),
                            Faults.ALWAYS,
                            r -> seen.add(boundary + " " + r.objectName()));
        }

        create("a");
        create("b");
        create("c");

        await().untilAsserted(
                        () ->
                                assertThat(seen)
                                        .containsExactly(
                                                "ARRIVED b", "CARRIED_OUT b", "ANSWERED b"));
    }

    @Test
    void aHookMayUseTheClusterItself() {
        cluster.faults()
                .hook(
                        Boundary.CARRIED_OUT,
                        CREATE,
                        1,
                        r -> assertThat(cluster.admin().namespaces().list().getItems()).hasSize(1));

        assertThat(create("a").code()).isEqualTo(201);
    }

    @Test
    void aServerThatIsDownComesBackWithItsObjects() {
        create("a");
        cluster.goDown();
        assertThatThrownBy(() -> program.get(PATH)).isInstanceOf(IllegalStateException.class);

        cluster.comeBack();

        assertThat(program.get(PATH + "/a").code()).isEqualTo(200);
    }

    @Test
    void noOtherClusterTakesThePortOfAServerThatIsDown() {
        cluster.goDown();

        assertThatThrownBy(() -> ReservedPort.of(URI.create(cluster.url()).getPort()))
                .isInstanceOf(BindException.class);
    }

    @Test
    void aRotatedTokenMakesTheOldOneUnknown() {
        cluster.rotateToken();

        assertThat(program.get(PATH).code()).isEqualTo(401);
    }

    @Test
    void grantsAreAllThatIsAllowed() {
        assertThat(program.get("/api/v1/namespaces/apps/persistentvolumeclaims").code())
                .isEqualTo(403);
        cluster.access().grant("apps", "persistentvolumeclaims", "list");
        assertThat(program.get("/api/v1/namespaces/apps/persistentvolumeclaims").code())
                .isEqualTo(200);
        cluster.access().revoke("apps", SimulatedCluster.SNAPSHOTS, "create");
        assertThat(create("a").code()).isEqualTo(403);
    }

    @Test
    void accessReviewsTellTheGrants() {
        String review =
                """
                {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                 "spec": {"resourceAttributes": {"namespace": "apps", "verb": "%s",
                  "group": "snapshot.storage.k8s.io", "resource": "volumesnapshots"}}}""";
        String path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

        assertThat(program.post(path, review.formatted("delete")).body())
                .contains("\"allowed\":true");
        assertThat(program.post(path, review.formatted("watch")).body())
                .contains("\"allowed\":false");
    }

    @Test
    void otherKindsAreLeftToTheMockServer() {
        cluster.access().grant("apps", "secrets", "create", "get");
        String secrets = "/api/v1/namespaces/apps/secrets";
        program.post(
                secrets,
                "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"}}");

        assertThat(program.get(secrets + "/s").code()).isEqualTo(200);
    }

    @Test
    void theWorkRateBoundsHowManyBegin() {
        cluster.driver().snapshotsPerSecond(0.01);
        create("a");
        create("b");

        await().until(() -> cluster.snapshots("apps").get(0).ready());
        assertThat(cluster.snapshots("apps").get(1).readyToUse()).isNull();

        cluster.driver().heal();
        await().until(() -> cluster.snapshots("apps").get(1).ready());
    }

    @Test
    void anErrorOfAWhileClearsByItself() {
        List<String> errors = new CopyOnWriteArrayList<>();
        cluster.watch(
                (before, now) ->
                        Optional.ofNullable(now)
                                .map(SimulatedSnapshot::error)
                                .ifPresent(errors::add));
        cluster.driver().failsFor("data", "busy", Duration.ofMillis(200));
        create("a");

        await().until(() -> only().ready() && only().error() == null);
        assertThat(errors).contains("busy");
    }

    @Test
    void anErrorCanComeBesideReady() {
        cluster.driver().errorBesideReady("data", "odd");
        create("a");

        await().until(() -> only().ready() && "odd".equals(only().error()));
    }

    @Test
    void heldDeletionsAreReleased() {
        cluster.snapshot("apps", "old", "data", Map.of(), Instant.parse("2026-01-01T00:00:00Z"));
        cluster.driver().holdDeletions("data");
        program.delete(PATH + "/old");
        await().until(() -> only().finalizers().size() == 1);

        cluster.driver().releaseDeletions();

        await().until(() -> cluster.snapshots("apps").isEmpty());
    }

    @Test
    void storageMayHaveAClockOfItsOwn() {
        cluster.driver().clockOffset(Duration.ofHours(1));
        create("a");
        await().until(() -> only().ready());

        assertThat(Duration.between(only().createdAt(), only().creationTime()))
                .isBetween(Duration.ofMinutes(59), Duration.ofMinutes(61));
    }

    @Test
    void seededSnapshotsStayAsTheyAre() {
        Instant old = Instant.parse("2026-01-01T00:00:00Z");
        for (SnapshotState state : SnapshotState.values()) {
            cluster.snapshot(
                    "apps",
                    state.name().toLowerCase(Locale.ROOT),
                    "data",
                    Map.of("job", "j"),
                    old,
                    state);
        }

        assertThat(cluster.snapshots("apps"))
                .extracting(SimulatedSnapshot::name, s -> s.ready(), s -> s.terminating())
                .containsExactly(
                        tuple("creating", false, false),
                        tuple("failed", false, false),
                        tuple("ready", true, false),
                        tuple("terminating", true, true));
        assertThat(cluster.snapshots("apps")).allMatch(s -> s.createdAt().equals(old));
    }

    @Test
    void theKubeconfigIsTheProgramsOwn(@TempDir Path directory) throws Exception {
        Path file = cluster.kubeconfig(directory.resolve("config"), "apps");
        Config config = Config.fromKubeconfig(file.toFile());
        try (ApiCaller caller = new ApiCaller(config)) {
            assertThat(caller.get(PATH).code()).isEqualTo(200);
            assertThat(caller.get("/api/v1/namespaces").code()).isEqualTo(403);
        }
        assertThat(config.getNamespace()).isEqualTo("apps");
    }

    @Test
    void aListByLabelIsQuickAmongManySnapshots() {
        Instant old = Instant.parse("2026-01-01T00:00:00Z");
        for (int i = 0; i < 50_000; i++) {
            cluster.snapshot("apps", "old-" + i, "c-" + i % 1000, Map.of("run", "r" + i % 50), old);
        }
        long begun = System.nanoTime();
        for (int i = 0; i < 10; i++) {
            assertThat(program.get(PATH + "?labelSelector=run%3Dr7").json().path("items"))
                    .hasSize(1000);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
    }
}
