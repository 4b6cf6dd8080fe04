package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import java.text.ParseException;
import java.time.Instant;
import java.time.ZoneId;
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
