package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Keep;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a schedule does whenever it fires.
 *
 * @param selection which claims
 * @param snapshotClassName the VolumeSnapshotClass; empty for the claim's, the driver's, or else
 *     the cluster's default
 * @param keep which snapshots of a claim stay
 * @param readyTimeout how long a snapshot may take to become ready once its work has started
 * @param pollInterval how long to wait before the first look
 * @param maxPollInterval the longest wait between two looks
 * @param startingDeadline how late a run may start after it was due; a later one is left out
 * @param jitter over how long the creations of a run are spread, each claim at its own time; 0 for
 *     all at once
 * @param concurrency how many creations of a run are under way at the same time
 * @param suspend whether nothing is done at all
 * @param labels labels of the user's own to put on snapshots
 * @param annotations annotations of the user's own to put on snapshots
 * @param adopt whether the snapshots of the claims that the original CronJob took count, and go, as
 *     if this schedule had taken them
 * @param pruneOnly selects snapshots of other tools by their labels; then none are taken, and the
 *     keep rules apply to these
 */
public record Policy(
        ClaimSelection selection,
        Optional<String> snapshotClassName,
        Keep keep,
        Duration readyTimeout,
        Duration pollInterval,
        Duration maxPollInterval,
        Duration startingDeadline,
        Duration jitter,
        int concurrency,
        boolean suspend,
        Map<String, String> labels,
        Map<String, String> annotations,
        boolean adopt,
        Optional<String> pruneOnly) {

    private static final int MAX_CONCURRENCY = 100;

    /** The names of the settings that make a policy, as they stand in a schedule's file. */
    public static final Set<String> SETTINGS = settings();

    private static Set<String> settings() {
        Set<String> names =
                new HashSet<>(
                        Set.of(
                                "snapshot-class-name",
                                "ready-timeout",
                                "poll-interval",
                                "max-poll-interval",
                                "starting-deadline",
                                "jitter",
                                "concurrency",
                                "suspend",
                                "labels",
                                "annotations",
                                "adopt",
                                "prune-only"));
        names.addAll(ClaimSelection.SETTINGS);
        names.addAll(Keep.SETTINGS);
        return Set.copyOf(names);
    }

    /**
     * @throws InvalidSettingException when a setting is wrong or two contradict each other
     */
    public static Policy of(Settings settings) {
        Policy policy =
                new Policy(
                        ClaimSelection.of(settings),
                        settings.objectName("snapshot-class-name"),
                        Keep.of(settings),
                        settings.duration("ready-timeout"),
                        settings.duration("poll-interval"),
                        settings.duration("max-poll-interval"),
                        settings.duration("starting-deadline"),
                        settings.optionalDuration("jitter").orElse(Duration.ZERO),
                        settings.wholeNumber("concurrency", 1, MAX_CONCURRENCY),
                        settings.flag("suspend"),
                        settings.labels("labels", SnapshotLabels::isOwn),
                        settings.annotations("annotations"),
                        settings.flag("adopt"),
                        settings.labelSelector("prune-only"));
        if (policy.adopt && policy.pruneOnly.isPresent()) {
            throw settings.invalid("adopt", "leave out one of adopt and prune-only");
        }
        if (policy.pruneOnly.isPresent() && !policy.selection.isByNameAlone()) {
            throw settings.invalid(
                    "prune-only",
                    "it goes by the names of claims and namespaces; leave out namespace-selector,"
                            + " claim-selector, storage-class and opt-in");
        }
        if (policy.maxPollInterval.compareTo(policy.pollInterval) < 0) {
            throw settings.invalid(
                    "max-poll-interval",
                    "it must not be shorter than poll-interval, " + settings.text("poll-interval"));
        }
        if (policy.readyTimeout.compareTo(policy.pollInterval) < 0) {
            throw settings.invalid(
                    "ready-timeout",
                    "it must not be shorter than poll-interval, " + settings.text("poll-interval"));
        }
        return policy;
    }
}
