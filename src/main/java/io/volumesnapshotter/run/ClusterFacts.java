package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the cluster showed at one time, by which deletions are judged.
 *
 * @param at when it was asked for, by a steady clock
 * @param snapshots the snapshots in the scope of the schedule, and perhaps others, by claim
 * @param claims the claims, as far as they may be listed
 */
public record ClusterFacts(Instant at, Map<Claim, List<Snapshot>> snapshots, ClaimFacts claims) {

    /** How old facts may be by which a deletion is judged. */
    static final Duration MAX_AGE = Duration.ofSeconds(5);

    static ClusterFacts of(Instant at, List<Snapshot> listed, ClaimFacts claims) {
        return new ClusterFacts(
                at, listed.stream().collect(Collectors.groupingBy(Snapshot::claim)), claims);
    }

    /** The snapshots of one claim. */
    public List<Snapshot> of(Claim claim) {
        return snapshots.getOrDefault(claim, List.of());
    }

    /** All snapshots. */
    public List<Snapshot> all() {
        return snapshots.values().stream().flatMap(List::stream).toList();
    }

    /** Whether they are too old to judge by; such that seem to come from the future are, too. */
    boolean isTooOld(Instant now) {
        return now.isBefore(at) || now.isAfter(at.plus(MAX_AGE));
    }
}
