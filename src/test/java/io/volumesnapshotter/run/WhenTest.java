package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a schedule acts: fire times that were missed, spread creations, suspension. */
class WhenTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    /** Due five minutes ago, and for a year not again. */
    private final ZonedDateTime due =
            ZonedDateTime.now(ZoneOffset.UTC).minusMinutes(5).truncatedTo(ChronoUnit.MINUTES);

    private final String schedule =
            "0 %d %d %d %d ?"
                    .formatted(
                            due.getMinute(),
                            due.getHour(),
                            due.getDayOfMonth(),
                            due.getMonthValue());

    private final Instant lastYear =
            Cron.lastDue(schedule, ZoneOffset.UTC, due.toInstant().minusSeconds(1)).orElseThrow();

    private final String snapshot = SnapshotNames.snapshot("data", "hourly", due.toInstant());

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @Test
    void aFireTimeThatWasMissedIsMadeUpAtTheStart() {
        try (Program program = start(Map.of())) {
            awaitSucceeded(program);
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly(snapshot);
    }

    @Test
    void aFireTimeThatWasNotMissedIsNotRunAgain() {
        try (Program program = start(Map.of())) {
            awaitSucceeded(program);
        }
        String uid = cluster.snapshots(NAMESPACE).get(0).uid();
        cluster.log().clear();
        try (Program program = start(Map.of())) {
            awaitSucceeded(program);
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
        assertThat(cluster.snapshots(NAMESPACE))
                .extracting(SimulatedSnapshot::uid)
                .containsExactly(uid);
    }

    @Test
    void aFireTimeWhoseRunALaterOnePrunedIsNotRunAgain() {
        Instant later = due.toInstant().plusSeconds(60);
        seed(later);
        try (Program program = start(Map.of("claims", "data,db"))) {
            awaitSucceeded(program);
        }
        assertThat(cluster.kept(NAMESPACE))
                .containsExactlyInAnyOrder(
                        SnapshotNames.snapshot("data", "hourly", later),
                        SnapshotNames.snapshot("db", "hourly", due.toInstant()));
    }

    @Test
    void aRunThatWasCutOffIsCompleted() {
        cluster.snapshot(
                NAMESPACE,
                snapshot,
                "data",
                SnapshotLabels.of(
                        snapshot,
                        "hourly",
                        SnapshotNames.run("hourly", due.toInstant()),
                        Program.INSTALLATION),
                due.toInstant());
        try (Program program = start(Map.of("claims", "data,db"))) {
            awaitSucceeded(program);
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isEqualTo(1);
        assertThat(cluster.kept(NAMESPACE))
                .containsExactly(snapshot, SnapshotNames.snapshot("db", "hourly", due.toInstant()));
    }

    @Test
    void aFireTimeThatIsOlderThanTheStartingDeadlineIsLeftOut() {
        try (Program program = start(Map.of("starting-deadline", "4m"))) {
            awaitLists(2);
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("starts"));
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
    }

    @Test
    void aFireTimeThatIsTooOldIsAFailureWhenItGotNoRun() {
        seed(lastYear);
        try (Program program = start(Map.of("starting-deadline", "4m"))) {
            await().until(() -> !program.told(Level.ERROR).isEmpty());
            assertThat(program.told(Level.ERROR))
                    .singleElement()
                    .asString()
                    .startsWith(
                            SnapshotNames.run("hourly", due.toInstant()) + ": run-schedule failed:")
                    .contains("missed", "starting-deadline (4m)", "run the schedule now");
            program.fire(Instant.now());
            await().until(
                            () ->
                                    program.told(Level.INFO).stream()
                                            .anyMatch(line -> line.contains("recovered")));
        }
    }

    @Test
    void aFireTimeThatIsTooOldIsNotToldWhenItGotItsRun() {
        seed(due.toInstant());
        assertThat(toldAfterLists(1)).isEmpty();
    }

    @Test
    void aFireTimeThatIsTooOldIsAFailureWhenItsRunWasCutOff() {
        for (String claim : List.of("data", "db")) {
            seed(claim, lastYear, lastYear);
        }
        seed(due.toInstant());
        try (Program program =
                start(Map.of("starting-deadline", "4m", "claims", "data,db,never"))) {
            await().until(() -> !program.told(Level.ERROR).isEmpty());
            assertThat(program.told(Level.ERROR))
                    .singleElement()
                    .asString()
                    .startsWith(
                            SnapshotNames.run("hourly", due.toInstant()) + ": run-schedule failed:")
                    .contains("left no snapshot of apps/db, and it is older");
        }
    }

    @Test
    void aFireTimeThatIsTooOldIsAFailureAlsoWhenTheRunBeforeCreatedItsSnapshotsLater() {
        seed("data", lastYear, due.toInstant().plusSeconds(30));
        try (Program program = start(Map.of("starting-deadline", "4m"))) {
            await().until(() -> !program.told(Level.ERROR).isEmpty());
            assertThat(program.told(Level.ERROR)).singleElement().asString().contains("missed");
        }
    }

    @Test
    void aFireTimeBeforeTheScheduleGotItsTriggerIsNotTold() {
        seed(due.toInstant().minus(Duration.ofHours(7)));
        assertThat(toldAfterLists(2)).isEmpty();
    }

    @Test
    void aFireTimeThatIsTooOldIsNotToldWhenALaterRunWasAskedFor() {
        seed(lastYear);
        seed(due.toInstant().plusSeconds(60));
        assertThat(toldAfterLists(2)).isEmpty();
    }

    @Test
    void aFireTimeBeforeTheProgramWasInstalledIsNotTold() {
        assertThat(toldAfterLists(2)).isEmpty();
    }

    @Test
    void whetherAnOldFireTimeGotItsRunIsAskedAgainWhenTheClusterDoesNotAnswer() {
        seed(due.toInstant());
        cluster.faults()
                .answer(
                        request ->
                                request.labelSelector()
                                        .contains(SnapshotNames.run("hourly", due.toInstant())),
                        1,
                        ApiAnswer.status(503, "ServiceUnavailable", "etcd is away"));
        Program program = start(Map.of("starting-deadline", "4m"));
        try (program) {
            awaitLists(1);
            await().until(
                            () -> {
                                program.pass(Duration.ofSeconds(1));
                                return lists() == 2;
                            });
        }
        assertThat(program.told(Level.ERROR)).isEmpty();
    }

    @Test
    void aClusterThatRefusesToTellWhetherAFireTimeGotItsRunIsNotAskedAgainSoon() throws Exception {
        cluster.access().revoke(NAMESPACE, SimulatedCluster.SNAPSHOTS, "list");
        AtomicReference<Instant> now = new AtomicReference<>(due.toInstant().plusSeconds(3600));
        try (Program program = start(Map.of())) {
            KubernetesClient client =
                    program.context()
                            .getRegistry()
                            .lookupByNameAndType("kubernetesClient", KubernetesClient.class);
            FireTimes fireTimes = new FireTimes(now::get);
            Claims claims = new Claims(client, now::get);
            RunStart start =
                    new RunStart(
                            client,
                            claims,
                            new Snapshots(client, claims, now::get),
                            Program.INSTALLATION,
                            new Brake(() -> true, () -> false, any -> false),
                            () -> false,
                            fireTimes,
                            now::get,
                            now::get);
            Exchange fire =
                    ExchangeBuilder.anExchange(program.context())
                            .withHeader("scheduledFireTime", Date.from(due.toInstant()))
                            .withProperty("cause", Firing.Cause.MADE_UP)
                            .build();
            fire.setVariable(
                    Schedule.VARIABLE,
                    PolicyComponent.scheduleOf(program.context(), "hourly").orElseThrow());
            assertThat(start.begin(fire)).isEmpty();
            now.updateAndGet(time -> time.plusSeconds(60));
            assertThat(fireTimes.takeRetry("hourly")).isFalse();
            now.updateAndGet(time -> time.plusSeconds(600));
            assertThat(fireTimes.takeRetry("hourly")).isTrue();
        }
    }

    private void seed(Instant fireTime) {
        seed("data", fireTime, fireTime);
    }

    private void seed(String claim, Instant fireTime, Instant createdAt) {
        String name = SnapshotNames.snapshot(claim, "hourly", fireTime);
        cluster.snapshot(
                NAMESPACE,
                name,
                claim,
                SnapshotLabels.of(
                        name,
                        "hourly",
                        SnapshotNames.run("hourly", fireTime),
                        Program.INSTALLATION),
                createdAt);
    }

    @Test
    void aFireThatWasLeftToTheNextLeaderCountsAsLostForThisOneToo() throws Exception {
        Iterator<Boolean> leads = List.of(true, false).iterator();
        FireTimes fireTimes = new FireTimes(InstantSource.system());
        RunStart start =
                new RunStart(
                        null,
                        null,
                        null,
                        Program.INSTALLATION,
                        new Brake(leads::next, () -> false, any -> false),
                        () -> false,
                        fireTimes,
                        InstantSource.system(),
                        InstantSource.system());
        Exchange fire =
                ExchangeBuilder.anExchange(new DefaultCamelContext())
                        .withHeader("scheduledFireTime", Date.from(TEN))
                        .withHeader("trigger", "its trigger")
                        .build();
        fire.setVariable(Schedule.VARIABLE, new Schedule("hourly", null));
        assertThat(start.begin(fire)).isEmpty();
        assertThat(fireTimes.hasFired("hourly", TEN)).isFalse();
    }

    /** The errors of a program that listed snapshots so often to find out about the run. */
    private List<String> toldAfterLists(int lists) {
        Program program = start(Map.of("starting-deadline", "4m"));
        try (program) {
            awaitLists(lists);
        }
        return program.told(Level.ERROR);
    }

    private void awaitLists(int number) {
        await().until(() -> lists() == number);
    }

    /** How often the schedule's snapshots were listed. */
    private long lists() {
        return cluster.log().count(entry -> entry.labelSelector().contains("hourly"));
    }

    @Test
    void aFireTimeIsNotMadeUpWhenALaterOneHasCome() {
        try (Program program = start(Map.of("starting-deadline", "2h"))) {
            awaitSucceeded(program);
            MissedFires.fire(
                    program.context().getRoute("hourly"),
                    due.toInstant().minus(Duration.ofHours(1)),
                    Firing.Cause.MADE_UP);
            assertThat(program.told(Level.INFO))
                    .filteredOn(line -> line.contains("starts"))
                    .hasSize(1);
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly(snapshot);
    }

    @Test
    void aFireForATimeThatHasHadItsRunIsLeftOut() {
        try (Program program = start(Map.of("starting-deadline", "10m"))) {
            awaitSucceeded(program);
            program.fireByTrigger(Instant.now());
            assertThat(program.told(Level.INFO))
                    .filteredOn(line -> line.contains("starts"))
                    .hasSize(1);
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly(snapshot);
    }

    @Test
    void aFireThatComesLaterThanTheStartingDeadlineIsAFailure() {
        try (Program program = start(Map.of("starting-deadline", "1m"))) {
            program.fireByTrigger(Instant.now());
            assertThat(program.told(Level.ERROR))
                    .singleElement()
                    .asString()
                    .contains("missed", "older than starting-deadline (1m)");
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
    }

    @Test
    void aRunThatBeganInTimeIsTriedAgainBeyondTheStartingDeadline() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        Map<String, String> selecting =
                Map.of("snapshotter.claims", "*", "snapshotter.starting-deadline", "10m");
        try (Program program = Program.start(cluster, selecting)) {
            Faults.Fault away =
                    cluster.faults()
                            .answer(
                                    any -> true,
                                    Faults.ALWAYS,
                                    ApiAnswer.status(503, "ServiceUnavailable", "etcd is away"));
            var run = Program.later(() -> program.fireByTrigger(Instant.now()));
            await().until(() -> away.hits() > 0);
            program.pass(Duration.ofMinutes(20));
            await().until(() -> away.hits() > 1);
            away.cancel();
            run.join();
            assertThat(program.told(Level.INFO))
                    .noneMatch(line -> line.contains("left out"))
                    .anyMatch(line -> line.contains("succeeded, 2 of 2 ready"));
        }
    }

    @Test
    void aRunThatEndsWhileTheProgramStopsIsNotToldAsCutOff() {
        cluster.driver().neverReady();
        try (Program program = start(Map.of("starting-deadline", "1s"))) {
            var run = program.fireLater(TEN);
            await().until(() -> !cluster.snapshots(NAMESPACE).isEmpty());
            var stop = Program.later(program::stop);
            await().until(
                            () ->
                                    program.told(Level.INFO).stream()
                                            .anyMatch(line -> line.contains("told to stop")));
            cluster.driver().heal();
            stop.join();
            run.join();
            assertThat(program.told(Level.INFO))
                    .anyMatch(line -> line.contains("told to stop"))
                    .anyMatch(line -> line.contains("succeeded"))
                    .noneMatch(line -> line.contains("stopped before the end"));
        }
    }

    @Test
    void aSuspendedScheduleNeitherTakesNorPrunes() {
        cluster.snapshot(
                NAMESPACE,
                "old",
                "data",
                SnapshotLabels.of("old", "hourly", "hourly-20261101000000", Program.INSTALLATION),
                TEN.minusSeconds(7200));
        try (Program program = start(Map.of("suspend", "true"))) {
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .contains("hourly: suspended, nothing is taken or pruned");
        }
        assertThat(cluster.kept(NAMESPACE)).containsExactly("old");
    }

    @Test
    void creationsAreSpreadOverTheJitterEachClaimAtItsOwnTime() {
        Policy policy = spreadOverTenMinutes();
        List<Claim> claims =
                IntStream.range(0, 200).mapToObj(i -> new Claim("shop", "claim-" + i)).toList();
        Run ten = run(policy, TEN);
        Run eleven = run(policy, TEN.plusSeconds(3600));
        List<Long> delays = claims.stream().map(ten::startDelay).toList();
        assertThat(delays).allMatch(delay -> delay >= 0 && delay < 600_000);
        assertThat(delays.stream().filter(delay -> delay < 300_000).count()).isBetween(60L, 140L);
        assertThat(claims.stream().map(eleven::startDelay).toList()).isEqualTo(delays);
    }

    private static Policy spreadOverTenMinutes() {
        Map<String, String> settings =
                Map.of(
                        "claims", "*",
                        "keep-last", "1",
                        "ready-timeout", "1m",
                        "poll-interval", "1s",
                        "max-poll-interval", "1s",
                        "starting-deadline", "1m",
                        "freeze-timeout", "30s",
                        "jitter", "10m",
                        "concurrency", "4");
        return Policy.of(
                new Settings(name -> name, name -> Optional.ofNullable(settings.get(name))));
    }

    @Test
    void jitterDelaysTheCreationButNotTheOthers() {
        try (Program program = start(Map.of("jitter", "1s", "claims", "data,db"))) {
            awaitSucceeded(program);
            cluster.log().clear();
            program.fire(Instant.now());
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isEqualTo(2);
    }

    @Test
    void runsOfAScheduleDoNotOverlapWhoeverStartsThem() {
        cluster.driver().readyAfter(Duration.ofMillis(500));
        try (Program program = start(Map.of("starting-deadline", "1s"))) {
            var first = program.fireLater(TEN);
            var second = program.fireLater(TEN.plusSeconds(3600));
            first.join();
            second.join();
            List<String> story =
                    program.told(Level.INFO).stream()
                            .filter(
                                    line ->
                                            line.contains(": starts")
                                                    || line.contains(": succeeded"))
                            .map(line -> line.substring(0, line.indexOf(':')))
                            .toList();
            assertThat(story).hasSize(4);
            assertThat(story.get(0)).isEqualTo(story.get(1));
            assertThat(story.get(2)).isEqualTo(story.get(3));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-7200, -12, 12, 7200})
    void aRunThatGoesOnHasItsTimeWhateverBecomesOfTheWallClock(long step) {
        AtomicReference<Instant> wall = new AtomicReference<>(TEN);
        AtomicReference<Instant> steady = new AtomicReference<>(TEN);
        Claim claim = new Claim(NAMESPACE, "data");
        Policy policy = spreadOverTenMinutes();
        Run run =
                new Run(
                        new Firing(
                                new Schedule("hourly", policy),
                                TEN,
                                ZoneOffset.UTC,
                                Firing.Cause.TRIGGER),
                        List.of(new Target(claim, Optional.empty(), Optional.empty())),
                        Optional.of(NAMESPACE),
                        Program.INSTALLATION,
                        wall::get,
                        steady::get);
        run.pruning().setFacts(ClusterFacts.of(steady.get(), List.of(), ClaimFacts.UNKNOWN));
        wall.set(TEN.plusSeconds(step));
        assertThat(run.hasTime()).isTrue();
        assertThat(run.isStuck()).isFalse();
        assertThat(run.pruning().facts()).isNotNull();
        assertThat(run.startDelay(claim)).isBetween(0L, 600_000L);
        assertThat(run.pollDelay()).isLessThanOrEqualTo(policy.maxPollInterval().toMillis());
        steady.set(TEN.plus(Duration.ofMinutes(12)));
        assertThat(run.hasTime()).isFalse();
        assertThat(run.pruning().facts()).isNull();
    }

    private static Run run(Policy policy, Instant fireTime) {
        return new Run(
                new Firing(
                        new Schedule("hourly", policy),
                        fireTime,
                        ZoneOffset.UTC,
                        Firing.Cause.REQUEST),
                List.of(),
                Optional.of("shop"),
                Program.INSTALLATION,
                () -> fireTime,
                () -> fireTime);
    }

    private Program start(Map<String, String> settings) {
        return Program.of(cluster)
                .with("claims", "data")
                .with("schedule", schedule)
                .with(settings)
                .start();
    }

    private static void awaitSucceeded(Program program) {
        await().until(
                        () ->
                                program.told(Level.INFO).stream()
                                        .anyMatch(l -> l.contains("succeeded")));
    }
}
