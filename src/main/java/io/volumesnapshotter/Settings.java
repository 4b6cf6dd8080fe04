package io.volumesnapshotter;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.util.TimeUtils;

/**
 * Reads typed values from named texts. Each reader throws {@link InvalidSettingException} with the
 * setting's name, its value and what would be right.
 */
public final class Settings {

    /** What the names of the program's own settings start with. */
    public static final String PREFIX = "snapshotter.";

    private static final Pattern DURATION = Pattern.compile("(?:\\d+(?:ms|s|m|h|d))+");
    private static final Pattern HOURS_AND_DAYS =
            Pattern.compile("(?:(\\d{1,9})d)?(?:(\\d{1,9})h)?");
    private static final String DNS_REMEDY =
            "lower case letters, digits, '-' and '.', first and last a letter or digit, at most "
                    + Names.MAX_NAME
                    + " characters";

    private final String place;
    private final Function<String, Optional<String>> values;

    /**
     * @param place what stands before a setting's name in messages, such as a file's name
     * @param values finds a setting's text by its name
     */
    public Settings(String place, Function<String, Optional<String>> values) {
        this.place = place;
        this.values = values;
    }

    /** The setting's text, trimmed; empty when it is not set. */
    String text(String name) {
        return values.apply(name).map(String::trim).orElse("");
    }

    /** Names of claims, in the order given, each once, at least one. */
    List<String> claims(String name) {
        List<String> claims =
                Arrays.stream(text(name).split(","))
                        .map(String::trim)
                        .filter(Predicate.not(String::isEmpty))
                        .distinct()
                        .toList();
        if (claims.isEmpty()) {
            throw invalid(name, "name at least one claim; several are separated by commas");
        }
        for (String claim : claims) {
            if (!Names.isSubdomain(claim)) {
                throw new InvalidSettingException(
                        place + name, claim, "a claim's name has " + DNS_REMEDY);
            }
        }
        return claims;
    }

    /** A namespace's name, or empty. */
    Optional<String> namespace(String name) {
        return optional(
                name,
                Names::isLabel,
                "a namespace's name has lower case letters, digits and '-', first and last a letter"
                        + " or digit, at most "
                        + Names.MAX_LABEL
                        + " characters");
    }

    /** An object's name, or empty. */
    Optional<String> objectName(String name) {
        return optional(name, Names::isSubdomain, "a name has " + DNS_REMEDY);
    }

    /** A whole number of 1 or more, or empty. */
    OptionalInt optionalAtLeastOne(String name) {
        return optionalAtLeast(1, name);
    }

    /** A whole number of 0 or more, or empty. */
    OptionalInt optionalAtLeastZero(String name) {
        return optionalAtLeast(0, name);
    }

    private OptionalInt optionalAtLeast(int least, String name) {
        if (text(name).isEmpty()) {
            return OptionalInt.empty();
        }
        try {
            int number = Integer.parseInt(text(name));
            if (number >= least) {
                return OptionalInt.of(number);
            }
        } catch (NumberFormatException e) {
            // told below, like a number that is too small
        }
        throw invalid(name, "give a whole number, " + least + " or more");
    }

    /** A duration of at least a millisecond, such as {@code 90s} or {@code 1h30m}. */
    Duration duration(String name) {
        if (DURATION.matcher(text(name)).matches()) {
            try {
                Duration duration = TimeUtils.toDuration(text(name));
                if (duration.toMillis() > 0 && duration.compareTo(Duration.ofDays(366)) < 0) {
                    return duration;
                }
            } catch (IllegalArgumentException e) {
                // told below
            }
        }
        throw invalid(
                name, "give a duration above 0 with its unit, such as 500ms, 90s, 15m, 1h30m");
    }

    /**
     * Hours and days such as {@code 7d} or {@code 1d12h}, at most 100 years, or empty. {@code m} is
     * refused: it is a month in restic's {@code keep-within} and a minute in {@link #duration}.
     */
    Optional<Duration> optionalHoursAndDays(String name) {
        if (text(name).isEmpty()) {
            return Optional.empty();
        }
        Matcher parts = HOURS_AND_DAYS.matcher(text(name));
        if (parts.matches()) {
            Duration duration =
                    Duration.ofDays(number(parts.group(1))).plusHours(number(parts.group(2)));
            if (!duration.isZero() && duration.compareTo(Duration.ofDays(36_525)) <= 0) {
                return Optional.of(duration);
            }
        }
        throw invalid(name, "give hours or days above 0, such as 12h, 7d, 1d12h; a month is 30d");
    }

    private static long number(String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }

    /** A time zone of the JVM's zone data. */
    ZoneId zone(String name) {
        try {
            return ZoneId.of(text(name));
        } catch (DateTimeException e) {
            throw invalid(
                    name, "give a name of the time zone database, such as UTC or Europe/Berlin");
        }
    }

    /** A schedule, in Quartz's form. */
    String cron(String name) {
        return Cron.toQuartz(place + name, text(name));
    }

    InvalidSettingException invalid(String name, String remedy) {
        return new InvalidSettingException(place + name, text(name), remedy);
    }

    private Optional<String> optional(String name, Predicate<String> valid, String remedy) {
        if (text(name).isEmpty()) {
            return Optional.empty();
        }
        if (!valid.test(text(name))) {
            throw invalid(name, remedy);
        }
        return Optional.of(text(name));
    }
}
