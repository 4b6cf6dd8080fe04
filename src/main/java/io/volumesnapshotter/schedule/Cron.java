package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.TimeZone;
import java.util.regex.Pattern;
import org.quartz.CronExpression;

/**
 * Reads the three ways in which people write a schedule: the five fields of crontab(5), the six or
 * seven of Quartz, and crontab's macros. Quartz itself knows only its own.
 */
public final class Cron {

    private static final String REMEDY =
            "give five fields as in crontab (\"0 3 * * *\"), six or seven as in Quartz"
                    + " (\"0 0 3 * * ?\"), or one of @hourly, @daily, @midnight, @weekly, @monthly,"
                    + " @yearly, @annually";

    private static final Map<String, String> MACROS =
            Map.of(
                    "@hourly", "0 * * * *",
                    "@daily", "0 0 * * *",
                    "@midnight", "0 0 * * *",
                    "@weekly", "0 0 * * 0",
                    "@monthly", "0 0 1 * *",
                    "@yearly", "0 0 1 1 *",
                    "@annually", "0 0 1 1 *");

    private static final int CRONTAB_FIELDS = 5;

    /** What some crons take at the start of a line. */
    private static final Pattern ZONE = Pattern.compile("(CRON_)?TZ=");

    /** No schedule is rarer than a 29 February that is skipped at the turn of a century. */
    private static final Duration LONGEST_INTERVAL = Duration.ofDays(366L * 32);

    private Cron() {}

    /**
     * The expression in Quartz's form.
     *
     * @param place the setting or file that the expression stands in, for the message
     * @throws InvalidSettingException when it is none of the three forms, or never fires
     */
    public static String toQuartz(String place, String expression) {
        String text = expression.trim();
        if (text.startsWith("@")) {
            text = MACROS.get(text);
            if (text == null) {
                throw new InvalidSettingException(place, expression, REMEDY);
            }
        }
        if (ZONE.matcher(text).lookingAt()) {
            throw new InvalidSettingException(
                    place,
                    expression,
                    "give the time zone by itself: in the settings as snapshotter.time-zone, in a"
                            + " schedule's file as trigger.timeZone");
        }
        String quartz =
                text.split("\\s+").length == CRONTAB_FIELDS
                        ? crontab(place, expression, text)
                        : text;
        try {
            if (new CronExpression(quartz).getNextValidTimeAfter(new Date()) == null) {
                throw new InvalidSettingException(
                        place, expression, "it never fires again; name a date that comes");
            }
            return quartz;
        } catch (ParseException e) {
            throw new InvalidSettingException(
                    place, expression, REMEDY + " (" + firstLine(e.getMessage()) + ")");
        }
    }

    private static String crontab(String place, String expression, String text) {
        try {
            return Crontab.toQuartz(text);
        } catch (IllegalArgumentException e) {
            throw new InvalidSettingException(place, expression, e.getMessage());
        }
    }

    /**
     * The latest time at or before an instant at which an expression was due.
     *
     * @param quartz an expression in Quartz's form
     * @param zone the time zone in which it is meant
     */
    public static Optional<Instant> lastDue(String quartz, ZoneId zone, Instant instant) {
        CronExpression cron = quartz(quartz, zone);
        // Quartz looks back by way of looking forward, and errs where a time comes twice: look from
        // further and further back.
        for (Duration back = Duration.ofMinutes(1);
                back.compareTo(LONGEST_INTERVAL) < 0;
                back = back.multipliedBy(2)) {
            Instant last = null;
            Instant fire = next(cron, instant.minus(back));
            while (fire != null && !fire.isAfter(instant)) {
                last = fire;
                fire = next(cron, fire);
            }
            if (last != null) {
                return Optional.of(last);
            }
        }
        return Optional.empty();
    }

    /**
     * The first time after an instant at which an expression will be due.
     *
     * @param quartz an expression in Quartz's form
     * @param zone the time zone in which it is meant
     */
    public static Optional<Instant> nextDue(String quartz, ZoneId zone, Instant instant) {
        return Optional.ofNullable(next(quartz(quartz, zone), instant));
    }

    /**
     * How far apart two fires are meant to be at an instant: the longer one of the interval in
     * which it lies and the one before. So what is due on weekdays is not late on a Monday, before
     * its run, nor on the weekend; and from Tuesday on, a day counts again.
     *
     * @param quartz an expression in Quartz's form
     * @param zone the time zone in which it is meant
     * @return empty when it was due less than twice before
     */
    public static Optional<Duration> intervalAt(String quartz, ZoneId zone, Instant instant) {
        Optional<Instant> last = lastDue(quartz, zone, instant);
        Optional<Duration> before =
                last.flatMap(
                        due ->
                                lastDue(quartz, zone, due.minusMillis(1))
                                        .map(earlier -> Duration.between(earlier, due)));
        return before.map(
                interval ->
                        nextDue(quartz, zone, instant)
                                .map(next -> Duration.between(last.get(), next))
                                .filter(now -> now.compareTo(interval) > 0)
                                .orElse(interval));
    }

    /**
     * The shortest time between two of the next thousand fires.
     *
     * @param quartz an expression in Quartz's form
     */
    public static Duration shortestInterval(String quartz) {
        CronExpression cron = quartz(quartz, ZoneOffset.UTC);
        Duration shortest = LONGEST_INTERVAL;
        Instant fire = next(cron, Instant.now());
        for (int i = 0; i < 1000 && fire != null; i++) {
            Instant following = next(cron, fire);
            if (following != null) {
                Duration interval = Duration.between(fire, following);
                shortest = interval.compareTo(shortest) < 0 ? interval : shortest;
            }
            fire = following;
        }
        return shortest;
    }

    private static Instant next(CronExpression cron, Instant after) {
        Date next = cron.getNextValidTimeAfter(Date.from(pastFirstPass(cron, after)));
        return next == null ? null : next.toInstant();
    }

    /**
     * Of times that come twice the second counts. Seen from within the first pass, Quartz would
     * take those that the clock has shown once for gone.
     */
    private static Instant pastFirstPass(CronExpression cron, Instant instant) {
        ZoneOffsetTransition change =
                cron.getTimeZone().toZoneId().getRules().nextTransition(instant);
        return change != null
                        && change.isOverlap()
                        && !instant.isBefore(change.getInstant().plus(change.getDuration()))
                ? change.getInstant().minusMillis(1)
                : instant;
    }

    private static CronExpression quartz(String expression, ZoneId zone) {
        try {
            CronExpression cron = new CronExpression(expression);
            cron.setTimeZone(TimeZone.getTimeZone(zone));
            return cron;
        } catch (ParseException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String firstLine(String text) {
        return text == null ? "" : text.lines().findFirst().orElse("");
    }
}
