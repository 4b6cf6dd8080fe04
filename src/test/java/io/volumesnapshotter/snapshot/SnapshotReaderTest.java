package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotReaderTest {

    @ParameterizedTest(name = "hold: \"{0}\" pins: {1}")
    @CsvSource({"true, true", "'', true", "until the audit, true", "False, true", "false, false"})
    void theHoldAnnotationPinsByAnyValueButFalse(String value, boolean held) {
        assertThat(read(Map.of(Snapshot.HOLD, value)).held()).isEqualTo(held);
    }

    @Test
    void withoutTheHoldAnnotationNothingIsPinned() {
        assertThat(read(Map.of("volume-snapshotter/holder", "true")).held()).isFalse();
        assertThat(read(null).held()).isFalse();
    }

    private static Snapshot read(Map<String, String> annotations) {
        GenericKubernetesResource resource =
                new GenericKubernetesResourceBuilder()
                        .withNewMetadata()
                        .withName("data-hourly-20261122100000")
                        .withCreationTimestamp("2026-11-22T10:00:01Z")
                        .withAnnotations(annotations)
                        .endMetadata()
                        .build();
        return SnapshotReader.read(List.of(resource)).get(0);
    }
}
