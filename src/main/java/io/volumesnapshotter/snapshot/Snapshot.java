package io.volumesnapshotter.snapshot;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * What the program knows of one VolumeSnapshot.
 *
 * @param name name of the VolumeSnapshot
 * @param uid {@code metadata.uid}
 * @param resourceVersion {@code metadata.resourceVersion}: which version of the object this is
 * @param claim namespace and {@code spec.source.persistentVolumeClaimName}, whose name is empty
 *     when there is none
 * @param labels the labels of this program that it carries
 * @param createdAt {@code metadata.creationTimestamp}, by the API server's clock
 * @param cutAt {@code status.creationTime}, the instant at which storage cut the data by the
 *     driver's clock, or null as long as the driver has not told it
 * @param size {@code status.restoreSize} as a quantity of Kubernetes, or null as long as it is not
 *     there
 * @param snapshotClass {@code spec.volumeSnapshotClassName}, or null
 * @param started whether a VolumeSnapshotContent is bound, which is when the driver's work starts
 * @param ready {@code status.readyToUse}, unless it is unproven
 * @param deletedAt {@code metadata.deletionTimestamp}, since when it is being deleted, or null
 * @param hold what pins it
 * @param error {@code status.error.message}, or null
 * @param claimUid the uid of its claim by the annotation {@value #CLAIM_UID}, or null
 * @param unproven whether its application was to be frozen while storage cut ({@value #QUIESCE}),
 *     and nothing says that it was ({@value #CONSISTENT})
 */
public record Snapshot(
        String name,
        String uid,
        String resourceVersion,
        Claim claim,
        Map<String, String> labels,
        Instant createdAt,
        Instant cutAt,
        String size,
        String snapshotClass,
        boolean started,
        boolean ready,
        Instant deletedAt,
        Hold hold,
        String error,
        String claimUid,
        boolean unproven) {

    /** The annotation that tells claims apart that had the same name one after the other. */
    public static final String CLAIM_UID = "volume-snapshotter/claim-uid";

    /** The annotation that names how the application was to be frozen. */
    public static final String QUIESCE = "volume-snapshotter/quiesce";

    /** The annotation that says that the application was frozen while storage cut. */
    public static final String CONSISTENT = "volume-snapshotter/consistent";

    /** How far clocks of storage, the API server and this machine may differ. */
    public static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(5);

    /**
     * How long after its creation a snapshot's data may be cut. The snapshot controller starts one
     * in about 1.8 s by default, so the last of ten thousand begins after five hours.
     */
    static final Duration LONGEST_WAIT_FOR_CUT = Duration.ofDays(1);

    /** A snapshot as it will be once it was taken and is ready. */
    public static Snapshot expected(
            String name, Claim claim, Map<String, String> labels, String claimUid, Instant at) {
        return new Snapshot(
                name, "", "", claim, labels, at, at, "", null, true, true, null, Hold.NONE, null,
                claimUid, false);
    }

    /**
     * When its data was cut, by a clock that can be trusted: the driver's time where it fits the
     * time of the object's creation, else that. Drivers are known that give all snapshots of a
     * volume one date (kubernetes-sigs/azurefile-csi-driver, issue 1957).
     */
    public Instant takenAt() {
        return isCutTimePlausible() ? cutAt : createdAt;
    }

    /** Whether the driver told when it cut the data, and that can be true. */
    public boolean isCutTimePlausible() {
        return cutAt != null
                && !cutAt.isBefore(createdAt.minus(CLOCK_TOLERANCE))
                && !cutAt.isAfter(createdAt.plus(LONGEST_WAIT_FOR_CUT));
    }

    /**
     * Whether its data was cut before an instant of the API server's clock, however wrong the
     * driver's clock is, and however late storage cut if the driver does not tell.
     */
    public boolean isSurelyCutBefore(Instant time) {
        Instant latest =
                isCutTimePlausible()
                        ? cutAt.plus(CLOCK_TOLERANCE)
                        : createdAt.plus(LONGEST_WAIT_FOR_CUT);
        return latest.isBefore(time);
    }

    /** When its run was due. Its creation may be much later, and by another clock. */
    public Instant dueAt() {
        try {
            return SnapshotNames.fireTime(labels.getOrDefault(SnapshotLabels.RUN, ""));
        } catch (DateTimeException e) {
            return createdAt;
        }
    }

    /**
     * Whether it was created well before its run was due, by the API server's clock: this machine's
     * clock was ahead then, and what it holds is not what that run was to hold.
     */
    public boolean isPremature() {
        return createdAt.isBefore(dueAt().minus(CLOCK_TOLERANCE));
    }

    /** Whether it is being deleted. */
    public boolean terminating() {
        return deletedAt != null;
    }

    /** Whether this is a copy that can be restored from and that stays. */
    public boolean isGood() {
        return ready && !terminating();
    }

    /**
     * Whether storage holds a copy of data for it: it has a time of the cut and a size. Such a one
     * may be on its way to become ready, or may have been ready: old snapshot controllers take
     * {@code readyToUse} back for a while.
     */
    public boolean isCut() {
        return cutAt != null && size != null;
    }
}
