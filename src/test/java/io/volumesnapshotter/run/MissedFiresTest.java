package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.camel.Route;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.component.quartz.QuartzEndpoint;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quartz.CronTrigger;
import org.quartz.Scheduler;
import org.quartz.TriggerKey;

/** Fire times that are lost while the program runs. */
class MissedFiresTest {

    private static final Duration UNTIL_DUE = Duration.ofMinutes(30);
    private static final String NEVER = "0 0 0 1 1 ? 2099";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");

    /** Each hour, next in about half an hour: what comes due comes by the program's clock alone. */
    private final String hourly =
            "0 %d * * * ?".formatted(ZonedDateTime.now(ZoneOffset.UTC).plus(UNTIL_DUE).getMinute());

    /** Due five minutes ago, and for a year not again. */
    private final String fiveMinutesAgo = fiveMinutesBefore(Instant.now());

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @BeforeEach
    void startCluster() throws Exception {
        TestRoutes.copyTo(directory);
    }

    @Test
    void aFireThatDoesNotComeIsMadeUp() {
        try (Program program = start(hourly)) {
            Instant due = missFire(program);
            await().until(() -> lastDue().equals(due));
            assertThat(program.told(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aFireThatComesIsNotMadeUpToo() {
        try (Program program = start("*/2 * * * * ?")) {
            await().until(() -> started(program).size() >= 3);
            assertThat(started(program)).doesNotHaveDuplicates();
        }
    }

    @Test
    void aRouteThatIsStoppedIsNotMadeUpBeforeItStartsAgain() throws Exception {
        TestRoutes.schedule(directory, "other");
        try (Program program = start(hourly)) {
            program.context().getRouteController().stopRoute("hourly");
            missFire(program);
            await().until(() -> count(program, "other-") == 1);
            missFire(program);
            await().until(() -> count(program, "other-") == 2);
            assertThat(count(program, "hourly-")).isZero();
            program.context().getRouteController().startRoute("hourly");
            await().until(() -> count(program, "hourly-") == 1);
        }
    }

    @Test
    void aClockThatIsSetBackStopsNoFires() {
        try (Program program = startAhead(Duration.ofHours(2))) {
            program.setClock(Duration.ZERO);
            await().until(() -> !program.told(Level.WARN).isEmpty());
            Instant due = missFire(program);
            await().until(() -> lastDue().equals(due));
            assertThat(program.told(Level.WARN))
                    .containsExactly(
                            "this machine's clock was set back by 7200 s: the next fire times are"
                                    + " computed anew");
        }
    }

    @Test
    void aClockThatIsSetAheadStopsNoFires() {
        try (Program program = start(hourly)) {
            Instant due = Cron.nextDue(hourly, ZoneOffset.UTC, program.now()).orElseThrow();
            program.setClock(Duration.between(program.now(), due.plusSeconds(10)));
            await().until(() -> lastDue().equals(due));
            assertThat(program.told(Level.WARN))
                    .singleElement()
                    .asString()
                    .matches(".* clock was set ahead by 1[78]\\d\\d s, or it slept: .*");
        }
    }

    @Test
    void aSnapshotOfAClockThatWasAheadStandsForNoRunThatIsMadeUp() {
        try (Program program = start(hourly)) {
            Instant due = Cron.nextDue(hourly, ZoneOffset.UTC, program.now()).orElseThrow();
            seed("hourly", due.plusSeconds(7200));
            program.pass(Duration.between(program.now(), due.plusSeconds(10)));
            await().until(() -> dues().anyMatch(due::equals));
        }
    }

    @Test
    void aSnapshotOfAClockThatWasAheadIsNotThatOfTheRunWhoseNameItHas() {
        try (Program program = program(NEVER).clockAhead(Duration.ofHours(2)).start()) {
            Instant due = program.now().truncatedTo(ChronoUnit.SECONDS);
            program.makeUp(due);
            Instant created = cluster.snapshots(NAMESPACE).get(0).createdAt();
            program.setClock(Duration.ZERO);
            await().until(() -> !program.told(Level.WARN).isEmpty());
            cluster.clock(Clock.offset(Clock.systemUTC(), Duration.ofHours(2)));
            program.pass(Duration.ofHours(2));
            program.forgetTold();
            program.makeUp(due);
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(2);
            assertThat(program.told(Level.WARN))
                    .anyMatch(
                            line ->
                                    line.contains("was created at " + created)
                                            && line.contains("it does not count"));
            assertThat(program.told(Level.INFO))
                    .anyMatch(line -> line.contains("succeeded, 1 of 1 ready"));
        }
    }

    @Test
    void quartzComputesTheNextFireTimeAnewAfterTheClockWasSet() throws Exception {
        try (Program program = startAhead(Duration.ofHours(3))) {
            Scheduler scheduler =
                    program.context().getComponent("quartz", QuartzComponent.class).getScheduler();
            TriggerKey key =
                    ((QuartzEndpoint) program.context().getRoute("hourly").getEndpoint())
                            .getTriggerKey();
            CronTrigger before = (CronTrigger) scheduler.getTrigger(key);
            // As it is while the clock is ahead.
            scheduler.rescheduleJob(
                    key,
                    before.getTriggerBuilder()
                            .startAt(Date.from(Instant.now().plus(Duration.ofHours(3))))
                            .build());
            Date inAnHour = Date.from(Instant.now().plus(Duration.ofMinutes(61)));
            assertThat(scheduler.getTrigger(key).getNextFireTime()).isAfter(inAnHour);
            program.setClock(Duration.ZERO);
            await().until(() -> scheduler.getTrigger(key).getNextFireTime().before(inAnHour));
            CronTrigger after = (CronTrigger) scheduler.getTrigger(key);
            assertThat(after.getCronExpression()).isEqualTo(before.getCronExpression());
            assertThat(after.getTimeZone()).isEqualTo(before.getTimeZone());
            assertThat(after.getMisfireInstruction()).isEqualTo(before.getMisfireInstruction());
            assertThat(after.getJobKey()).isEqualTo(before.getJobKey());
        }
    }

    /** Lets a fire time of the hourly schedule pass without a fire. */
    private Instant missFire(Program program) {
        Instant due = Cron.nextDue(hourly, ZoneOffset.UTC, program.now()).orElseThrow();
        program.pass(Duration.between(program.now(), due.plusSeconds(10)));
        return due;
    }

    private static long count(Program program, String run) {
        return started(program).stream().filter(line -> line.startsWith(run)).count();
    }

    @Test
    void aFireThatMeetsARouteThatIsBeingStoppedIsMadeUpAgain() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        FireTimes fireTimes = new FireTimes(now::get);
        MissedFires missedFires =
                new MissedFires(
                        null, null, fireTimes, null, () -> true, null, null, now::get, now::get);
        try (Program program = start(NEVER)) {
            Route route = program.context().getRoute("hourly");
            program.context().getRouteController().stopRoute("hourly");
            missedFires.makeUp(route, now.get());
            now.updateAndGet(time -> time.plusSeconds(60));
            assertThat(fireTimes.takeRetry("hourly")).isTrue();
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void aScheduleThatIsNewIsNotMadeUpForTimesBefore() throws Exception {
        try (Program program = start(hourly)) {
            Instant first = missFire(program);
            await().until(() -> lastDue().equals(first));
            load(program, "late", fiveMinutesBefore(program.now()));
            Instant due = missFire(program);
            await().until(() -> lastDue().equals(due));
            assertThat(started(program)).noneMatch(line -> line.startsWith("late-"));
        }
    }

    @Test
    void aScheduleWithAnotherTriggerIsNotMadeUpForTimesBefore() throws Exception {
        TestRoutes.schedule(directory, "late");
        try (Program program = start(hourly)) {
            Instant first = missFire(program);
            await().until(() -> lastDue().equals(first) && count(program, "late-") == 1);
            load(program, "late", NEVER);
            load(program, "late", fiveMinutesBefore(program.now()));
            Instant due = missFire(program);
            await().until(() -> lastDue().equals(due));
            assertThat(started(program))
                    .filteredOn(line -> line.startsWith("late-"))
                    .singleElement()
                    .asString()
                    .contains(SnapshotNames.run("late", first));
        }
    }

    @Test
    void whatPassedWhileARouteWasStoppedIsNoFailure() throws Exception {
        seed("hourly", Cron.lastDue(hourly, ZoneOffset.UTC, Instant.now()).orElseThrow());
        TestRoutes.schedule(directory, "hourly", "starting-deadline: 1s");
        TestRoutes.schedule(directory, "other");
        try (Program program = start(hourly)) {
            program.context().getRouteController().stopRoute("hourly");
            missFire(program);
            await().until(() -> count(program, "other-") == 1);
            program.context().getRouteController().startRoute("hourly");
            await().during(Duration.ofSeconds(2)).until(() -> program.told(Level.ERROR).isEmpty());
        }
    }

    @Test
    void whatPassedWhileAScheduleWasSuspendedIsNoFailure() throws Exception {
        TestRoutes.schedule(directory, "late", "suspend: true", "starting-deadline: 4m");
        Instant lastYear =
                Cron.lastDue(fiveMinutesAgo, ZoneOffset.UTC, due(fiveMinutesAgo).minusSeconds(1))
                        .orElseThrow();
        List.of("hourly", "late").forEach(schedule -> seed(schedule, lastYear));
        try (Program program = start(fiveMinutesAgo)) {
            await().until(() -> count(program, "hourly-") == 1);
            load(program, "late", fiveMinutesAgo, "starting-deadline: 4m");
            await().during(Duration.ofSeconds(2)).until(() -> program.told(Level.ERROR).isEmpty());
        }
    }

    private Program start(String schedule) {
        return program(schedule).start();
    }

    private Program startAhead(Duration time) {
        return program(hourly).clockAhead(time).start();
    }

    private Program.Builder program(String schedule) {
        return Program.of(cluster)
                .routes(directory)
                .with("claims", "data")
                .with("starting-deadline", "10m")
                .with("routes-reload", "false")
                .with("schedule", schedule);
    }

    private void seed(String schedule, Instant fireTime) {
        String run = SnapshotNames.run(schedule, fireTime);
        cluster.snapshot(
                NAMESPACE,
                "data-" + run,
                "data",
                SnapshotLabels.of("data-" + run, schedule, run, Program.INSTALLATION),
                fireTime);
    }

    private void load(Program program, String name, String cron, String... settings)
            throws Exception {
        TestRoutes.schedule(directory, name, settings);
        Path file = directory.resolve(name + RouteFiles.SUFFIX);
        PluginHelper.getRoutesLoader(program.context())
                .updateRoutes(
                        ResourceHelper.fromString(
                                "file:" + file,
                                Files.readString(file)
                                        .replace("{{cron:{{snapshotter.schedule}}}}", cron)));
    }

    private static String fiveMinutesBefore(Instant instant) {
        ZonedDateTime minute = instant.atZone(ZoneOffset.UTC).minusMinutes(5);
        return "0 %d %d %d %d ?"
                .formatted(
                        minute.getMinute(),
                        minute.getHour(),
                        minute.getDayOfMonth(),
                        minute.getMonthValue());
    }

    private static Instant due(String cron) {
        return Cron.lastDue(cron, ZoneOffset.UTC, Instant.now()).orElseThrow();
    }

    private static List<String> started(Program program) {
        return program.told(Level.INFO).stream().filter(l -> l.contains(": starts")).toList();
    }

    /** When the newest snapshot of the hourly schedule was due. */
    private Instant lastDue() {
        return dues().max(Instant::compareTo).orElse(Instant.MIN);
    }

    private Stream<Instant> dues() {
        return cluster.snapshots(NAMESPACE).stream()
                .map(SimulatedSnapshot::name)
                .filter(name -> name.startsWith("data-hourly-"))
                .map(name -> name.substring("data-hourly-".length()))
                .map(time -> LocalDateTime.parse(time, TIME).toInstant(ZoneOffset.UTC));
    }
}
