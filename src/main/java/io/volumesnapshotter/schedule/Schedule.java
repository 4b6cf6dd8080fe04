package io.volumesnapshotter.schedule;

/**
 * A schedule by its name, which is its route's id, with what it does when it fires.
 *
 * @param name name of the schedule
 * @param policy what it does
 */
public record Schedule(String name, Policy policy) {

    /** The exchange variable in which a schedule's route hands it on. */
    public static final String VARIABLE = "schedule";
}
