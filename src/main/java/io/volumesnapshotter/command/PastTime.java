package io.volumesnapshotter.command;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A time that is over, as users say it: with its offset from UTC, or so long ago. */
final class PastTime {

    private static final Pattern AGO = Pattern.compile("(\\d{1,6})([smhd])");

    private PastTime() {}

    /**
     * Reads one.
     *
     * @param option the option that has it
     * @throws InvalidSettingException when it is none, or not over yet
     */
    static Instant of(String option, String text, InstantSource clock) {
        Instant time;
        Matcher ago = AGO.matcher(text);
        try {
            time =
                    ago.matches()
                            ? clock.instant().minus(unit(ago.group(2), ago.group(1)))
                            : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw new InvalidSettingException(
                    option,
                    text,
                    "give a time with its offset, such as 2026-11-22T07:00:00Z, or how long ago,"
                            + " such as 3h");
        }
        if (time.isAfter(clock.instant())) {
            throw new InvalidSettingException(option, text, "give a time that is over");
        }
        return time;
    }

    private static Duration unit(String unit, String number) {
        long count = Long.parseLong(number);
        return switch (unit) {
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }
}
