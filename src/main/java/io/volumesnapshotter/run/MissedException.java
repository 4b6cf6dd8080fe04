package io.volumesnapshotter.run;

import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.List;

/** A fire time got no run, or one that was cut off, and it is too late for one. */
public final class MissedException extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * @param startingDeadline how late a run may begin
     * @param sign what shows that it was not begun, or was cut off
     */
    public MissedException(Duration startingDeadline, String sign) {
        super(
                "missed: %s, and it is older than starting-deadline (%s)"
                        .formatted(sign, Settings.text(startingDeadline)));
    }

    /**
     * @param startingDeadline how late a run may begin
     * @param claims those that got no snapshot; empty for all
     */
    public MissedException(Duration startingDeadline, List<Claim> claims) {
        this(
                startingDeadline,
                claims.isEmpty()
                        ? "no snapshot shows that it was begun"
                        : "it left no snapshot of "
                                + DeadLetter.names(claims.stream().map(Claim::toString).toList()));
    }
}
