package io.volumesnapshotter;

/**
 * A dead letter: all that a person needs to act.
 *
 * @param schedule name of the schedule
 * @param run name of the run
 * @param namespace namespace of the claim
 * @param claim name of the claim, empty when the failure concerns no single one
 * @param snapshot name of the snapshot, empty when it concerns none
 * @param phase id of the route in which it happened
 * @param attempts how often it was tried
 * @param reason the driver's or the server's own words
 * @param remedy what to do
 */
public record Failure(
        String schedule,
        String run,
        String namespace,
        String claim,
        String snapshot,
        String phase,
        int attempts,
        String reason,
        String remedy) {

    /** The failure in one line. */
    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(run);
        if (!claim.isEmpty()) {
            line.append(' ').append(namespace).append('/').append(claim);
        }
        line.append(": ").append(phase).append(" failed");
        if (!snapshot.isEmpty()) {
            line.append(" for ").append(snapshot);
        }
        if (attempts > 1) {
            line.append(" after ").append(attempts).append(" attempts");
        }
        return line.append(": ").append(reason).append(" -> ").append(remedy).toString();
    }
}
