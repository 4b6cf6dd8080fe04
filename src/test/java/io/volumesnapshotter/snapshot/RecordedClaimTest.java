package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.kubernetes.ApiObject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RecordedClaimTest {

    private static RecordedClaim read(Map<String, String> annotations) {
        Map<String, Object> fields = new HashMap<>();
        annotations.forEach((key, value) -> fields.put(ApiObject.annotation(key), value));
        return RecordedClaim.read(new ApiObject(fields));
    }

    @Test
    void whatIsWrittenIsRead() {
        RecordedClaim claim =
                new RecordedClaim(
                        Optional.of("fast"),
                        List.of("ReadWriteOnce", "ReadOnlyMany"),
                        Optional.of("Filesystem"),
                        Optional.of("10Gi"),
                        Optional.of("12Gi"));

        assertThat(read(claim.annotations())).isEqualTo(claim);
    }

    @Test
    void whatOpenShiftsConsoleWritesIsRead() {
        RecordedClaim claim =
                read(
                        Map.of(
                                "snapshot.storage.kubernetes.io/pvc-storage-class", "gp3",
                                "snapshot.storage.kubernetes.io/pvc-access-modes",
                                        "ReadWriteOnce,ReadWriteOncePod",
                                "snapshot.storage.kubernetes.io/pvc-volume-mode", "Block"));

        assertThat(claim.storageClass()).contains("gp3");
        assertThat(claim.accessModes()).containsExactly("ReadWriteOnce", "ReadWriteOncePod");
        assertThat(claim.volumeMode()).contains("Block");
        assertThat(claim.request()).isEmpty();
    }

    @Test
    void aClaimOfNoClassIsNotTheSameAsOneThatWasNotRead() {
        assertThat(read(Map.of(RecordedClaim.STORAGE_CLASS, "")).storageClass()).contains("");
        assertThat(read(Map.of()).storageClass()).isEmpty();
        assertThat(read(Map.of()).annotations()).isEmpty();
    }
}
