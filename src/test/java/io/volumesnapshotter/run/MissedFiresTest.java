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
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.camel.Route;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.component.quartz.QuartzEndpoint;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.quartz.CronTrigger;
import org.quartz.Scheduler;
import org.quartz.TriggerKey;

/** Fire times that are lost while the program runs. */
@Timeout(60)
class MissedFiresTest {

    private static final String EVERY_FIVE_SECONDS = "*/5 * * * * ?";
    private static final String NEVER = "0 0 0 1 1 ? 2099";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Due five minutes ago, and for a year not again. */
    private final String fiveMinutesAgo = dueAt(ZonedDateTime.now(ZoneOffset.UTC).minusMinutes(5));

    @TempDir private Path directory;

    private SimulatedCluster cluster;

    @BeforeEach
    void startCluster() throws Exception {
        cluster = SimulatedCluster.start();
        cluster.claim(NAMESPACE, "data");
        TestRoutes.copyTo(directory);
    }

    @AfterEach
    void stopCluster() {
        cluster.close();
    }

    @Test
    void aFireThatDoesNotComeIsMadeUp() throws Exception {
        try (Program program = start(EVERY_FIVE_SECONDS)) {
            loseAllFires(program);
            Instant lost = Instant.now();
            await().atMost(LIMIT).until(() -> lastDue().isAfter(lost.plusSeconds(5)));
            assertThat(program.told(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aFireThatComesIsNotMadeUpToo() {
        try (Program program = start(EVERY_FIVE_SECONDS)) {
            await().atMost(LIMIT).until(() -> started(program).size() >= 3);
            assertThat(started(program)).doesNotHaveDuplicates();
        }
    }

    @Test
    void aRouteThatIsStoppedIsNotMadeUpBeforeItStartsAgain() throws Exception {
        TestRoutes.schedule(directory, "other");
        try (Program program = start(EVERY_FIVE_SECONDS)) {
            loseAllFires(program);
            program.context().getRouteController().stopRoute("hourly");
            // At the start of the program the time before may have been made up.
            await().atMost(LIMIT).until(() -> count(program, "other-") >= 1);
            long before = count(program, "hourly-");
            await().atMost(LIMIT).until(() -> count(program, "other-") >= 3);
            assertThat(count(program, "hourly-")).isEqualTo(before);
            program.context().getRouteController().startRoute("hourly");
            await().atMost(LIMIT).until(() -> count(program, "hourly-") > before);
        }
    }

    private static long count(Program program, String run) {
        return started(program).stream().filter(line -> line.startsWith(run)).count();
    }

    @Test
    void aFireThatMeetsARouteThatIsBeingStoppedIsMadeUpAgain() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        FireTimes fireTimes = new FireTimes(now::get);
        MissedFires missedFires =
                new MissedFires(null, fireTimes, null, () -> true, null, null, now::get, now::get);
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
        try (Program program = start(EVERY_FIVE_SECONDS)) {
            loseAllFires(program);
            awaitMadeUp();
            load(program, "late", fiveMinutesAgo);
            Instant loaded = Instant.now();
            await().atMost(LIMIT).until(() -> lastDue().isAfter(loaded));
            assertThat(started(program)).noneMatch(line -> line.startsWith("late-"));
        }
    }

    @Test
    void aScheduleWithAnotherTriggerIsNotMadeUpForTimesBefore() throws Exception {
        TestRoutes.schedule(directory, "late");
        try (Program program = start(EVERY_FIVE_SECONDS)) {
            loseAllFires(program);
            awaitMadeUp();
            load(program, "late", NEVER);
            load(program, "late", fiveMinutesAgo);
            Instant loaded = Instant.now();
            await().atMost(LIMIT).until(() -> lastDue().isAfter(loaded));
            assertThat(started(program))
                    .filteredOn(line -> line.startsWith("late-"))
                    .noneMatch(
                            line -> line.contains(SnapshotNames.run("late", due(fiveMinutesAgo))));
        }
    }

    @Test
    void whatPassedWhileARouteWasStoppedIsNoFailure() throws Exception {
        Instant before = Instant.now().truncatedTo(ChronoUnit.HOURS).minusSeconds(3600);
        seed("hourly", before);
        TestRoutes.schedule(directory, "hourly", "starting-deadline: 1s");
        try (Program program = start("*/20 * * * * ?")) {
            program.context().getRouteController().stopRoute("hourly");
            Instant stopped = Instant.now();
            Instant next = Cron.nextDue("*/20 * * * * ?", ZoneOffset.UTC, stopped).orElseThrow();
            await().atMost(LIMIT).until(() -> Instant.now().isAfter(next.plusSeconds(5)));
            int told = program.told(Level.ERROR).size();
            program.context().getRouteController().startRoute("hourly");
            await().during(Duration.ofSeconds(2))
                    .atMost(LIMIT)
                    .until(() -> program.told(Level.ERROR).size() == told);
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
            await().atMost(LIMIT).until(() -> count(program, "hourly-") == 1);
            load(program, "late", fiveMinutesAgo, "starting-deadline: 4m");
            await().during(Duration.ofSeconds(2))
                    .atMost(LIMIT)
                    .until(() -> program.told(Level.ERROR).isEmpty());
        }
    }

    @Test
    void aClockThatIsSetBackStopsNoFires() throws Exception {
        AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ofHours(2));
        try (Program program = start(EVERY_FIVE_SECONDS, ahead)) {
            loseAllFires(program);
            await().atMost(LIMIT).until(() -> lastDue().isAfter(Instant.now()));
            Instant set = Instant.now();
            ahead.set(Duration.ZERO);
            await().atMost(LIMIT).until(() -> dues().anyMatch(due -> isSoonAfter(due, set)));
            assertThat(program.told(Level.WARN))
                    .singleElement()
                    .asString()
                    .matches(".* clock was set back by 7200 s: the next fire times .*");
        }
    }

    @Test
    void aClockThatIsSetAheadStopsNoFires() throws Exception {
        AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);
        try (Program program = start(EVERY_FIVE_SECONDS, ahead)) {
            loseAllFires(program);
            awaitMadeUp();
            Instant set = Instant.now().plusSeconds(7200);
            ahead.set(Duration.ofSeconds(7200));
            await().atMost(LIMIT).until(() -> dues().anyMatch(due -> isSoonAfter(due, set)));
            assertThat(program.told(Level.WARN))
                    .singleElement()
                    .asString()
                    .matches(".* clock was set ahead by 7200 s, or it slept: .*");
        }
    }

    @Test
    void quartzComputesTheNextFireTimeAnewAfterTheClockWasSet() throws Exception {
        AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ofHours(2));
        try (Program program = start(EVERY_FIVE_SECONDS, ahead)) {
            Scheduler scheduler =
                    program.context().getComponent("quartz", QuartzComponent.class).getScheduler();
            scheduler.standby();
            TriggerKey key =
                    ((QuartzEndpoint) program.context().getRoute("hourly").getEndpoint())
                            .getTriggerKey();
            // As it is while the clock is ahead.
            CronTrigger before = (CronTrigger) scheduler.getTrigger(key);
            Date wrong = Date.from(Instant.now().plusSeconds(7200));
            scheduler.rescheduleJob(key, before.getTriggerBuilder().startAt(wrong).build());
            Date anHourLater = Date.from(Instant.now().plusSeconds(3600));
            assertThat(scheduler.getTrigger(key).getNextFireTime()).isAfter(anHourLater);
            await().atMost(LIMIT).until(() -> dues().findAny().isPresent());
            ahead.set(Duration.ZERO);
            await().atMost(LIMIT)
                    .until(() -> scheduler.getTrigger(key).getNextFireTime().before(anHourLater));
            CronTrigger after = (CronTrigger) scheduler.getTrigger(key);
            assertThat(after.getNextFireTime())
                    .isBeforeOrEqualTo(Date.from(Instant.now().plusSeconds(5)));
            assertThat(after.getCronExpression()).isEqualTo(before.getCronExpression());
            assertThat(after.getTimeZone()).isEqualTo(before.getTimeZone());
            assertThat(after.getMisfireInstruction()).isEqualTo(before.getMisfireInstruction());
            assertThat(after.getJobKey()).isEqualTo(before.getJobKey());
        }
    }

