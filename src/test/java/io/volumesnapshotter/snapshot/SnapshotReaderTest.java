package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.kubernetes.ApiObject;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotReaderTest {

    @ParameterizedTest(name = "hold: \"{0}\" pins: {1}")
    @CsvSource({"true, true", "'', true", "until the audit, true", "False, true", "false, false"})
    void theHoldAnnotationPinsByAnyValueButFalse(String value, boolean held) {
        assertThat(read(Map.of(ApiObject.annotation(Hold.HOLD), value)).hold().isSet())
                .isEqualTo(held);
    }

    @Test
    void withoutTheHoldAnnotationNothingIsPinned() {
        assertThat(
                        read(Map.of(ApiObject.annotation("volume-snapshotter/holder"), "true"))
                                .hold()
                                .isSet())
                .isFalse();
        assertThat(read(Map.of()).hold().isSet()).isFalse();
    }

    @Test
    void anErrorWithoutWordsIsOneAllTheSame() {
        assertThat(read(Map.of("/status/error", true)).error()).isEqualTo("no message");
        assertThat(read(Map.of()).error()).isNull();
    }

    private static Snapshot read(Map<String, Object> fields) {
        Map<String, Object> all = new HashMap<>(fields);
        all.put(ApiObject.NAME, "data-hourly-20261122100000");
        all.put(ApiObject.NAMESPACE, "shop");
        all.put(ApiObject.CREATED, "2026-11-22T10:00:01Z");
        return SnapshotReader.read(new ApiObject(all));
    }
}
