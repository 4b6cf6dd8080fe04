package io.volumesnapshotter.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.camel.Route;

/**
 * A schedule that is there, and when it is due, as it was seen last.
 *
 * @param schedule name and policy
 * @param route its route; empty while that is being exchanged
 * @param trigger when it fires; empty when no cron expression says so
 * @param lastDue the last time at which it was due while it was there; for one that was there when
 *     the program started also the last time before
 * @param nextDue when it is due next
 * @param interval how far apart its runs are meant to be at this time
 */
public record ScheduleEntry(
        Schedule schedule,
        Optional<Route> route,
        Optional<Trigger> trigger,
        Optional<Instant> lastDue,
        Optional<Instant> nextDue,
        Optional<Duration> interval) {

    /** A schedule that is loaded at an instant: the times before are none of its own. */
    static ScheduleEntry loaded(
            Schedule schedule, Optional<Route> route, Optional<Trigger> trigger, Instant now) {
        return new ScheduleEntry(
                schedule,
                route,
                trigger,
                Optional.empty(),
                trigger.flatMap(any -> any.nextDue(now)),
                trigger.flatMap(any -> any.intervalAt(now)));
    }

    /** Name of the schedule. */
    public String name() {
        return schedule.name();
    }

    /** This one with the last time before an instant, too. */
    ScheduleEntry withTimeBefore(Instant now) {
        return with(trigger.flatMap(any -> any.lastDue(now)), nextDue, interval);
    }

    /** This one with another policy and route, and the same trigger. */
    ScheduleEntry exchanged(Schedule other, Optional<Route> by) {
        return new ScheduleEntry(other, by, trigger, lastDue, nextDue, interval);
    }

    /** This one at an instant, which may be later than its next fire time. */
    ScheduleEntry at(Instant now) {
        if (nextDue.isEmpty() || nextDue.get().isAfter(now)) {
            return this;
        }
        return with(
                trigger.flatMap(any -> any.lastDue(now)).or(() -> nextDue),
                trigger.flatMap(any -> any.nextDue(now)),
                trigger.flatMap(any -> any.intervalAt(now)));
    }

    /**
     * This one after the clock was set: what is in the future by now is not due yet, and may be due
     * sooner than it was. What was passed over stays to be seen by {@link #at}.
     */
    ScheduleEntry afterJump(Instant now) {
        Optional<Instant> next = trigger.flatMap(any -> any.nextDue(now));
        boolean isSooner = next.isPresent() && nextDue.filter(next.get()::isAfter).isEmpty();
        return with(lastDue.filter(due -> !due.isAfter(now)), isSooner ? next : nextDue, interval);
    }

    private ScheduleEntry with(
            Optional<Instant> last, Optional<Instant> next, Optional<Duration> apart) {
        return new ScheduleEntry(schedule, route, trigger, last, next, apart);
    }
}
