package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What the probes are told, and those who look closer. */
class HealthTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final String UNSUPPORTED =
            "Failed to take snapshot: rpc error: code = InvalidArgument desc = no snapshots";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    private static boolean isLive(Program program) {
        return HealthCheckHelper.isResultsUp(
                HealthCheckHelper.invokeLiveness(program.context()), false);
    }

    private static boolean isReady(Program program) {
        return HealthCheckHelper.isResultsUp(
                HealthCheckHelper.invokeReadiness(program.context()), true);
    }

    private static HealthCheck.Result result(Program program, String id) {
        Collection<HealthCheck.Result> all = HealthCheckHelper.invoke(program.context(), "full");
        return all.stream()
                .filter(result -> result.getCheck().getId().equals(id))
                .findAny()
                .orElseThrow(() -> new AssertionError(id + " is not one of " + all));
    }

    @Test
    void aProgramThatWorksIsLiveAndReady() {
        try (Program program = Program.start(cluster, "data")) {
            assertThat(isLive(program)).isTrue();
            assertThat(isReady(program)).isTrue();
            assertThat(result(program, "stuck").getState()).isEqualTo(HealthCheck.State.UP);
        }
    }

    @Test
    void withoutQuartzItIsNotLive() throws Exception {
        try (Program program = Program.start(cluster, "data")) {
            program.context()
                    .getComponent("quartz", QuartzComponent.class)
                    .getScheduler()
                    .shutdown();
            assertThat(isLive(program)).isFalse();
            assertThat(result(program, "stuck").getMessage())
                    .hasValueSatisfying(words -> assertThat(words).contains("Quartz"));
        }
    }

    @Test
    void whenMissedFiresAreNotLookedForItIsNotLive() {
        Liveness liveness = new Liveness(() -> false, () -> true, List::of);
        assertThat(liveness.call().getState()).isEqualTo(HealthCheck.State.DOWN);
    }

    @Test
    void aRunThatIsPastItsTimeIsStuckOnceItIsSilentForLong() {
        Instant start = Instant.now();
        AtomicReference<Instant> now = new AtomicReference<>(start);
        try (Program program = Program.start(cluster, "data")) {
            Schedule schedule =
                    PolicyComponent.scheduleOf(program.context(), "hourly").orElseThrow();
            Run run =
                    new Run(
                            new Firing(schedule, TEN, ZoneOffset.UTC, Firing.Cause.REQUEST),
                            List.of(),
                            Optional.of(NAMESPACE),
                            Program.INSTALLATION,
                            () -> TEN,
                            now::get);
            now.set(start.plus(Run.SILENCE.dividedBy(2)));
            assertThat(run.isStuck()).isFalse();
            now.set(start.plus(Run.SILENCE.multipliedBy(2)));
            assertThat(run.isStuck()).isTrue();
            run.touch();
            assertThat(run.isStuck()).isFalse();
        }
    }

    @Test
    void aStuckRunMakesItNotLive() {
        Liveness liveness =
                new Liveness(() -> false, () -> false, () -> List.of("hourly-20261122100000"));
        assertThat(liveness.call().getState()).isEqualTo(HealthCheck.State.DOWN);
        assertThat(liveness.call().getMessage())
                .hasValueSatisfying(w -> assertThat(w).contains("hourly-20261122100000"));
    }

    @Test
    void neitherAnApiServerThatIsAwayNorAFailedRunIsAReasonToRestart() {
        cluster.driver().fails("data", UNSUPPORTED);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            cluster.goDown();
            var run = program.fireLater(TEN.plusSeconds(3600));
            assertThat(isLive(program)).isTrue();
            assertThat(isReady(program)).isTrue();
            cluster.comeBack();
            await().until(run::isDone);
        }
    }

    @Test
    void aRouteThatIsStoppedByHandIsLiveAndNotReady() throws Exception {
        try (Program program = Program.start(cluster, "data")) {
            program.context().getRouteController().stopRoute("hourly");
            assertThat(isLive(program)).isTrue();
            assertThat(isReady(program)).isFalse();
        }
    }

    @Test
    void theDetailsSayWhichScheduleFailed() {
        cluster.driver().fails("data", UNSUPPORTED);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            await().untilAsserted(
                            () -> {
                                HealthCheck.Result schedules = result(program, "schedules");
                                assertThat(schedules.getState()).isEqualTo(HealthCheck.State.DOWN);
                                assertThat(detail(schedules))
                                        .containsEntry("state", "failed")
                                        .containsEntry("oldestSuccess", "never")
                                        .containsEntry("lastRun", "hourly-20261122100000");
                            });
            cluster.driver().heal();
            program.fire(TEN.plusSeconds(3600));
            assertThat(detail(result(program, "schedules"))).containsEntry("state", "ok");
        }
    }

    @Test
    void theDetailsSayWhichScheduleIsLate() {
        Instant due = Instant.parse("2026-11-21T08:00:00Z");
        Program.hadTaken(cluster, "data", due);
        cluster.driver().pause();
        try (Program program =
                Program.start(
                        cluster,
                        Map.of(
                                "snapshotter.claims", "data",
                                "snapshotter.schedule", "@hourly",
                                "camel.management.enabled", "true",
                                "camel.management.port", "0"))) {
            await().untilAsserted(
                            () ->
                                    assertThat(detail(result(program, "schedules")))
                                            .containsEntry("state", "late")
                                            .containsEntry("oldestSuccess", "2026-11-21T08:00:00Z")
                                            .containsEntry("oldestSuccessOf", "apps/data"));
            assertThat(isReady(program)).isTrue();
            // Its end would wait for the run.
            cluster.driver().resume();
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> detail(HealthCheck.Result schedules) {
        return (Map<String, Object>) schedules.getDetails().getOrDefault("hourly", Map.of());
    }
}
