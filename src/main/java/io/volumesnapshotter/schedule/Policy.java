package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Keep;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What a schedule does whenever it fires.
 *
 * @param selection which claims
 * @param readClaims whether claims that are named are read, so that what a restore needs is written
 *     on their snapshots; those that are selected are read anyway
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
 * @param quiesce how applications are frozen while storage cuts; empty for not at all
 * @param drill what it drills; then none are taken and none are pruned
 */
public record Policy(
        ClaimSelection selection,
        boolean readClaims,
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
        Optional<String> pruneOnly,
        Optional<Quiesce> quiesce,
        Optional<DrillPolicy> drill) {

    /** The longest wait between two looks where somebody waits for the end of the run. */
    private static final Duration ATTENDED = Duration.ofSeconds(1);

    /**
     * This policy for a run that somebody waits for: it begins at once, and looks once a second.
     *
     * @param wait how long a snapshot may take to become ready; empty for as long as always
     */
    public Policy attended(Optional<Duration> wait) {
        Duration poll = pollInterval.compareTo(ATTENDED) < 0 ? pollInterval : ATTENDED;
        return new Policy(
                selection,
                readClaims,
                snapshotClassName,
                keep,
                wait.orElse(readyTimeout),
                poll,
                poll,
                startingDeadline,
                Duration.ZERO,
                concurrency,
                suspend,
                labels,
                annotations,
                adopt,
                pruneOnly,
                quiesce,
                drill);
    }

    /** The policy of a schedule that drills. */
    static Policy ofDrill(Settings settings) {
        DrillPolicy drill = DrillPolicy.of(settings);
        Policy policy = of(settings);
        return new Policy(
                policy.selection,
                policy.readClaims,
                policy.snapshotClassName,
                policy.keep,
                drill.longestRun(),
                policy.pollInterval,
                policy.maxPollInterval,
                policy.startingDeadline,
                policy.jitter,
                policy.concurrency,
                policy.suspend,
                policy.labels,
                policy.annotations,
                policy.adopt,
                policy.pruneOnly,
                policy.quiesce,
                Optional.of(drill));
    }

    /** Whether it takes snapshots. */
    public boolean takes() {
        return pruneOnly.isEmpty() && drill.isEmpty();
    }

    /**
     * @throws InvalidSettingException when a setting is wrong or two contradict each other
     */
    public static Policy of(Settings settings) {
        Policy policy =
                new Policy(
                        ClaimSelection.of(settings),
                        settings.get(ScheduleSettings.READ_CLAIMS),
                        settings.get(ScheduleSettings.SNAPSHOT_CLASS_NAME),
                        Keep.of(settings),
                        settings.get(ScheduleSettings.READY_TIMEOUT),
                        settings.get(ScheduleSettings.POLL_INTERVAL),
                        settings.get(ScheduleSettings.MAX_POLL_INTERVAL),
                        settings.get(ScheduleSettings.STARTING_DEADLINE),
                        settings.get(ScheduleSettings.JITTER).orElse(Duration.ZERO),
                        settings.get(ScheduleSettings.CONCURRENCY),
                        settings.get(ScheduleSettings.SUSPEND),
                        labels(settings),
                        settings.get(ScheduleSettings.ANNOTATIONS),
                        settings.get(ScheduleSettings.ADOPT),
                        settings.get(ScheduleSettings.PRUNE_ONLY),
                        Quiesce.of(settings),
                        Optional.empty());
        if (policy.adopt && policy.pruneOnly.isPresent()) {
            throw settings.invalid(ScheduleSettings.ADOPT, "leave out one of adopt and prune-only");
        }
        if (policy.quiesce.isPresent() && policy.pruneOnly.isPresent()) {
            throw settings.invalid(
                    ScheduleSettings.QUIESCE, "leave out one of quiesce and prune-only");
        }
        if (policy.pruneOnly.isPresent()
                && (!policy.selection.isByNameAlone()
                        || policy.selection.skipUnused().isPresent())) {
            throw settings.invalid(
                    ScheduleSettings.PRUNE_ONLY,
                    "it goes by the names of claims and namespaces; leave out namespace-selector,"
                            + " claim-selector, storage-class, opt-in and skip-unused");
        }
        if (policy.maxPollInterval.compareTo(policy.pollInterval) < 0) {
            throw settings.invalid(
                    ScheduleSettings.MAX_POLL_INTERVAL,
                    "it must not be shorter than poll-interval, "
                            + settings.text(ScheduleSettings.POLL_INTERVAL));
        }
        if (policy.readyTimeout.compareTo(policy.pollInterval) < 0) {
            throw settings.invalid(
                    ScheduleSettings.READY_TIMEOUT,
                    "it must not be shorter than poll-interval, "
                            + settings.text(ScheduleSettings.POLL_INTERVAL));
        }
        return policy;
    }

    private static Map<String, String> labels(Settings settings) {
        Map<String, String> labels = settings.get(ScheduleSettings.LABELS);
        labels.forEach(
                (key, value) -> {
                    if (SnapshotLabels.isOwn(key)) {
                        throw settings.invalidLabel(ScheduleSettings.LABELS, key + "=" + value);
                    }
                });
        return labels;
    }
}
