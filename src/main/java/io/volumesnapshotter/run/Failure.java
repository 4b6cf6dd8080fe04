package io.volumesnapshotter.run;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A failure with all that a person needs to act, or the recovery from one.
 *
 * @param schedule name of the schedule
 * @param run name of the run; the schedule's where it failed before its run began
 * @param namespace namespace of the claim
 * @param claim name of the claim, empty when the failure concerns no single one
 * @param snapshot name of the snapshot, empty when it concerns none
 * @param phase id of the route in which it happened
 * @param operation what it was about to do in the cluster, empty where that is not known
 * @param attempts how often it was tried
 * @param firstAt time of the first failure in the current unbroken series
 * @param lastAt time of this failure, or of the recovery
 * @param failures in how many runs in a row it failed
 * @param reason the driver's or the server's own words; of a recovery, what was seen
 * @param remedy what to do; of a recovery, empty
 * @param recovered whether this is a recovery
 */
public record Failure(
        String schedule,
        String run,
        String namespace,
        String claim,
        String snapshot,
        String phase,
        String operation,
        int attempts,
        Instant firstAt,
        Instant lastAt,
        int failures,
        String reason,
        String remedy,
        boolean recovered) {

    /** This failure as one of a series: when that began, and how many it has. */
    Failure since(Instant first, int number) {
        return new Failure(
                schedule, run, namespace, claim, snapshot, phase, operation, attempts, first,
                lastAt, number, reason, remedy, recovered);
    }

    /** The recovery from this failure. */
    Failure recovered(String inRun, String ready, Instant at, String seen) {
        return new Failure(
                schedule, inRun, namespace, claim, ready, phase, operation, 1, firstAt, at,
                failures, seen, "", true);
    }

    /** The fields by name, as texts and numbers, for JSON. */
    public Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("schedule", schedule);
        fields.put("run", run);
        fields.put("namespace", namespace);
        fields.put("claim", claim);
        fields.put("snapshot", snapshot);
        fields.put("phase", phase);
        fields.put("attempts", attempts);
        fields.put("firstAt", second(firstAt));
        fields.put("lastAt", second(lastAt));
        fields.put("failures", failures);
        fields.put("reason", reason);
        fields.put("remedy", remedy);
        fields.put("recovered", recovered);
        fields.put("text", toString());
        return fields;
    }

    private static String second(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** What it concerns: the claim, or nothing. */
    public String subject() {
        return claim.isEmpty() ? "" : " " + namespace + "/" + claim;
    }

    /** As one log line. */
    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(run).append(subject());
        if (recovered) {
            return line.append(": recovered: ")
                    .append(reason)
                    .append("; it failed since ")
                    .append(second(firstAt))
                    .toString();
        }
        return line.append(": ").append(what()).toString();
    }

    /** What happened, without what it concerns. */
    public String what() {
        StringBuilder line = new StringBuilder(phase).append(" failed");
        if (!snapshot.isEmpty()) {
            line.append(" for ").append(snapshot);
        }
        if (attempts > 1) {
            line.append(" after ").append(attempts).append(" attempts");
        }
        return line.append(": ").append(reason).append(" -> ").append(remedy).toString();
    }
}
