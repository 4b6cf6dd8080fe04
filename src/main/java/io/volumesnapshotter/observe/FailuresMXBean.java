package io.volumesnapshotter.observe;

import java.util.List;
import java.util.Map;

/** Failures as JMX shows them, as {@code io.volumesnapshotter:type=Failures}. */
public interface FailuresMXBean {

    /** What is failed now, each claim of a schedule once, by the names of its fields. */
    List<Map<String, String>> getOpen();

    /** The last failures and recoveries, the newest last. */
    List<Map<String, String>> getRecent();

    /**
     * Starts a run again, in the background: it asks for what is missing, waits for what is not
     * ready and prunes. Snapshots are named after the run, so none is taken twice.
     *
     * @param run name of a run that failed
     * @return what was done
     * @throws IllegalArgumentException when no such run is known to have failed
     * @throws IllegalStateException when another replica leads, the schedule's route is stopped or
     *     the schedule is suspended
     */
    String replay(String run);
}
