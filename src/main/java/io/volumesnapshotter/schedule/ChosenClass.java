package io.volumesnapshotter.schedule;

import java.util.Optional;

/**
 * The VolumeSnapshotClass for a claim: that of the schedule, else that of the claim, else that of
 * its driver.
 */
final class ChosenClass {

    /** Annotation of a claim: its VolumeSnapshotClass, where the schedule names none. */
    static final String SNAPSHOT_CLASS = "volume-snapshotter/snapshot-class";

    private final VolumeDrivers drivers;

    ChosenClass(VolumeDrivers drivers) {
        this.drivers = drivers;
    }

    /**
     * The VolumeSnapshotClass for a claim that was selected; empty for the cluster's default.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when it depends on the claim's
     *     volume, and that cannot be read
     */
    Optional<String> of(FoundClaim claim, Policy policy) {
        return policy.snapshotClassName()
                .or(claim::snapshotClass)
                .or(
                        () ->
                                isByDriver(claim, policy)
                                        ? drivers.of(claim)
                                                .found()
                                                .map(policy.selection().classOfDriver()::get)
                                        : Optional.empty());
    }

    private static boolean isByDriver(FoundClaim claim, Policy policy) {
        return policy.snapshotClassName().isEmpty()
                && claim.snapshotClass().isEmpty()
                && !policy.selection().classOfDriver().isEmpty();
    }

    /** Why the class of a claim's driver is not known, where that is asked for. */
    Optional<String> whyNoDriver(FoundClaim claim, Policy policy) {
        return Optional.of(claim)
                .filter(any -> isByDriver(any, policy))
                .map(drivers::of)
                .filter(driver -> driver.found().isEmpty())
                .map(
                        driver ->
                                "snapshot-class-by-driver does not apply: the claim has no"
                                        + " annotation "
                                        + FoundClaim.PROVISIONER
                                        + " or "
                                        + FoundClaim.BETA_PROVISIONER
                                        + ", "
                                        + driver.missing()
                                        + "; or name its class by the annotation "
                                        + SNAPSHOT_CLASS);
    }
}
