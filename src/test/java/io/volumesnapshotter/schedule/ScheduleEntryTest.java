package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a schedule is due, as time passes and as the clock is set; all times are of one day. */
class ScheduleEntryTest {

    private static final Schedule SCHEDULE = new Schedule("hourly", null);
    private static final Trigger HOURLY = new Trigger("0 0 * * * ?", ZoneOffset.UTC);

    private static Instant at(String time) {
        return Instant.parse("2026-11-22T" + time + "Z");
    }

    private static ScheduleEntry loaded(String time) {
        return ScheduleEntry.loaded(SCHEDULE, Optional.empty(), Optional.of(HOURLY), at(time));
    }

    @Test
    void oneThatIsLoadedWasNotDueBefore() {
        ScheduleEntry entry = loaded("10:30:00");
        assertThat(entry.lastDue()).isEmpty();
        assertThat(entry.nextDue()).contains(at("11:00:00"));
        assertThat(entry.interval()).contains(Duration.ofHours(1));
    }

    @Test
    void oneThatWasThereAtTheStartWasDueBefore() {
        assertThat(loaded("10:30:00").withTimeBefore(at("10:30:00")).lastDue())
                .contains(at("10:00:00"));
    }

    @ParameterizedTest
    @CsvSource({
        "10:59:59, ,         11:00:00",
        "11:00:00, 11:00:00, 12:00:00",
        "11:00:01, 11:00:00, 12:00:00",
        "15:10:00, 15:00:00, 16:00:00"
    })
    void itIsDueWhenItsTimeComes(String now, String last, String next) {
        ScheduleEntry entry = loaded("10:30:00").at(at(now));
        assertThat(entry.lastDue()).isEqualTo(Optional.ofNullable(last).map(ScheduleEntryTest::at));
        assertThat(entry.nextDue()).contains(at(next));
    }

    /** It is loaded at 10:30 and looked at at 12:10; then the clock is set. */
    @ParameterizedTest
    @CsvSource({
        "12:09:00, 12:00:00, 13:00:00",
        "11:59:00, ,         12:00:00",
        "10:10:00, ,         11:00:00",
        "12:59:59, 12:00:00, 13:00:00",
        "13:00:00, 13:00:00, 14:00:00",
        "18:20:00, 18:00:00, 19:00:00"
    })
    void whatIsInTheFutureByAClockThatWasSetComesAgain(String set, String last, String next) {
        ScheduleEntry entry = loaded("10:30:00").at(at("12:10:00")).afterJump(at(set)).at(at(set));
        assertThat(entry.lastDue()).isEqualTo(Optional.ofNullable(last).map(ScheduleEntryTest::at));
        assertThat(entry.nextDue()).contains(at(next));
    }

    @Test
    void oneWithoutACronIsNeverDue() {
        ScheduleEntry entry =
                ScheduleEntry.loaded(SCHEDULE, Optional.empty(), Optional.empty(), at("10:30:00"));
        assertThat(entry.at(at("23:00:00")).afterJump(at("09:00:00"))).isEqualTo(entry);
    }

    @Test
    void oneThatNeverFiresAgainIsDueOnceMoreWhenTheClockIsSetBack() {
        Trigger once = new Trigger("0 0 11 22 11 ? 2026", ZoneOffset.UTC);
        ScheduleEntry entry =
                ScheduleEntry.loaded(SCHEDULE, Optional.empty(), Optional.of(once), at("10:30:00"))
                        .at(at("11:00:00"));
        assertThat(entry.nextDue()).isEmpty();
        assertThat(entry.afterJump(at("10:00:00")).nextDue()).contains(at("11:00:00"));
    }

    @Test
    void anotherPolicyChangesNoTimes() {
        ScheduleEntry entry = loaded("10:30:00").at(at("11:30:00"));
        ScheduleEntry other = entry.exchanged(new Schedule("hourly", null), Optional.empty());
        assertThat(other).isEqualTo(entry);
    }
}
