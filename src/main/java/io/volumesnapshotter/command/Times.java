package io.volumesnapshotter.command;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times as people give them to commands, and as commands show them. */
final class Times {

    private static final Pattern FROM_NOW =
            Pattern.compile("(?:(\\d{1,5})d)?(?:(\\d{1,5})h)?(?:(\\d{1,5})m)?");

    private Times() {}

    /**
     * A time in RFC 3339, a date (its first second in UTC), or how far from now it is.
     *
     * @param option whose value it is
     * @throws CommandException when it is none
     */
    static Instant of(String option, String text, Instant now) {
        Matcher fromNow = FROM_NOW.matcher(text);
        if (!text.isEmpty() && fromNow.matches()) {
            return now.plus(Duration.ofDays(number(fromNow.group(1))))
                    .plus(Duration.ofHours(number(fromNow.group(2))))
                    .plus(Duration.ofMinutes(number(fromNow.group(3))))
                    .truncatedTo(ChronoUnit.SECONDS);
        }
        try {
            return text.indexOf('T') < 0
                    ? LocalDate.parse(text).atStartOfDay().toInstant(ZoneOffset.UTC)
                    : OffsetDateTime.parse(text).toInstant().truncatedTo(ChronoUnit.SECONDS);
        } catch (DateTimeException e) {
            throw CommandException.usage(
                    option + " \"" + text + "\" is not a time",
                    "give one such as 2026-12-01T02:00:00Z, 2026-12-01, or how far from now: 7d,"
                            + " 12h, 1d12h");
        }
    }

    private static long number(String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }

    /** How long ago, as kubectl shows it: its two largest units at most. */
    static String age(Instant since, Instant now) {
        long seconds = Math.max(0, Duration.between(since, now).toSeconds());
        if (seconds < 120) {
            return seconds + "s";
        }
        long minutes = seconds / 60;
        if (minutes < 10) {
            return minutes + "m" + part(seconds % 60, "s");
        }
        if (minutes < 180) {
            return minutes + "m";
        }
        long hours = minutes / 60;
        if (hours < 8) {
            return hours + "h" + part(minutes % 60, "m");
        }
        if (hours < 48) {
            return hours + "h";
        }
        long days = hours / 24;
        return days < 8 ? days + "d" + part(hours % 24, "h") : days + "d";
    }

    private static String part(long number, String unit) {
        return number == 0 ? "" : number + unit;
    }

    /** An instant to the second, in RFC 3339 and UTC. */
    static String text(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
