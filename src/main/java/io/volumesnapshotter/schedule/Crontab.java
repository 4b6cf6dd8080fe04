package io.volumesnapshotter.schedule;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quartz.CronExpression;

/**
 * The five fields of crontab(5) in the words of Quartz. They are read as Vixie cron reads them, and
 * each field is written out as the values that it stands for, because the two have other numbers
 * for the days of the week, and other rules for steps. What Quartz cannot do, and what crontab does
 * otherwise than most people mean it, is refused with what to write instead.
 */
public final class Crontab {

    private static final Pattern PART =
            Pattern.compile("(\\*|(\\w+)(?:-(\\w+))?)(?:/(\\d{1,4}))?", Pattern.CASE_INSENSITIVE);

    /** What Quartz has beside crontab's: the last day, the nearest weekday, the nth weekday. */
    private static final Pattern QUARTZ_DAY =
            Pattern.compile("(?i)L|LW|L-\\d+|\\d+W|(\\d|[A-Z]{3})(L|#\\d)");

    /** Some crons take any minute of these. */
    private static final Pattern SPREAD = Pattern.compile("(?i)H(\\(.*\\))?(/.*)?|.*~.*");

    /** The days of one week of a month, which people write to get its nth weekday. */
    private static final Pattern NTH_WEEK = Pattern.compile("1-7|8-14|15-21|22-28");

    private enum Field {
        MINUTE("minute", "hour", 0, 59, List.of()),
        HOUR("hour", "day", 0, 23, List.of()),
        DAY_OF_MONTH("day of the month", "month", 1, 31, List.of()),
        MONTH(
                "month",
                "year",
                1,
                12,
                List.of(
                        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV",
                        "DEC")),
        /** 0 and 7 are the same day. */
        DAY_OF_WEEK("day of the week", "week", 0, 7, Crontab.DAYS);

        private final String words;
        private final String turn;
        private final int low;
        private final int high;
        private final List<String> names;

        Field(String words, String turn, int low, int high, List<String> names) {
            this.words = words;
            this.turn = turn;
            this.low = low;
            this.high = high;
            this.names = names;
        }

        /** How many values it has; more than this in a step goes beyond its end. */
        int size() {
            return this == DAY_OF_WEEK ? DAYS.size() : high - low + 1;
        }
    }

    private static final List<String> DAYS =
            List.of("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT");

    private final String expression;
    private final String[] texts;

    private Crontab(String expression) {
        this.expression = expression;
        this.texts = expression.split("\\s+");
    }

    /**
     * These times in the six fields of Quartz.
     *
     * @throws IllegalArgumentException when it is none, or means what Quartz cannot do; the message
     *     says what to write instead
     */
    public static String toQuartz(String expression) {
        return new Crontab(expression.trim()).toQuartz();
    }

    private String toQuartz() {
        if (texts.length != Field.values().length) {
            throw new IllegalArgumentException(
                    "crontab has five fields, and here are " + texts.length);
        }
        BitSet daysOfMonth = values(Field.DAY_OF_MONTH);
        BitSet daysOfWeek = values(Field.DAY_OF_WEEK);
        String time =
                "0 "
                        + quartz(Field.MINUTE, values(Field.MINUTE))
                        + " "
                        + quartz(Field.HOUR, values(Field.HOUR));
        String month = quartz(Field.MONTH, values(Field.MONTH));
        boolean anyDayOfMonth = daysOfMonth.cardinality() == Field.DAY_OF_MONTH.size();
        boolean anyDayOfWeek = daysOfWeek.cardinality() == Field.DAY_OF_WEEK.size();
        boolean both = isStar(Field.DAY_OF_MONTH) || isStar(Field.DAY_OF_WEEK);
        if (!anyDayOfMonth && !anyDayOfWeek) {
            throw new IllegalArgumentException(both ? bothDaysMean() : eitherDayMeans());
        }
        if (anyDayOfMonth && anyDayOfWeek || !both) {
            return time + " * " + month + " ?";
        }
        return anyDayOfWeek
                ? time + " " + quartz(Field.DAY_OF_MONTH, daysOfMonth) + " " + month + " ?"
                : time + " ? " + month + " " + quartz(Field.DAY_OF_WEEK, daysOfWeek);
    }

    private String text(Field field) {
        return texts[field.ordinal()];
    }

    /** Vixie cron goes by the first character alone, so a star with a step is one, too. */
    private boolean isStar(Field field) {
        return text(field).startsWith("*");
    }

    private String eitherDayMeans() {
        String dates = text(Field.DAY_OF_MONTH);
        String day = text(Field.DAY_OF_WEEK);
        String nth = "";
        if (NTH_WEEK.matcher(dates).matches() && values(Field.DAY_OF_WEEK).cardinality() == 1) {
            int number = Integer.parseInt(dates.substring(dates.indexOf('-') + 1)) / DAYS.size();
            String name = DAYS.get(values(Field.DAY_OF_WEEK).nextSetBit(0));
            nth =
                    "; for %s number %d of a month write \"0 %s %s ? %s %s#%d\""
                            .formatted(
                                    name,
                                    number,
                                    text(Field.MINUTE),
                                    text(Field.HOUR),
                                    text(Field.MONTH),
                                    name,
                                    number);
        }
        return "crontab takes two days as \"or\": it fires on "
                + dates
                + " of each month, and on each "
                + day
                + " besides; give one of the two and * for the other, or two schedules"
                + nth;
    }

