package io.volumesnapshotter.snapshot;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;

/**
 * What the program knows of one VolumeSnapshot.
 *
 * @param name name of the VolumeSnapshot
 * @param claim namespace and {@code spec.source.persistentVolumeClaimName}, whose name is empty
 *     when there is none
 * @param labels the snapshot's labels
 * @param createdAt {@code metadata.creationTimestamp}, by the API server's clock
 * @param takenAt {@code status.creationTime}, the instant at which storage cut the data; {@code
 *     createdAt} as long as storage has not told it
 * @param started whether a VolumeSnapshotContent is bound, which is when the driver's work starts
 * @param ready {@code status.readyToUse}
 * @param deletedAt {@code metadata.deletionTimestamp}, since when it is being deleted, or null
 * @param held whether someone pinned it by the annotation {@value #HOLD}
 * @param error {@code status.error.message}, or null
 * @param claimUid the uid of its claim by the annotation {@value #CLAIM_UID}, or null
 */
public record Snapshot(
        String name,
        Claim claim,
        Map<String, String> labels,
        Instant createdAt,
        Instant takenAt,
        boolean started,
        boolean ready,
        Instant deletedAt,
        boolean held,
        String error,
        String claimUid) {

    /** The annotation that pins a snapshot, by any value but {@code false}. */
    public static final String HOLD = "volume-snapshotter/hold";

    /** The annotation that tells claims apart that had the same name one after the other. */
    public static final String CLAIM_UID = "volume-snapshotter/claim-uid";

    /** A snapshot that was taken and ready at an instant. */
    public static Snapshot ready(String name, Claim claim, Map<String, String> labels, Instant at) {
        return new Snapshot(name, claim, labels, at, at, true, true, null, false, null, null);
    }

    /** When its run was due. Its creation may be much later, and by another clock. */
    public Instant dueAt() {
        try {
            return SnapshotNames.fireTime(labels.getOrDefault(SnapshotLabels.RUN, ""));
        } catch (DateTimeException e) {
            return createdAt;
        }
    }

    /** Whether it is being deleted. */
    public boolean terminating() {
        return deletedAt != null;
    }

    /** Whether this is a copy that can be restored from and that stays. */
    public boolean isGood() {
        return ready && !terminating();
    }
}
