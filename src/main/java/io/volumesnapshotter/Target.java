package io.volumesnapshotter;

import java.util.Optional;

/**
 * What a run takes a snapshot of.
 *
 * @param claim the claim
 * @param snapshotClassName the VolumeSnapshotClass to name; empty for the cluster's default
 */
public record Target(Claim claim, Optional<String> snapshotClassName) {}
