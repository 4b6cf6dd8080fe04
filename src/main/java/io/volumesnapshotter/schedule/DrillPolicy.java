package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.DrillSettings;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.util.Optional;

/**
 * What a schedule does that drills, beside which claims it does it for.
 *
 * @param within in what time each claim is to be proven once
 * @param most how many claims a run drills at most
 * @param maxAge how old the data of a claim's newest snapshot may be
 * @param image the image of the pod that reads it
 * @param script what a shell runs as the check; empty for the default
 * @param user the uid that the check runs as
 * @param checkTimeout how long the check may take
 * @param startTimeout how long to wait for the volume, and then for the pod
 * @param storageClass the class of the temporary claims; empty for the claim's own
 * @param report the directory that gets reports; empty for none
 */
public record DrillPolicy(
        Duration within,
        int most,
        Duration maxAge,
        String image,
        Optional<String> script,
        int user,
        Duration checkTimeout,
        Duration startTimeout,
        Optional<String> storageClass,
        String report) {

    /** How long to wait until what was made is removed. */
    private static final Duration TO_REMOVE = Duration.ofMinutes(5);

    static DrillPolicy of(Settings settings) {
        return new DrillPolicy(
                settings.get(DrillSettings.WITHIN),
                settings.get(DrillSettings.MAX_DRILLS),
                settings.get(DrillSettings.MAX_AGE),
                settings.get(DrillSettings.IMAGE),
                settings.get(DrillSettings.SCRIPT),
                settings.get(DrillSettings.USER),
                settings.get(DrillSettings.CHECK_TIMEOUT),
                settings.get(DrillSettings.START_TIMEOUT),
                settings.get(DrillSettings.RESTORE_STORAGE_CLASS),
                settings.get(DrillSettings.REPORT));
    }

    /** How long a run may take that drills as many claims as it may. */
    Duration longestRun() {
        return startTimeout.multipliedBy(2).plus(checkTimeout).plus(TO_REMOVE).multipliedBy(most);
    }
}
