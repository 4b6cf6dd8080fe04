package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Snapshot;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/** What a watch shows of a run's snapshots. Safe for use by several threads. */
final class RunView {

    /** How long a run that is watched waits between two looks, in milliseconds. */
    static final long PAUSE = 50;

    private final AtomicReference<List<Snapshot>> shown = new AtomicReference<>();
    private volatile boolean watched;

    /** Whether a watch tells when there is something to see. */
    boolean isWatched() {
        return watched;
    }

    void markWatched(boolean isWatched) {
        watched = isWatched;
    }

    /**
     * Lets the next look have these in place of a list.
     *
     * @return false, if one is missing that the server has taken and that is waited for
     */
    boolean show(Run run, List<Snapshot> snapshots) {
        boolean isComplete = isComplete(run, snapshots, ClaimProgress::requests);
        if (isComplete) {
            shown.set(snapshots);
        }
        return isComplete;
    }

    /** What a look is to have in place of a list; once, and unless more was asked for since. */
    Optional<List<Snapshot>> takeShown(Run run) {
        return Optional.ofNullable(shown.getAndSet(null))
                .filter(taken -> isComplete(run, taken, ClaimProgress::requestsBeforeLook));
    }

    private static boolean isComplete(
            Run run, List<Snapshot> snapshots, ToIntFunction<ClaimProgress> answers) {
        Set<String> names =
                snapshots.stream()
                        .map(snapshot -> snapshot.claim().namespace() + "/" + snapshot.name())
                        .collect(Collectors.toSet());
        return run.pending().stream()
                .filter(claim -> run.progress().ask(claim, answers::applyAsInt, 0) > 0)
                .allMatch(claim -> names.contains(claim.namespace() + "/" + run.snapshotOf(claim)));
    }
}
