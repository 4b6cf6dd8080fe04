package io.volumesnapshotter.hook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Freeze and thaw around the cut, with routes of a user's own kind. */
class FreezesTest {

    private static final Instant DUE = Instant.parse("2026-11-27T03:00:00Z");

    private static final String KIND =
            """
            - route:
                id: %1$s-app
                errorHandler:
                  noErrorHandler: {}
                from:
                  uri: direct:%1$s-app
                  steps:
                    - bean:
                        ref: app
                        method: %1$s
            """;

    /** An application that can be frozen. */
    public static final class App {

        private final List<String> calls = new CopyOnWriteArrayList<>();
        private volatile boolean refusesFreeze;
        private volatile boolean refusesThaw;
        private volatile Runnable asked = () -> {};

        public void freeze() {
            calls.add("freeze");
            asked.run();
            if (refusesFreeze) {
                throw new IllegalStateException("a transaction is open");
            }
        }

        public void thaw() {
            calls.add("thaw");
            if (refusesThaw) {
                throw new IllegalStateException("it does not answer");
            }
        }
    }

    @TempDir private Path routes;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private final App app = new App();

    @BeforeEach
    void kind() throws IOException {
        TestRoutes.copyTo(routes);
        TestRoutes.retryQuickly(routes);
        for (String step : List.of("freeze", "thaw")) {
            Files.writeString(
                    routes.resolve(step + "-app" + RouteFiles.SUFFIX), KIND.formatted(step));
        }
        grant("patch", "watch");
        cluster.watch(
                (before, now) -> {
                    if (before == null) {
                        app.calls.add("created");
                    } else if (now != null && isCut(now) && !isCut(before)) {
                        app.calls.add("cut");
                    } else if (now != null && now.ready() && !before.ready()) {
                        app.calls.add("ready");
                    }
                });
    }

    private static boolean isCut(SimulatedSnapshot snapshot) {
        return snapshot.creationTime() != null;
    }

    private void grant(String... verbs) {
        cluster.access().grant(SimulatedCluster.NAMESPACE, SimulatedCluster.SNAPSHOTS, verbs);
    }

    private Program.Builder program() {
        return Program.of(cluster)
                .with("claims", "data")
                .with("quiesce", "app")
                .with("freeze-timeout", "20s")
                .bind("app", app)
                .routes(routes);
    }

    private SimulatedSnapshot snapshot() {
        List<SimulatedSnapshot> all = cluster.snapshots(SimulatedCluster.NAMESPACE, "data");
        assertThat(all).hasSize(1);
        return all.get(0);
    }

    private static List<String> failures(Program program) {
        return program.told(Level.ERROR).stream()
                .filter(line -> line.contains(" failed"))
                .filter(line -> line.contains(" -> "))
                .toList();
    }

