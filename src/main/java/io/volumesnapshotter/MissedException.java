package io.volumesnapshotter;

import java.time.Duration;

/** A fire time got no run, and it is too late for one. */
public final class MissedException extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * @param startingDeadline how late a run may begin
     */
    public MissedException(Duration startingDeadline) {
        super(
                "missed: no snapshot shows that it was begun, and it is older than starting-deadline (%s)"
                        .formatted(Settings.text(startingDeadline)));
    }
}
