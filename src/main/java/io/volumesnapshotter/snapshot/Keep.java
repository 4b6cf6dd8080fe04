package io.volumesnapshotter.snapshot;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a schedule keeps of each claim's snapshots. The rules mean what restic's {@code forget}
 * means by them; a snapshot stays if any rule keeps it, and without any rule everything stays.
 *
 * @param last how many of the newest stay
 * @param within all stay that are younger than this, counted from the newest, not from now
 * @param hourly of how many hours, of those that hold a snapshot, the newest one stays
 * @param daily the same for days
 * @param weekly the same for weeks, which begin on Monday
 * @param monthly the same for months
 * @param yearly the same for years
 * @param failed how many that never became ready, of those that could go, stay for looking at
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

    /** The names of the settings that are the rules, as they stand in a schedule's file. */
    public static final Set<String> RULES =
            Set.of(
                    "keep-last",
                    "keep-within",
                    "keep-hourly",
                    "keep-daily",
                    "keep-weekly",
                    "keep-monthly",
                    "keep-yearly");

    /** The names of all settings that are read. */
    public static final Set<String> SETTINGS =
            Stream.concat(RULES.stream(), Stream.of("keep-failed"))
                    .collect(Collectors.toUnmodifiableSet());

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
                settings.optionalAtLeastOne("keep-last"),
                settings.optionalHoursAndDays("keep-within"),
                settings.optionalAtLeastOne("keep-hourly"),
                settings.optionalAtLeastOne("keep-daily"),
                settings.optionalAtLeastOne("keep-weekly"),
                settings.optionalAtLeastOne("keep-monthly"),
                settings.optionalAtLeastOne("keep-yearly"),
                settings.optionalAtLeastZero("keep-failed").orElse(DEFAULT_FAILED));
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