    private void assertNotConsistent(Program program, String words) {
        assertThat(failures(program)).singleElement().asString().contains(words);
        assertThat(cluster.snapshots(SimulatedCluster.NAMESPACE))
                .noneMatch(s -> s.annotations().containsKey("volume-snapshotter/consistent"));
        assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("succeeded"));
    }

    @Test
    void theApplicationIsFrozenBeforeTheRequestAndThawedAtTheCut() {
        cluster.driver().cutsAfter(Duration.ofMillis(100)).readyAfter(Duration.ofSeconds(1));
        try (Program program = program().start()) {
            program.fire(DUE);

            assertThat(program.told(Level.INFO)).anyMatch(l -> l.contains("succeeded, 1 of 1"));
            assertThat(app.calls).containsExactly("freeze", "created", "cut", "thaw", "ready");
            assertThat(snapshot().annotations())
                    .containsEntry("volume-snapshotter/quiesce", "app")
                    .containsEntry("volume-snapshotter/consistent", "true");
        }
    }

    @Test
    void withoutTheRightToWatchItIsLookedAtQuickly() {
        cluster.access().revoke(SimulatedCluster.NAMESPACE, SimulatedCluster.SNAPSHOTS, "watch");
        cluster.driver().cutsAfter(Duration.ofMillis(100)).readyAfter(Duration.ofSeconds(3));
        try (Program program = program().start()) {
            program.fire(DUE);

            assertThat(app.calls).containsExactly("freeze", "created", "cut", "thaw", "ready");
            assertThat(snapshot().annotations())
                    .containsEntry("volume-snapshotter/consistent", "true");
        }
    }

    @Test
    void whatStorageHasNotCutInTimeIsThawedAndNotConsistent() {
        cluster.driver().neverReady();
        try (Program program = program().with("freeze-timeout", "300ms").start()) {
            program.fire(DUE);

            assertNotConsistent(
                    program, "not consistent: the freeze was ended after 0.3s, before storage");
            assertThat(app.calls).containsExactly("freeze", "created", "thaw");
        }
    }

    @Test
    void aFreezeThatIsRefusedTakesNoSnapshotAndThawsAllTheSame() {
        app.refusesFreeze = true;
        try (Program program = program().start()) {
            program.fire(DUE);

            assertNotConsistent(
                    program,
                    "no snapshot is taken: route freeze-app failed: a transaction is open ->"
                            + " correct the route, or what it calls");
            assertThat(app.calls).containsExactly("freeze", "thaw");
        }
    }

    @Test
    void theOthersGoOn() {
        cluster.claim(SimulatedCluster.NAMESPACE, "other");
        app.asked =
                () -> {
                    app.refusesFreeze = app.calls.indexOf("freeze") == app.calls.size() - 1;
                };
        try (Program program =
                program().with("claims", "data,other").with("concurrency", "1").start()) {
            program.fire(DUE);

            assertThat(failures(program)).hasSize(1);
            assertThat(cluster.snapshots(SimulatedCluster.NAMESPACE))
                    .singleElement()
                    .satisfies(
                            other ->
                                    assertThat(other.annotations())
                                            .containsEntry(
                                                    "volume-snapshotter/consistent", "true"));
        }
    }

    @Test
    void aThawThatFailsLeavesTheSnapshotUnproven() {
        app.refusesThaw = true;
        try (Program program = program().start()) {
            program.fire(DUE);

            assertNotConsistent(
                    program,
                    "not consistent: it could not be thawed: route thaw-app failed: it does not"
                            + " answer -> correct the route, or what it calls");
        }
    }

    @Test
    void aKindWithoutARouteIsRefusedAtTheStartWithThoseThatThereAre() {
        assertThatThrownBy(() -> program().with("quiesce", "ap").start())
                .hasMessageContaining("hourly.camel.yaml:")
                .hasMessageEndingWith(
                        "quiesce: \"ap\" is not valid: no route starts at direct:freeze-ap; copy it"
                                + " from examples/hooks, or name another kind; there are app");
    }

    @Test
    void anEditThatTakesTheRoutesOfAKindAwayIsRefused() throws Exception {
        try (Program program = program().with("routes-poll-interval", "50ms").start()) {
            Files.delete(routes.resolve("thaw-app" + RouteFiles.SUFFIX));
            await().untilAsserted(
                            () ->
                                    assertThat(program.told(Level.ERROR))
                                            .anyMatch(
                                                    line ->
                                                            line.contains("quiesce: \"app\"")
                                                                    && line.contains(
                                                                            "no route starts at"
                                                                                    + " direct:thaw-app")));
            program.fire(DUE);
            assertThat(app.calls).startsWith("freeze");
        }
    }

    @Test
    void withoutTheRightToPatchItIsNotToldAsConsistent() {
        cluster.access().revoke(SimulatedCluster.NAMESPACE, SimulatedCluster.SNAPSHOTS, "patch");
        try (Program program = program().start()) {
            program.fire(DUE);

            assertNotConsistent(program, "cannot patch resource \"volumesnapshots\"");
        }
    }

    @Test
    void aRequestThatFailsIsThawedBeforeItIsSentAgain() {
        cluster.faults()
                .answer(r -> r.is("create", "volumesnapshots"), 1, ApiAnswer.status(500, "", ""));
        try (Program program = program().start()) {
            program.fire(DUE);

            assertThat(app.calls)
                    .startsWith("freeze", "thaw", "freeze", "created")
                    .contains("cut", "thaw");
            assertThat(program.told(Level.INFO)).anyMatch(l -> l.contains("succeeded, 1 of 1"));
        }
    }

    @Test
    void aSnapshotWhoseAnswerWasLostIsNotProvenByALaterFreeze() {
        cluster.faults().cut(Boundary.CARRIED_OUT, r -> r.is("create", "volumesnapshots"), 1);
        try (Program program = program().start()) {
            program.fire(DUE);

            assertNotConsistent(program, "not consistent: the program ended, or lost the answer");
        }
    }

    @Test
    void aSnapshotThatAKilledProgramLeftIsNotASuccessOfTheNext() {
        Instant due = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        cluster.driver().neverReady();
        try (Program killed = program().with("freeze-timeout", "1s").start()) {
            CompletableFuture<Void> run = killed.fireLater(due);
            await().until(() -> app.calls.contains("created"));
            cluster.faults().cut(Boundary.ARRIVED, r -> true, Integer.MAX_VALUE);
            killed.stop();
            run.handle((done, failure) -> null).join();
        }
        cluster.faults().clear();
        cluster.driver().heal();
        await().until(() -> snapshot().ready());
        try (Program program = program().start()) {
            program.makeUp(due);

            assertNotConsistent(program, "not consistent: the program ended, or lost the answer");
        }
    }

    @Test
    void aScheduleWithoutQuiesceCallsNoRouteAndSendsNothingMore() {
        try (Program program = program().with("quiesce", "").start()) {
            cluster.log().clear();
            program.fire(DUE);

            assertThat(app.calls).containsExactly("created", "cut");
            assertThat(cluster.log().entries())
                    .noneMatch(entry -> List.of("patch", "watch", "get").contains(entry.verb()));
            assertThat(snapshot().annotations()).doesNotContainKey("volume-snapshotter/quiesce");
        }
    }
}
