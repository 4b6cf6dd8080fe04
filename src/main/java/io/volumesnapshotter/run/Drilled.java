package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What a run that drills knows beside how far its claims are. Safe for use by several threads. */
final class Drilled {

    private final Set<Claim> selected;
    private final Map<Claim, String> snapshots = new ConcurrentHashMap<>();

    /**
     * @param selected all claims of the schedule, also those whose turn it is not
     */
    Drilled(Set<Claim> selected) {
        this.selected = Set.copyOf(selected);
    }

    Set<Claim> selected() {
        return selected;
    }

    /** The snapshot that was restored; empty where none was found. */
    String snapshotOf(Claim claim) {
        return snapshots.getOrDefault(claim, "");
    }

    void mark(Claim claim, String snapshot) {
        snapshots.put(claim, snapshot);
    }
}
