package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Setting;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeepTest {

    @Test
    void readsEachRuleFromItsSetting() {
        assertThat(
                        keep(
                                Map.of(
                                        "keep-last", "1",
                                        "keep-within", "1d12h",
                                        "keep-hourly", "2",
                                        "keep-daily", "3",
                                        "keep-weekly", "4",
                                        "keep-monthly", "5",
                                        "keep-yearly", "6",
                                        "keep-failed", "0")))
                .isEqualTo(
                        new Keep(
                                OptionalInt.of(1),
                                Optional.of(Duration.ofHours(36)),
                                OptionalInt.of(2),
                                OptionalInt.of(3),
                                OptionalInt.of(4),
                                OptionalInt.of(5),
                                OptionalInt.of(6),
                                0));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"12h, PT12H", "7d, P7D", "1d12h, PT36H", "730d, P730D"})
    void aDurationIsInHoursAndDays(String text, Duration duration) {
        assertThat(keep(Map.of("keep-within", text)).within()).contains(duration);
    }

    @Test
    void aRuleThatIsMissingOrEmptyIsNotGiven() {
        Keep none = keep(Map.of("keep-last", "", "keep-within", " ", "keep-failed", ""));
        assertThat(none).isEqualTo(keep(Map.of()));
        assertThat(none.isEverything()).isTrue();
        assertThat(none.failed()).isEqualTo(1);
        assertThat(keep(Map.of("keep-within", "1h")).isEverything()).isFalse();
        assertThat(keep(Map.of("keep-yearly", "1")).isEverything()).isFalse();
    }

    @Test
    void byDefaultTheNewestStaysAndOneThatFailed() {
        Map<String, String> defaults =
                ScheduleSettings.all().stream()
                        .collect(Collectors.toMap(Setting::name, Setting::value));
        assertThat(keep(defaults)).isEqualTo(keep(Map.of("keep-last", "1", "keep-failed", "1")));
    }

    @Test
    void refusesToKeepNothingByARule() {
        OptionalInt no = OptionalInt.empty();
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> new Keep(no, Optional.empty(), no, OptionalInt.of(0), no, no, no, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Keep(no, Optional.of(Duration.ZERO), no, no, no, no, no, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Keep(no, Optional.empty(), no, no, no, no, no, -1));
    }

    private static Keep keep(Map<String, String> settings) {
        return Keep.of(new Settings(name -> name, name -> Optional.ofNullable(settings.get(name))));
    }
}
