package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.schedule.Cron;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.quartz.CronExpression;

/**
 * Schedules on the days on which clocks are changed, in zones with unlike rules: an hour or half an
 * hour, at night or at midnight, in either hemisphere.
 *
 * <p>Quartz asks what the clock on the wall shows, and answers each reading of it once:
 *
 * <ul>
 *   <li>A time that the gap leaves out is not made up: a schedule at 02:30 does not fire on that
 *       day where the clock goes from 02:00 to 03:00. An hourly one loses nothing, as there is no
 *       such hour; where the gap is half an hour, one interval is half an hour longer than it.
 *   <li>A time that comes twice counts once, the second time: a schedule at 02:30 fires once, but
 *       an hourly one pauses for two hours. One in UTC does not.
 * </ul>
 */
class ClockChangeTest {

    private static final String HALF_PAST_TWO = "0 30 2 * * ?";
    private static final String HOURLY = "0 0 * * * ?";

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    Europe/Berlin       | 2026-03-29 | PT1H   |
                    America/New_York    | 2026-03-08 | PT1H   |
                    America/St_Johns    | 2026-03-08 | PT1H   |
                    Africa/Casablanca   | 2026-03-22 | PT1H   |
                    Australia/Lord_Howe | 2026-10-04 | PT30M  | 2026-10-03T15:30:00Z
                    America/Santiago    | 2026-09-06 | PT1H   | 2026-09-06T05:30:00Z
                    Europe/Berlin       | 2026-10-25 | PT-1H  | 2026-10-25T01:30:00Z
                    America/New_York    | 2026-11-01 | PT-1H  | 2026-11-01T07:30:00Z
                    America/St_Johns    | 2026-11-01 | PT-1H  | 2026-11-01T06:00:00Z
                    Africa/Casablanca   | 2026-02-15 | PT-1H  | 2026-02-15T02:30:00Z
                    Australia/Lord_Howe | 2026-04-05 | PT-30M | 2026-04-04T16:00:00Z
                    America/Santiago    | 2026-04-05 | PT-1H  | 2026-04-05T06:30:00Z
                    """)
    void halfPastTwoComesOnceOrNotAtAll(ZoneId zone, LocalDate day, Duration change, Instant fire) {
        assertThat(change(zone, day).getDuration()).isEqualTo(change);
        List<Instant> expected = fire == null ? List.of() : List.of(fire);
        assertThat(fires(HALF_PAST_TWO, zone, start(zone, day), start(zone, day.plusDays(1))))
                .isEqualTo(expected);
        assertThatLastDueAgrees(HALF_PAST_TWO, zone, day);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    Europe/Berlin       | 2026-03-29 | 23 | PT1H
                    America/New_York    | 2026-03-08 | 23 | PT1H
                    America/St_Johns    | 2026-03-08 | 23 | PT1H
                    Africa/Casablanca   | 2026-03-22 | 23 | PT1H
                    Australia/Lord_Howe | 2026-10-04 | 23 | PT1H30M
                    America/Santiago    | 2026-09-06 | 23 | PT1H
                    Europe/Berlin       | 2026-10-25 | 24 | PT2H
                    America/New_York    | 2026-11-01 | 24 | PT2H
                    America/St_Johns    | 2026-11-01 | 24 | PT2H
                    Africa/Casablanca   | 2026-02-15 | 24 | PT2H
                    Australia/Lord_Howe | 2026-04-05 | 24 | PT1H30M
                    America/Santiago    | 2026-04-04 | 24 | PT2H
                    America/Santiago    | 2026-04-05 | 24 | PT1H
                    """)
    void anHourlyScheduleFiresAtEachHourThatTheClockShows(
            ZoneId zone, LocalDate day, int expected, Duration longest) {
        List<Instant> fires = fires(HOURLY, zone, start(zone, day), start(zone, day.plusDays(1)));
        assertThat(fires).hasSize(expected);
        assertThat(gaps(fires)).allMatch(gap -> gap.compareTo(longest) <= 0).contains(longest);
        assertThat(fires)
                .extracting(fire -> SnapshotNames.run("hourly", fire))
                .describedAs("names are in UTC, where no time comes twice")
                .doesNotHaveDuplicates();
        assertThatLastDueAgrees(HOURLY, zone, day);
    }

    @Test
    void anHourlyScheduleInUtcNeverPauses() {
        ZoneId utc = ZoneId.of("UTC");
        LocalDate day = LocalDate.of(2026, 10, 25);
        List<Instant> fires = fires(HOURLY, utc, start(utc, day), start(utc, day.plusDays(1)));
        assertThat(gaps(fires)).hasSize(23).containsOnly(Duration.ofHours(1));
    }

    /** What is due at any minute around the change is the latest fire, and never another one. */
    private static void assertThatLastDueAgrees(String cron, ZoneId zone, LocalDate day) {
        Instant from = start(zone, day.minusDays(1));
        Instant to = start(zone, day.plusDays(2));
        List<Instant> fires = fires(cron, zone, start(zone, day.minusDays(3)), to);
        int next = 0;
        for (Instant now = from; now.isBefore(to); now = now.plus(Duration.ofMinutes(10))) {
            while (next < fires.size() && !fires.get(next).isAfter(now)) {
                next++;
            }
            assertThat(Cron.lastDue(cron, zone, now)).contains(fires.get(next - 1));
        }
    }

    private static ZoneOffsetTransition change(ZoneId zone, LocalDate day) {
        return zone.getRules().nextTransition(start(zone, day).minusSeconds(3601));
    }

    private static Instant start(ZoneId zone, LocalDate day) {
        return day.atStartOfDay(zone).toInstant();
    }

    /** Fires from an instant on and before another. */
    private static List<Instant> fires(String cron, ZoneId zone, Instant from, Instant to) {
        CronExpression expression = expression(cron);
        expression.setTimeZone(TimeZone.getTimeZone(zone));
        List<Instant> fires = new ArrayList<>();
        Date fire = expression.getNextValidTimeAfter(Date.from(from.minusSeconds(1)));
        while (fire.toInstant().isBefore(to)) {
            fires.add(fire.toInstant());
            fire = expression.getNextValidTimeAfter(fire);
        }
        return fires;
    }

    private static CronExpression expression(String cron) {
        try {
            return new CronExpression(cron);
        } catch (ParseException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static List<Duration> gaps(List<Instant> fires) {
        Duration[] gaps = new Duration[fires.size() - 1];
        Arrays.setAll(gaps, i -> Duration.between(fires.get(i), fires.get(i + 1)));
        return List.of(gaps);
    }
}
