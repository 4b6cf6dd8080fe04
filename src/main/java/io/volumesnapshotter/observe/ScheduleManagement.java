package io.volumesnapshotter.observe;

import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.run.ClaimPlan;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.run.MissedFires;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.run.Snapshots;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Route;

/**
 * Shows one schedule and runs it when told to. It asks the registry each time, so it stays the same
 * when the route is exchanged.
 */
public final class ScheduleManagement implements ScheduleMXBean {

    private static final int FIRE_TIMES = 5;

    private final String name;
    private final ScheduleRegistry registry;
    private final RunStart runs;
    private final RunHistory journal;
    private final Snapshots snapshots;
    private final BooleanSupplier leader;
    private final Executor executor;
    private final InstantSource clock;
    private final AtomicBoolean asked = new AtomicBoolean();

    /**
     * @param leader whether this program is the one that runs schedules
     * @param executor where runs are waited for, one thread for each
     */
    public ScheduleManagement(
            String name,
            ScheduleRegistry registry,
            RunStart runs,
            RunHistory journal,
            Snapshots snapshots,
            BooleanSupplier leader,
            Executor executor,
            InstantSource clock) {
        this.name = name;
        this.registry = registry;
        this.runs = runs;
        this.journal = journal;
        this.snapshots = snapshots;
        this.leader = leader;
        this.executor = executor;
        this.clock = clock;
    }

    private Optional<Trigger> trigger() {
        return registry.find(name).flatMap(ScheduleEntry::trigger);
    }

    private Schedule schedule() {
        return registry.find(name)
                .map(ScheduleEntry::schedule)
                .orElseThrow(
                        () -> new IllegalStateException("there is no schedule \"" + name + "\""));
    }

    @Override
    public List<String> getNextFireTimes() {
        List<String> times = new ArrayList<>();
        Optional<Trigger> trigger = trigger();
        Optional<Instant> next = trigger.flatMap(any -> any.nextDue(clock.instant()));
        while (next.isPresent() && times.size() < FIRE_TIMES) {
            times.add(next.get().toString());
            next = trigger.get().nextDue(next.get());
        }
        return times;
    }

    @Override
    public String getCron() {
        return trigger().map(Trigger::cron).orElse(null);
    }

    @Override
    public String getTimeZone() {
        return trigger().map(trigger -> trigger.zone().getId()).orElse(null);
    }

    @Override
    public boolean isSuspended() {
        return registry.isSuspended(schedule());
    }

    @Override
    public String getRunning() {
        return journal.running(name).orElse(null);
    }

    @Override
    public Map<String, String> getLastRun() {
        Map<String, String> shown = new LinkedHashMap<>();
        journal.lastRun(name)
                .ifPresent(
                        run -> {
                            shown.put("name", run.name());
                            shown.put("started", second(run.started()));
                            shown.put("ended", second(run.ended()));
                            shown.put("outcome", run.outcome());
                        });
        return shown;
    }

    private static String second(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    @Override
    public Map<String, String> getLastRunClaims() {
        return journal.lastRun(name)
                .<Map<String, String>>map(RunHistory.LastRun::claims)
                .orElse(Map.of());
    }

    @Override
    public Map<String, String> getLastSuccess() {
        Map<String, String> shown = new TreeMap<>();
        journal.successes(name)
                .forEach(
                        (claim, at) ->
                                shown.put(
                                        claim.toString(),
                                        at.equals(RunHistory.NEVER) ? "never" : second(at)));
        return shown;
    }

    @Override
    public Map<String, String> getPolicy() {
        return registry.find(name)
                .flatMap(ScheduleEntry::route)
                .map(PolicyComponent::settingsOf)
                .orElse(Map.of());
    }

    @Override
    public String runNow() {
        if (!asked.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "the run of \"" + name + "\" that was asked for last has not ended yet");
        }
        try {
            Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
            boolean waits = runs.isBusy(name);
            fire(registry, leader, this::execute, name, now, Firing.Cause.REQUEST);
            return SnapshotNames.run(name, now)
                    + (waits ? " starts when the run that goes on has ended" : " starts");
        } catch (RuntimeException e) {
            asked.set(false);
            throw e;
        }
    }

    private void execute(Runnable run) {
        executor.execute(
                () -> {
                    try {
                        run.run();
                    } finally {
                        asked.set(false);
                    }
                });
    }

    /**
     * Runs a schedule in the background.
     *
     * @param cause why it runs
     * @throws IllegalStateException when another replica leads, or the schedule is suspended or its
     *     route stopped
     */
    static void fire(
            ScheduleRegistry registry,
            BooleanSupplier leader,
            Executor executor,
            String schedule,
            Instant due,
            Firing.Cause cause) {
        if (!leader.getAsBoolean()) {
            throw new IllegalStateException("another replica leads; ask that one");
        }
        Optional<ScheduleEntry> entry = registry.find(schedule);
        Route route = entry.flatMap(ScheduleEntry::route).orElse(null);
        if (route == null || !MissedFires.takesFires(route)) {
            throw new IllegalStateException("schedule \"" + schedule + "\" does not run now");
        }
        if (registry.isSuspended(entry.get().schedule())) {
            throw new IllegalStateException("schedule \"" + schedule + "\" is suspended");
        }
        executor.execute(() -> MissedFires.fire(route, due, cause));
    }

    @Override
    public String suspend() {
        registry.suspend(name, true);
        return name + " is suspended until it is resumed or the program ends";
    }

    @Override
    public String resume() {
        if (schedule().policy().suspend()) {
            throw new IllegalStateException(
                    "suspend: true stands in the settings of \"" + name + "\"; change it there");
        }
        registry.suspend(name, false);
        return name + " runs when it is due";
    }

    @Override
    public String plan() {
        if (schedule().policy().drill().isPresent()) {
            return journal.proofs(name).entrySet().stream()
                    .map(ScheduleManagement::line)
                    .collect(Collectors.joining("\n"));
        }
        Run run =
                runs.imagine(
                        schedule(), trigger(), clock.instant().truncatedTo(ChronoUnit.SECONDS));
        List<String> plan =
                run.pruning().plan(snapshots.facts(run)).stream()
                        .flatMap(ScheduleManagement::lines)
                        .toList();
        return plan.isEmpty() ? "no claim is selected" : String.join("\n", plan);
    }

    private static String line(Map.Entry<Claim, Optional<Proof>> known) {
        return known.getKey() + ": " + known.getValue().map(Proof::words).orElse("never drilled");
    }

    private static Stream<String> lines(ClaimPlan plan) {
        return Stream.concat(
                plan.takes().stream().map(name -> plan.claim() + ": take " + name),
                plan.decisions().stream()
                        .map(
                                decision ->
                                        "%s: %s %s: %s"
                                                .formatted(
                                                        plan.claim(),
                                                        decision.stale() ? "delete" : "keep",
                                                        decision.snapshot().name(),
                                                        decision.reason())));
    }
}
