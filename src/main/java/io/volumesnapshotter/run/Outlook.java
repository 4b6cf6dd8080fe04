package io.volumesnapshotter.run;

import io.volumesnapshotter.run.Pruning.Occasion;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a schedule makes of the snapshots that are there, now and in its next runs. It asks {@link
 * Pruning}, as runs do, and changes nothing.
 *
 * @param schedule the schedule
 * @param trigger when it is due; empty when nobody knows
 * @param installation identity of this installation
 */
public record Outlook(Schedule schedule, Optional<Trigger> trigger, String installation) {

    private Pruning pruning(Instant due) {
        return new Pruning(
                schedule.policy(),
                trigger.<ZoneId>map(Trigger::zone).orElse(ZoneOffset.UTC),
                new Ownership(installation, schedule.name()),
                due);
    }

    /**
     * What becomes of the snapshots of a claim that the schedule's rules are for, and why; newest
     * first.
     *
     * @param ofClaim all snapshots of the claim
     */
    public List<Decision> decide(
            Claim claim, List<Snapshot> ofClaim, ClaimFacts claims, Instant now) {
        Pruning pruning = pruning(now);
        return pruning.decide(
                claim, pruning.scope(ofClaim), claims, "", Occasion.NEWER_IS_READY, now);
    }

    /**
     * With which of the next runs each snapshot goes, if all of these succeed.
     *
     * @param runs how many runs to look ahead
     * @return the times at which these are due, by the snapshots' names; without those that stay
     *     longer
     */
    public Map<String, Instant> ends(
            Claim claim, List<Snapshot> ofClaim, ClaimFacts claims, Instant now, int runs) {
        Map<String, Instant> ends = new HashMap<>();
        List<Snapshot> there = new ArrayList<>(pruning(now).scope(ofClaim));
        Set<String> open = there.stream().map(Snapshot::name).collect(Collectors.toSet());
        Optional<Instant> due = trigger.flatMap(any -> any.nextDue(now));
        for (int run = 0; run < runs && due.isPresent() && !open.isEmpty(); run++) {
            Instant at = due.get();
            String name = SnapshotNames.snapshot(claim.name(), schedule.name(), at);
            if (schedule.policy().pruneOnly().isEmpty()) {
                there.add(expected(claim, claims, name, at));
            }
            Set<Snapshot> stale =
                    pruning(at)
                            .decide(claim, there, claims, name, Occasion.NEWER_IS_READY, at)
                            .stream()
                            .filter(Decision::stale)
                            .map(Decision::snapshot)
                            .collect(Collectors.toSet());
            stale.stream()
                    .map(Snapshot::name)
                    .filter(open::remove)
                    .forEach(gone -> ends.put(gone, at));
            there.removeAll(stale);
            due = trigger.flatMap(any -> any.nextDue(at));
        }
        return ends;
    }

    private Snapshot expected(Claim claim, ClaimFacts claims, String name, Instant at) {
        return Snapshot.expected(
                name,
                claim,
                SnapshotLabels.of(
                        name,
                        schedule.name(),
                        SnapshotNames.run(schedule.name(), at),
                        installation),
                claims.of(claim).map(ClaimFacts.Present::uid).orElse(null),
                at);
    }
}