    private static boolean isSoonAfter(Instant due, Instant time) {
        return due.isAfter(time.minusSeconds(5)) && due.isBefore(time.plus(LIMIT));
    }

    private Program start(String schedule) {
        return start(schedule, new AtomicReference<>(Duration.ZERO));
    }

    /** Starts with a clock that goes ahead of the machine's. */
    private Program start(String schedule, AtomicReference<Duration> ahead) {
        return Program.start(
                cluster,
                Map.of(
                        "snapshotter.claims",
                        "data",
                        "snapshotter.starting-deadline",
                        "10m",
                        "snapshotter.routes",
                        directory.toString(),
                        "snapshotter.routes-reload",
                        "false",
                        "snapshotter.schedule",
                        schedule),
                () -> Instant.now().plus(ahead.get()));
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

    private static void loseAllFires(Program program) throws Exception {
        program.context().getComponent("quartz", QuartzComponent.class).getScheduler().standby();
    }

    /**
     * Waits until the program has looked for missed fire times, after its triggers were stopped.
     */
    private void awaitMadeUp() {
        Instant lost = Instant.now();
        await().atMost(LIMIT).until(() -> lastDue().isAfter(lost));
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

    private static String dueAt(ZonedDateTime time) {
        ZonedDateTime minute = time.truncatedTo(ChronoUnit.MINUTES);
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

    /** When the runs were due that left a snapshot. */
    private Stream<Instant> dues() {
        return cluster.snapshots(NAMESPACE).stream()
                .map(SimulatedSnapshot::name)
                .filter(name -> name.startsWith("data-hourly-"))
                .map(name -> name.substring("data-hourly-".length()))
                .map(time -> LocalDateTime.parse(time, TIME).toInstant(ZoneOffset.UTC));
    }
}
