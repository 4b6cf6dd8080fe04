package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Snapshot;

/**
 * A deletion that was decided, and is judged once more before it is sent.
 *
 * @param snapshot the snapshot as it was when that was decided
 * @param reason why it may go, for people
 * @param occasion what allows it
 */
public record Deletion(Snapshot snapshot, String reason, Pruning.Occasion occasion) {}
