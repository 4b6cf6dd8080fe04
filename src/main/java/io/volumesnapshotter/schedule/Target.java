package io.volumesnapshotter.schedule;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import java.util.Optional;

/**
 * What a run takes a snapshot of.
 *
 * @param claim the claim
 * @param snapshotClassName the VolumeSnapshotClass to name; empty for the cluster's default
 * @param claimUid which of the claims that had this name one after the other; empty for a claim
 *     that was not looked at
 * @param recorded what its snapshot is to say of it; empty for a claim that was not looked at
 */
public record Target(
        Claim claim,
        Optional<String> snapshotClassName,
        Optional<String> claimUid,
        Optional<RecordedClaim> recorded) {

    /** A claim that was not looked at, or of which nothing is to be written down. */
    public Target(Claim claim, Optional<String> snapshotClassName, Optional<String> claimUid) {
        this(claim, snapshotClassName, claimUid, Optional.empty());
    }
}
