package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.Collection;

/** Is told what happens in runs. Nothing is decided by what it makes of that. */
public interface RunListener {

    /** A run began. */
    void started(Run run);

    /** A claim's snapshot was seen ready. */
    void ready(Run run, Claim claim, Snapshot snapshot);

    /** A claim's snapshot is no good one any more; the next list tells which still are. */
    void lost(Run run, Claim claim);

    /** All snapshots of a schedule were listed. */
    void listed(Run run, Collection<Snapshot> listed);

    /** A snapshot of a schedule was deleted. */
    void pruned(String schedule);

    /** Something failed. */
    void failed(Failure letter);

    /** A run has ended; it may be told more than once. */
    void ended(Run run);
}
