package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Target;
import java.util.List;

/**
 * The claims that whoever fires has chosen, in place of those that the schedule selects.
 *
 * @param targets what to take snapshots of
 */
record Chosen(List<Target> targets) {

    /** Property of the exchange that carries it. */
    static final String PROPERTY = "chosen";
}
