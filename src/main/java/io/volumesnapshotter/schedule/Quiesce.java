package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.util.Optional;

/**
 * How the application of each claim is frozen while storage cuts.
 *
 * @param kind names the routes that do it: {@code freeze-<kind>} and {@code thaw-<kind>}
 * @param dataSource which database, for kinds that log in to one
 * @param timeout how long a freeze may last
 */
public record Quiesce(String kind, Optional<String> dataSource, Duration timeout) {

    static Optional<Quiesce> of(Settings settings) {
        Optional<String> dataSource = settings.get(ScheduleSettings.DATA_SOURCE);
        Duration timeout = settings.get(ScheduleSettings.FREEZE_TIMEOUT);
        return settings.get(ScheduleSettings.QUIESCE)
                .map(kind -> new Quiesce(kind, dataSource, timeout));
    }
}
