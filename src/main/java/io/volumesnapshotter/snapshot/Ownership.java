package io.volumesnapshotter.snapshot;

import java.util.List;
import java.util.Map;

/**
 * Tells which snapshots an installation's schedule took itself, so that two installations, or a
 * person's copy of a manifest, are never pruned by somebody else's rules.
 *
 * <p>A snapshot is a schedule's if its labels name the schedule and the installation, and its name
 * is the one that claim, schedule and run give. One without an installation's label is of a release
 * before 0.2. It is taken over, unless another installation has labelled snapshots of the same
 * claim and schedule: then nobody can tell whose it is, and it stays.
 *
 * @param installation identity of this installation
 * @param schedule name of the schedule
 */
public record Ownership(String installation, String schedule) {

    /**
     * Those of a claim's snapshots that the schedule took, in the order given.
     *
     * @param ofClaim snapshots of one claim
     */
    public List<Snapshot> own(List<Snapshot> ofClaim) {
        boolean shared =
                ofClaim.stream().anyMatch(snapshot -> isOfSchedule(snapshot) && isOthers(snapshot));
        return ofClaim.stream().filter(snapshot -> isOwn(snapshot, shared)).toList();
    }

    /** Whether a snapshot's label says that another installation took it. */
    public boolean isOthers(Snapshot snapshot) {
        String label = snapshot.labels().get(SnapshotLabels.INSTALLATION);
        return label != null && !label.equals(installation);
    }

    private boolean isOwn(Snapshot snapshot, boolean shared) {
        boolean labelled = installation.equals(snapshot.labels().get(SnapshotLabels.INSTALLATION));
        boolean takenOver = !snapshot.labels().containsKey(SnapshotLabels.INSTALLATION) && !shared;
        return isOfSchedule(snapshot) && (labelled || takenOver) && hasItsName(snapshot);
    }

    private boolean isOfSchedule(Snapshot snapshot) {
        Map<String, String> labels = SnapshotLabels.ofSchedule(schedule);
        return snapshot.labels().entrySet().containsAll(labels.entrySet());
    }

    private boolean hasItsName(Snapshot snapshot) {
        String run = snapshot.labels().getOrDefault(SnapshotLabels.RUN, "");
        String claim = snapshot.claim().name();
        return SnapshotNames.isRun(schedule, run)
                && !claim.isEmpty()
                && (snapshot.name().equals(SnapshotNames.snapshot(claim, schedule, run))
                        || snapshot.name()
                                .equals(
                                        SnapshotNames.snapshot(
                                                claim, schedule, run, installation)));
    }
}
