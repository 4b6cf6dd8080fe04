package io.volumesnapshotter.simulation;

/** The states in which an old snapshot can be put into the cluster. The driver leaves it so. */
public enum SnapshotState {
    /** Bound and cut, ready to use. */
    READY,
    /** Bound, not ready, no error. */
    CREATING,
    /** Bound, not ready, with an error. */
    FAILED,
    /** Was ready, is deleted, and storage has not let go. */
    TERMINATING
}
