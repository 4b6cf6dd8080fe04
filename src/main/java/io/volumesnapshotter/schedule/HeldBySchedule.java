package io.volumesnapshotter.schedule;

import java.util.function.Predicate;

/**
 * Something that is kept in memory for each schedule. The {@link ScheduleRegistry} lets it forget
 * those that are gone, again and again, as a run that still ends may add to it afterwards.
 */
@FunctionalInterface
public interface HeldBySchedule {

    /**
     * Forgets what it holds of schedules that are not there any more.
     *
     * @param isThere whether the schedule of a name is there
     */
    void retain(Predicate<String> isThere);
}
