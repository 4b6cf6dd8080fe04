package io.volumesnapshotter.settings;

import java.time.Duration;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.spi.PropertiesComponent;
import org.apache.camel.util.TimeUtils;

/**
 * Reads typed values from named texts. Each reader throws {@link InvalidSettingException} with the
 * setting's name, its value and what would be right.
 */
public final class Settings {

    /** What the names of the program's own settings start with. */
    public static final String PREFIX = "snapshotter.";

    /** The package of the program, which its loggers' names start with. */
    public static final String PROGRAM = "io.volumesnapshotter";

    /** Stands for all namespaces, or all claims. */
    public static final String ALL = "*";

    private static final Pattern DURATION = Pattern.compile("(?:\\d+(?:ms|s|m|h|d))+");
    private static final Pattern HOURS_AND_DAYS =
            Pattern.compile("(?:(\\d{1,9})d)?(?:(\\d{1,9})h)?");
    private static final String PATTERNS =
            "; * means all, data-* those that begin so, and !data-tmp-* leaves some out";

    private static final String DNS_REMEDY =
            "lower case letters, digits, '-' and '.', first and last a letter or digit, at most "
                    + ObjectNames.MAX_NAME
                    + " characters";

    private static final String LABELS_REMEDY =
            "give labels as Kubernetes takes them, such as team=shop,tier=gold, and none of the"
                    + " program's own";

    private final UnaryOperator<String> place;
    private final Function<String, Optional<String>> values;

    /**
     * @param place where a setting stands, by its name, for messages
     * @param values finds a setting's text by its name
     */
    public Settings(UnaryOperator<String> place, Function<String, Optional<String>> values) {
        this.place = place;
        this.values = values;
    }

    /** The program's own settings, as Camel finds their values. */
    public static Settings of(PropertiesComponent properties) {
        return new Settings(
                name -> PREFIX + name, name -> properties.resolveProperty(PREFIX + name));
    }

    /** A setting's value. */
    public <T> T get(Setting<T> setting) {
        return setting.type().reader().apply(this, setting.name());
    }

    /** A setting's text, trimmed; empty when it is not set. */
    public String text(Setting<?> setting) {
        return text(setting.name());
    }

    /** The setting's text, trimmed; empty when it is not set. */
    public String text(String name) {
        return values.apply(name).map(String::trim).orElse("");
    }

    /** Names of claims and patterns, in the order given, each once; none for {@code *}. */
    public List<String> claims(String name) {
        return text(name).equals(ALL)
                ? List.of()
                : names(
                        name,
                        word -> ObjectNames.isSubdomain(NameFilter.sample(word)),
                        "a claim's name has " + DNS_REMEDY + PATTERNS);
    }

    /** Names of namespaces and patterns, or {@code *} alone. */
    public List<String> namespaces(String name) {
        return text(name).equals(ALL)
                ? List.of(ALL)
                : names(
                        name,
                        word -> ObjectNames.isLabel(NameFilter.sample(word)),
                        "a namespace's name has lower case letters, digits and '-', first and last a"
                                + " letter or digit, at most "
                                + ObjectNames.MAX_LABEL
                                + " characters"
                                + PATTERNS);
    }

    /** Names of objects, in the order given, each once. */
    public List<String> objectNames(String name) {
        return names(name, ObjectNames::isSubdomain, "a name has " + DNS_REMEDY);
    }

    private List<String> names(String setting, Predicate<String> valid, String remedy) {
        List<String> names = list(setting);
        for (String name : names) {
            if (!valid.test(name)) {
                throw new InvalidSettingException(place.apply(setting), name, remedy);
            }
        }
        return names;
    }

    private List<String> list(String name) {
        return Arrays.stream(text(name).split(","))
                .map(String::trim)
                .filter(Predicate.not(String::isEmpty))
                .distinct()
                .toList();
    }

    /** Names of objects by other names: {@code a=b,c=d}. */
    public Map<String, String> objectNameMap(String name) {
        return pairs(
                name,
                ObjectNames::isSubdomain,
                ObjectNames::isSubdomain,
                "give pairs of names, such as a=b,c=d");
    }

    /** Labels of the user's own: {@code team=shop,tier=gold}. */
    public Map<String, String> labels(String name) {
        return pairs(name, LabelSelectorSyntax::isKey, LabelSelectorSyntax::isValue, LABELS_REMEDY);
    }

    /** The mistake of a label that is not the user's to give. */
    public InvalidSettingException invalidLabel(Setting<?> setting, String label) {
        return new InvalidSettingException(place.apply(setting.name()), label, LABELS_REMEDY);
    }

