package io.volumesnapshotter.observe;

import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.run.DeadLetter;
import io.volumesnapshotter.run.FailureLog;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Says of each schedule when its claims were well, against when that was due. It is a detail for
 * those who look: a pod is neither restarted nor taken for not ready because of it.
 */
public final class ScheduleHealth extends AbstractHealthCheck {

    /** So many intervals without a success are too many. */
    private static final int INTERVALS = 2;

    private final ScheduleRegistry schedules;
    private final RunHistory journal;
    private final FailureLog failures;
    private final InstantSource clock;

    public ScheduleHealth(
            ScheduleRegistry schedules,
            RunHistory journal,
            FailureLog failures,
            InstantSource clock) {
        super("volume-snapshotter", "schedules");
        this.schedules = schedules;
        this.journal = journal;
        this.failures = failures;
        this.clock = clock;
    }

    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    public boolean isReadiness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        List<String> ill = new ArrayList<>();
        for (ScheduleEntry schedule : schedules.entries()) {
            String state = state(schedule);
            if (state.equals("late") || state.equals("failed")) {
                ill.add(schedule.name() + " " + state);
            }
            Map<String, Object> shown = new LinkedHashMap<>();
            shown.put("state", state);
            worst(schedule)
                    .ifPresent(
                            success -> {
                                shown.put("oldestSuccess", text(success.getValue()));
                                shown.put("oldestSuccessOf", success.getKey().toString());
                            });
            oldestProof(schedule)
                    .ifPresent(
                            proof -> {
                                shown.put("oldestProof", text(proof.getValue()));
                                shown.put("oldestProofOf", proof.getKey().toString());
                            });
            journal.lastRun(schedule.name())
                    .ifPresent(
                            run -> {
                                shown.put("lastRun", run.name());
                                shown.put("lastRunEnded", text(run.ended()));
                                shown.put("lastRunOutcome", run.outcome());
                            });
            schedule.nextDue().ifPresent(next -> shown.put("nextDue", text(next)));
            schedule.interval()
                    .ifPresent(interval -> shown.put("interval", Settings.text(interval)));
            builder.detail(schedule.name(), shown);
        }
        if (ill.isEmpty()) {
            builder.up();
        } else {
            builder.down().message(DeadLetter.names(ill));
        }
    }

    private static String text(Instant instant) {
        return instant.equals(RunHistory.NEVER)
                ? "never"
                : instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private Optional<Map.Entry<Claim, Instant>> worst(ScheduleEntry schedule) {
        return journal.successes(schedule.name()).entrySet().stream()
                .min(Map.Entry.comparingByValue(Comparator.naturalOrder()));
    }

    /** The proof that is the oldest of a schedule that drills. */
    private Optional<Map.Entry<Claim, Instant>> oldestProof(ScheduleEntry schedule) {
        return journal.proofs(schedule.name()).entrySet().stream()
                .map(
                        known ->
                                Map.entry(
                                        known.getKey(),
                                        known.getValue()
                                                .flatMap(Proof::provenAt)
                                                .orElse(RunHistory.NEVER)))
                .min(Map.Entry.comparingByValue(Comparator.naturalOrder()));
    }

    private boolean isProvenTooLongAgo(ScheduleEntry schedule) {
        return schedule.schedule()
                .policy()
                .drill()
                .flatMap(
                        drill ->
                                oldestProof(schedule)
                                        .map(Map.Entry::getValue)
                                        .filter(at -> !at.equals(RunHistory.NEVER))
                                        .filter(
                                                at ->
                                                        at.isBefore(
                                                                clock.instant()
                                                                        .minus(drill.within()))))
                .isPresent();
    }

    private String state(ScheduleEntry schedule) {
        if (schedules.isResting(schedule)) {
            return "suspended";
        }
        if (isProvenTooLongAgo(schedule)) {
            return "late";
        }
        Optional<Instant> oldest = worst(schedule).map(Map.Entry::getValue);
        Duration limit = schedule.interval().orElse(Duration.ZERO).multipliedBy(INTERVALS);
        if (!limit.isZero()
                && oldest.isPresent()
                && oldest.get().isBefore(clock.instant().minus(limit))) {
            return "late";
        }
        boolean failed =
                failures.count(schedule.name()) > 0
                        || journal.lastRun(schedule.name())
                                .filter(run -> run.outcome().equals(RunHistory.FAILURE))
                                .isPresent();
        return failed ? "failed" : "ok";
    }
}
