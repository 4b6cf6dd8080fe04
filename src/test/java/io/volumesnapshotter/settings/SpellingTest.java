package io.volumesnapshotter.settings;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpellingTest {

    @ParameterizedTest
    @CsvSource({
        "keep-lsat, keep-last",
        "keeplast, keep-last",
        "keep-dayly, keep-daily",
        "snapshot-class, ",
        "claim-selectors, claim-selector",
        "storage-classes, storage-class",
        "claim, claims",
        "label, labels",
        "ready-time-out, ready-timeout",
        "supend, suspend"
    })
    void findsWhatIsMeant(String word, String meant) {
        assertThat(Spelling.nearest(word, ScheduleSettings.names()).orElse(null)).isEqualTo(meant);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "retention", "schedule", "keep-what"})
    void guessesNothingFromWhatIsFarFromAll(String word) {
        assertThat(Spelling.nearest(word, ScheduleSettings.names())).isEmpty();
    }

    @Test
    void ofTwoThatAreAsNearTakesTheFirstByName() {
        assertThat(Spelling.nearest("keep-tast", ScheduleSettings.names())).contains("keep-last");
        assertThat(Spelling.nearest("keep-xxxly", ScheduleSettings.names())).isEmpty();
    }
}
