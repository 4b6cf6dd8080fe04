package io.volumesnapshotter.snapshot;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What a schedule keeps of each claim's snapshots. The rules mean what restic's {@code forget}
 * means by them; a snapshot stays if any rule keeps it, and without any rule everything stays.
 *
 * @param last how many of the newest stay
 * @param within all that are less than this older than the newest stay; the present does not matter
 * @param hourly of how many hours the newest one stays; hours without a snapshot do not count
 * @param daily of how many days the newest one stays
 * @param weekly of how many weeks, which begin on Monday, the newest one stays
 * @param monthly of how many months the newest one stays
 * @param yearly of how many years the newest one stays
 * @param failed how many that never became ready, and could go, stay to be looked at
 */
public record Keep(
        OptionalInt last,
        Optional<Duration> within,
        OptionalInt hourly,
        OptionalInt daily,
        OptionalInt weekly,
        OptionalInt monthly,
        OptionalInt yearly,
        int failed) {

    private static final int DEFAULT_FAILED = 1;

    /**
     * @throws IllegalArgumentException when a count is below 1, a duration not above 0, or {@code
     *     failed} negative
     */
    public Keep {
        if (counts(last, hourly, daily, weekly, monthly, yearly)
                        .anyMatch(count -> count.orElse(1) < 1)
                || within.filter(duration -> duration.isZero() || duration.isNegative()).isPresent()
                || failed < 0) {
            throw new IllegalArgumentException("nothing to keep by one of the rules");
        }
    }

    /**
     * Reads the rules; one whose setting is empty or missing is not given.
     *
     * @throws InvalidSettingException when a setting is wrong
     */
    public static Keep of(Settings settings) {
        return new Keep(
                settings.get(ScheduleSettings.KEEP_LAST),
                settings.get(ScheduleSettings.KEEP_WITHIN),
                settings.get(ScheduleSettings.KEEP_HOURLY),
                settings.get(ScheduleSettings.KEEP_DAILY),
                settings.get(ScheduleSettings.KEEP_WEEKLY),
                settings.get(ScheduleSettings.KEEP_MONTHLY),
                settings.get(ScheduleSettings.KEEP_YEARLY),
                settings.get(ScheduleSettings.KEEP_FAILED).orElse(DEFAULT_FAILED));
    }

    /** Whether no rule is given, so that everything stays. */
    public boolean isEverything() {
        return within.isEmpty()
                && counts(last, hourly, daily, weekly, monthly, yearly)
                        .allMatch(OptionalInt::isEmpty);
    }

    private static Stream<OptionalInt> counts(OptionalInt... counts) {
        return Stream.of(counts);
    }
}