    /** Annotations of the user's own: {@code owner=jo,note=weekly}; a value has no comma. */
    public Map<String, String> annotations(String name) {
        return pairs(
                name,
                LabelSelectorSyntax::isKey,
                any -> true,
                "give annotations as Kubernetes takes them, such as owner=jo,note=weekly");
    }

    private Map<String, String> pairs(
            String name, Predicate<String> validKey, Predicate<String> validValue, String remedy) {
        Map<String, String> map = new LinkedHashMap<>();
        for (String entry : list(name)) {
            int equals = entry.indexOf('=');
            String key = equals < 0 ? "" : entry.substring(0, equals).trim();
            String value = entry.substring(equals + 1).trim();
            if (!validKey.test(key) || !validValue.test(value)) {
                throw new InvalidSettingException(place.apply(name), entry, remedy);
            }
            map.put(key, value);
        }
        return map;
    }

    /** A label selector in kubectl's syntax, or empty. */
    public Optional<String> labelSelector(String name) {
        return optional(
                name,
                LabelSelectorSyntax::isSelector,
                "give a selector as kubectl takes it, such as app=db,tier!=scratch,env in"
                        + " (a,b),!skip");
    }

    /** {@code true} or {@code false}, which is what an empty text means. */
    public boolean flag(String name) {
        return switch (text(name)) {
            case "true" -> true;
            case "", "false" -> false;
            default -> throw invalid(name, "give true or false");
        };
    }

    /** One of a few words. */
    public String oneOf(String name, List<String> words) {
        if (!words.contains(text(name))) {
            throw invalid(name, "give one of " + String.join(", ", words));
        }
        return text(name);
    }

    /** A text that can be the value of a label, or empty. */
    public Optional<String> labelValue(String name) {
        return optional(
                name,
                LabelSelectorSyntax::isValue,
                "give at most "
                        + ObjectNames.MAX_LABEL
                        + " letters, digits, '-', '_' and '.', first and last a letter or digit");
    }

    /** An object's name, or empty. */
    public Optional<String> objectName(String name) {
        return optional(name, ObjectNames::isSubdomain, "a name has " + DNS_REMEDY);
    }

    /** A whole number of 1 or more, or empty. */
    public OptionalInt optionalAtLeastOne(String name) {
        return optionalAtLeast(1, name);
    }

    /** A whole number of 0 or more, or empty. */
    public OptionalInt optionalAtLeastZero(String name) {
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

    /** A whole number within bounds, which are allowed too. */
    public int wholeNumber(String name, int least, int most) {
        try {
            int number = Integer.parseInt(text(name));
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below, like a number out of bounds
        }
        throw invalid(name, "give a whole number from " + least + " to " + most);
    }

    /** A duration of at least a millisecond, such as {@code 90s} or {@code 1h30m}. */
    public Duration duration(String name) {
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

    /** A duration as users write it. */
    public static String text(Duration duration) {
        return duration.toString().substring(2).toLowerCase(Locale.ROOT);
    }

    /** A duration as {@link #duration}, or empty. */
    public Optional<Duration> optionalDuration(String name) {
        return text(name).isEmpty() ? Optional.empty() : Optional.of(duration(name));
    }

    /**
     * Hours and days such as {@code 7d} or {@code 1d12h}, at most 100 years, or empty. {@code m} is
     * refused: it is a month in restic's {@code keep-within} and a minute in {@link #duration}.
     */
    public Optional<Duration> optionalHoursAndDays(String name) {
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
    public ZoneId zone(String name) {
        return zone(place.apply(name), text(name));
    }

    /**
     * A time zone of the JVM's zone data. Quartz takes any other text for GMT, also forms such as
     * {@code UTC-3} that {@link ZoneId#of} knows.
     *
     * @throws InvalidSettingException when it is none
     */
    public static ZoneId zone(String place, String text) {
        if (!ZoneId.getAvailableZoneIds().contains(text)) {
            throw new InvalidSettingException(
                    place,
                    text,
                    "give a name of the time zone database, such as UTC or Europe/Berlin");
        }
        return ZoneId.of(text);
    }

    /** The mistake of a setting whose value does not fit. */
    public InvalidSettingException invalid(Setting<?> setting, String remedy) {
        return invalid(setting.name(), remedy);
    }

    private InvalidSettingException invalid(String name, String remedy) {
        return new InvalidSettingException(place.apply(name), text(name), remedy);
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
