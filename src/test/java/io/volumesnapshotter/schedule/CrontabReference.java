package io.volumesnapshotter.schedule;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * When crontab(5) fires, minute by minute, as its manual says it: a minute is one of a schedule
 * when minute, hour and month match, and the day does. The day matches when both of its fields do;
 * or one of them, if neither begins with a star. Steps go through a range from its lower end. 0 and
 * 7 are Sunday.
 *
 * <p>Of the clock's changes the program has a rule of its own: a time that is left out does not
 * come, and one that comes twice counts the second time.
 */
final class CrontabReference {

    private static final List<String> MONTHS =
            List.of(
                    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
                    "dec");
    private static final List<String> DAYS =
            List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");

    private final String[] fields;

    CrontabReference(String expression) {
        fields = expression.trim().toLowerCase(Locale.ROOT).split("\\s+");
    }

    /** The first fires after an instant. */
    List<Instant> after(Instant instant, ZoneId zone, int count) {
        List<Instant> fires = new ArrayList<>();
        LocalDate first = instant.atZone(zone).toLocalDate().minusDays(1);
        for (LocalDate day = first; fires.size() < count; day = day.plusDays(1)) {
            if (day.isAfter(first.plusYears(60))) {
                throw new IllegalStateException("never: " + String.join(" ", fields));
            }
            if (isOn(day)) {
                fires.addAll(on(day, zone).stream().filter(fire -> fire.isAfter(instant)).toList());
            }
        }
        return fires.subList(0, count);
    }

    private List<Instant> on(LocalDate day, ZoneId zone) {
        List<Instant> fires = new ArrayList<>();
        for (int hour = 0; hour < 24; hour++) {
            for (int minute = 0; minute < 60; minute++) {
                if (isIn(fields[1], hour, 0, 23, List.of())
                        && isIn(fields[0], minute, 0, 59, List.of())) {
                    LocalDateTime time = day.atTime(hour, minute);
                    List<ZoneOffset> offsets = zone.getRules().getValidOffsets(time);
                    if (!offsets.isEmpty()) {
                        fires.add(time.toInstant(offsets.get(offsets.size() - 1)));
                    }
                }
            }
        }
        return fires;
    }

    private boolean isOn(LocalDate day) {
        boolean date = isIn(fields[2], day.getDayOfMonth(), 1, 31, List.of());
        int number = day.getDayOfWeek().getValue();
        boolean weekday =
                isIn(fields[4], number, 0, 7, DAYS)
                        || number == 7 && isIn(fields[4], 0, 0, 7, DAYS);
        boolean star = fields[2].startsWith("*") || fields[4].startsWith("*");
        return isIn(fields[3], day.getMonthValue(), 1, 12, MONTHS)
                && (star ? date && weekday : date || weekday);
    }

    /** Whether a number is one of a field's. */
    private static boolean isIn(String field, int number, int low, int high, List<String> names) {
        return Arrays.stream(field.split(","))
                .anyMatch(
                        part -> {
                            String[] stepped = part.split("/");
                            String[] ends =
                                    stepped[0].equals("*")
                                            ? new String[] {"" + low, "" + high}
                                            : stepped[0].split("-");
                            int from = number(ends[0], low, names);
                            int to = number(ends[ends.length - 1], low, names);
                            int step = stepped.length == 1 ? 1 : Integer.parseInt(stepped[1]);
                            return number >= from && number <= to && (number - from) % step == 0;
                        });
    }

    private static int number(String text, int low, List<String> names) {
        return names.contains(text) ? names.indexOf(text) + low : Integer.parseInt(text);
    }
}
