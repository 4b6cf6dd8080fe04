package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.quartz.CronExpression;

class CronTest {

    private static final Instant SUNDAY = Instant.parse("2026-11-22T10:30:15Z");

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    @hourly        | 2026-11-22T11:00:00Z
                    @daily         | 2026-11-23T00:00:00Z
                    @midnight      | 2026-11-23T00:00:00Z
                    @weekly        | 2026-11-29T00:00:00Z
                    @monthly       | 2026-12-01T00:00:00Z
                    @yearly        | 2027-01-01T00:00:00Z
                    @annually      | 2027-01-01T00:00:00Z
                    */15 * * * *   | 2026-11-22T10:45:00Z
                    0 3 * * *      | 2026-11-23T03:00:00Z
                    0 9 * * MON-FRI | 2026-11-23T09:00:00Z
                    0 9 * * 7      | 2026-11-29T09:00:00Z
                    0 9 * * 0      | 2026-11-29T09:00:00Z
                    0 0 1,15 * *   | 2026-12-01T00:00:00Z
                    */5 * * * * ?  | 2026-11-22T10:30:20Z
                    0 0 3 ? * SUN  | 2026-11-29T03:00:00Z
                    0 0 3 L * ? *  | 2026-11-30T03:00:00Z
                    """)
    void readsEachWayOfWritingASchedule(String expression, Instant next) throws ParseException {
        assertThat(nextFires(Cron.toQuartz("schedule", expression), "UTC", 1))
                .containsExactly(next);
    }

    @Test
    void theLastDueTimeIsTheLatestFireAtOrBeforeAnInstant() throws ParseException {
        for (String expression :
                List.of("0 0 * * * ?", "*/5 * * * * ?", "0 30 2 ? * SUN", "0 0 3 L * ?")) {
            for (String zone : List.of("UTC", "Europe/Berlin", "America/New_York")) {
                Instant before = SUNDAY;
                for (Instant fire : nextFires(expression, zone, 100)) {
                    assertThat(Cron.lastDue(expression, ZoneId.of(zone), fire)).contains(fire);
                    assertThat(Cron.lastDue(expression, ZoneId.of(zone), fire.minusSeconds(1)))
                            .hasValueSatisfying(last -> assertThat(last).isBefore(fire));
                    if (!before.equals(SUNDAY)) {
                        assertThat(Cron.lastDue(expression, ZoneId.of(zone), fire.minusSeconds(1)))
                                .contains(before);
                    }
                    before = fire;
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    0 * * * *       | 2026-11-25T10:30:00Z | PT1H
                    # Wednesday; Saturday; Monday before and after nine; Tuesday
                    0 9 * * MON-FRI | 2026-11-25T10:30:00Z | PT24H
                    0 9 * * MON-FRI | 2026-11-28T10:30:00Z | PT72H
                    0 9 * * MON-FRI | 2026-11-30T08:30:00Z | PT72H
                    0 9 * * MON-FRI | 2026-11-30T09:30:00Z | PT72H
                    0 9 * * MON-FRI | 2026-12-01T09:30:00Z | PT24H
                    0 9-17 * * *    | 2026-11-25T12:30:00Z | PT1H
                    0 9-17 * * *    | 2026-11-25T20:30:00Z | PT16H
                    0 9-17 * * *    | 2026-11-25T09:30:00Z | PT16H
                    """)
    void anIntervalIsTheLongerOneOfThePresentAndTheOneBefore(
            String expression, Instant at, Duration interval) {
        assertThat(Cron.intervalAt(Cron.toQuartz("schedule", expression), ZoneOffset.UTC, at))
                .contains(interval);
    }

    private static List<Instant> nextFires(String quartz, String zone, int count)
            throws ParseException {
        CronExpression cron = new CronExpression(quartz);
        cron.setTimeZone(TimeZone.getTimeZone(zone));
        List<Instant> fires = new ArrayList<>();
        Date time = Date.from(SUNDAY);
        for (int i = 0; i < count; i++) {
            time = cron.getNextValidTimeAfter(time);
            fires.add(time.toInstant());
        }
        return fires;
    }
}
