package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.Collection;

/** Is told what happens in runs. Nothing is decided by what it makes of that. */
public interface RunListener {

    /** A run began. */
    void started(Run run);

    /**
     * The API server has a claim's snapshot.
     *
     * @param isNew whether it took it now; false when it was there already
     */
    default void created(Run run, Claim claim, String snapshot, boolean isNew) {}

    /** The driver or a quota refuses a claim's snapshot for now. */
    default void delayed(Run run, Claim claim, String words) {}

    /** A claim's snapshot was seen ready. */
    void ready(Run run, Claim claim, Snapshot snapshot);

    /** A claim's snapshot is no good one any more; the next list tells which still are. */
    void lost(Run run, Claim claim);

    /** All snapshots of a schedule were listed. */
    void listed(Run run, Collection<Snapshot> listed);

    /** A snapshot was deleted, for this reason. */
    void pruned(Run run, Snapshot snapshot, String reason);

    /** Something failed. */
    void failed(Failure letter);

    /**
     * Something failed.
     *
     * @param isPassing whether the same may succeed later without a change
     */
    default void failed(Failure letter, boolean isPassing) {
        failed(letter);
    }

    /** A run has ended; it may be told more than once. */
    void ended(Run run);
}
