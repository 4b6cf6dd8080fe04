package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;

/** One claim's snapshot of a run cannot be called a success, and waiting will not change that. */
public final class SnapshotFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Claim claim;
    private final String remedy;
    private final boolean isLate;

    /**
     * @param claim the claim
     * @param message why, in the words of the driver or the server where there are any
     * @param remedy what to do
     */
    public SnapshotFailedException(Claim claim, String message, String remedy) {
        this(claim, message, remedy, false);
    }

    /**
     * @param isLate whether nothing was wrong but the time that it took
     */
    SnapshotFailedException(Claim claim, String message, String remedy, boolean isLate) {
        super(message);
        this.claim = claim;
        this.remedy = remedy;
        this.isLate = isLate;
    }

    /** Whether nothing was wrong but the time that it took, so that the same may succeed later. */
    boolean isLate() {
        return isLate;
    }

    /** The claim. */
    public Claim claim() {
        return claim;
    }

    /** What to do. */
    public String remedy() {
        return remedy;
    }
}
