package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;

/**
 * What is fixed at the instant at which a schedule fires: whatever is edited while its run waits is
 * for the next one.
 *
 * @param schedule name and policy
 * @param due when it was due, in whole seconds; not when it fired
 * @param zone in which the keep rules mean hours, days, weeks, months and years
 * @param cause why it fires
 * @param key what stands in the names of the run and of its snapshots in place of the time, so that
 *     whoever asks again with it meets the same snapshots
 */
public record Firing(
        Schedule schedule, Instant due, ZoneId zone, Cause cause, Optional<String> key) {

    /** One that nobody gave a key. */
    public Firing(Schedule schedule, Instant due, ZoneId zone, Cause cause) {
        this(schedule, due, zone, cause, Optional.empty());
    }

    /** Property of the exchange that carries it. */
    public static final String PROPERTY = "firing";

    /** Why a schedule fires. */
    public enum Cause {
        /** Its trigger was due. */
        TRIGGER,
        /** Its trigger was due and its run, or the end of it, was missed. */
        MADE_UP,
        /** Its run failed, and somebody wants it again. */
        REPLAY,
        /** Somebody wants a run now. */
        REQUEST;

        /** Whether no person asked for it. */
        boolean isAutomatic() {
            return this == TRIGGER || this == MADE_UP;
        }

        /** Whether an earlier try of the same run may have left snapshots. */
        boolean mayHaveBegun() {
            return this == MADE_UP || this == REPLAY;
        }
    }

    /** The name of the run. */
    public String run() {
        return key.map(text -> SnapshotNames.run(schedule.name(), text))
                .orElseGet(() -> SnapshotNames.run(schedule.name(), due));
    }
}
