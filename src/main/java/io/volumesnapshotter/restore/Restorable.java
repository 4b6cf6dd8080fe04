package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A snapshot with what a restore has to know of it.
 *
 * @param restoreSize {@code status.restoreSize}; empty where the driver gives none, or 0
 * @param claim what was written on it of the claim that it was taken of
 */
public record Restorable(Snapshot snapshot, Optional<Size> restoreSize, RecordedClaim claim) {

    private static final String SIZE = ApiObject.field("status", "restoreSize");

    /** What is read of each. */
    static final List<String> FIELDS =
            Stream.concat(
                            Stream.of(SIZE),
                            Stream.concat(
                                    SnapshotReader.FIELDS.stream(), RecordedClaim.FIELDS.stream()))
                    .distinct()
                    .toList();

    /** Reads one of which {@link #FIELDS} were kept. */
    static Restorable read(ApiObject object) {
        return new Restorable(
                SnapshotReader.read(object),
                Size.read(object.text(SIZE)).filter(size -> !size.isZero()),
                RecordedClaim.read(object));
    }

    /** Its name. */
    public String name() {
        return snapshot.name();
    }
}