    private String bothDaysMean() {
        return "crontab fires only on days that are both, "
                + text(Field.DAY_OF_MONTH)
                + " of the month and "
                + text(Field.DAY_OF_WEEK)
                + " of the week, because one of them begins with *; give one of the two and * for"
                + " the other";
    }

    private BitSet values(Field field) {
        BitSet values = new BitSet();
        for (String part : text(field).split(",", -1)) {
            add(field, part, values);
        }
        if (field == Field.DAY_OF_WEEK && values.get(field.high)) {
            values.clear(field.high);
            values.set(field.low);
        }
        return values;
    }

    private void add(Field field, String part, BitSet values) {
        if (QUARTZ_DAY.matcher(part).matches()) {
            throw new IllegalArgumentException(quartzDay(field, part));
        }
        if (SPREAD.matcher(part).matches()) {
            throw new IllegalArgumentException(
                    "crontab has no " + part + "; spread a run by the schedule's jitter instead");
        }
        Matcher matcher = PART.matcher(part);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    part.contains("?")
                            ? "crontab has no ?; write *, or six fields, as Quartz has them"
                            : "%s: \"%s\" is not a number, a range, * or one of these with a step"
                                    .formatted(field.words, part));
        }
        int low = field.low;
        int high = field.high;
        if (matcher.group(2) != null) {
            low = value(field, matcher.group(2));
            high = matcher.group(3) == null ? low : value(field, matcher.group(3));
        }
        if (low > high) {
            throw new IllegalArgumentException(
                    "in crontab a range goes up, and "
                            + part
                            + " does not; write its two halves with a comma between");
        }
        if (matcher.group(4) == null) {
            values.set(low, high + 1);
            return;
        }
        int step = Integer.parseInt(matcher.group(4));
        if (matcher.group(2) != null && matcher.group(3) == null) {
            throw new IllegalArgumentException(
                    "in crontab a step stands behind * or a range; write "
                            + part.replace("/", "-" + field.high + "/"));
        }
        int size = matcher.group(2) == null ? field.size() : high - low + 1;
        if (step < 1 || step > size) {
            throw new IllegalArgumentException(
                    "the step of %s is from 1 to %d; crontab begins anew with each %s, so a longer one is no other than %s %d alone"
                            .formatted(part, size, field.turn, field.words, low));
        }
        for (int value = low; value <= high; value += step) {
            values.set(value);
        }
    }

    private static int value(Field field, String text) {
        int name = field.names.indexOf(text.toUpperCase(Locale.ROOT));
        if (name >= 0) {
            return name + field.low;
        }
        int number = text.matches("\\d{1,4}") ? Integer.parseInt(text) : -1;
        if (number < field.low || number > field.high) {
            throw new IllegalArgumentException(
                    "%s: \"%s\" is not from %d to %d%s"
                            .formatted(
                                    field.words,
                                    text,
                                    field.low,
                                    field.high,
                                    field.names.isEmpty()
                                            ? ""
                                            : " or one of " + String.join(", ", field.names)));
        }
        return number;
    }

    /** How a day is written for Quartz, which counts the days of the week from 1. */
    private String quartzDay(Field field, String part) {
        String day = part.toUpperCase(Locale.ROOT);
        if (field == Field.DAY_OF_WEEK && Character.isDigit(day.charAt(0))) {
            day = DAYS.get((day.charAt(0) - '0') % DAYS.size()) + day.substring(1);
        }
        String quartz =
                "0 %s %s %s %s %s"
                        .formatted(
                                text(Field.MINUTE),
                                text(Field.HOUR),
                                field == Field.DAY_OF_MONTH ? day : "?",
                                text(Field.MONTH),
                                field == Field.DAY_OF_WEEK ? day : "?");
        return "crontab has no "
                + part
                + "; Quartz has, in six fields"
                + (CronExpression.isValidExpression(quartz) ? ": \"" + quartz + "\"" : "");
    }

    /** The values as Quartz counts them. */
    private static String quartz(Field field, BitSet values) {
        if (values.cardinality() == field.size()) {
            return "*";
        }
        int shift = field == Field.DAY_OF_WEEK ? 1 : 0;
        List<String> ranges = new ArrayList<>();
        for (int low = values.nextSetBit(0); low >= 0; ) {
            int end = values.nextClearBit(low);
            ranges.add(
                    end == low + 1
                            ? String.valueOf(low + shift)
                            : (low + shift) + "-" + (end - 1 + shift));
            low = values.nextSetBit(end);
        }
        return String.join(",", ranges);
    }
}
