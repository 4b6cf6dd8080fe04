package io.volumesnapshotter.run;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Asks the cluster about a fire time that is too old to get its run now. Another replica, or this
 * program before it was restarted, may have run it, or have been cut off in the middle. A schedule
 * of which no snapshot was due at a time of its present trigger may have been installed, or have
 * got that trigger, since; and a claim without any may be new.
 */
final class MissedRuns {

    private final Snapshots snapshots;

    MissedRuns(Snapshots snapshots) {
        this.snapshots = snapshots;
    }

    /**
     * Tells what became of a fire time.
     *
     * @param run the run that it would get
     * @param wasThere whether the schedule is known to have been there at that time
     * @return whether its run was cut off after all snapshots were asked for, so that the rest of
     *     it can still be done; false when there is nothing to do
     * @throws MissedException when claims got no snapshot
     * @throws KubernetesClientException when the cluster does not tell
     */
    boolean check(Run run, Firing firing, Optional<Trigger> trigger, boolean wasThere)
            throws MissedException {
        Instant due = firing.due();
        Set<Claim> good =
                run.pruning().inScope(snapshots.ofRun(run)).stream()
                        .filter(Snapshot::isGood)
                        .filter(snapshot -> !run.targets().isOfWrongClock(snapshot))
                        .map(Snapshot::claim)
                        .collect(Collectors.toSet());
        if (good.containsAll(run.claims())) {
            return false;
        }
        Map<Claim, List<Snapshot>> taken =
                run.pruning().inScope(snapshots.ofSchedule(run)).stream()
                        .filter(snapshot -> SnapshotLabels.isOfTheProgram(snapshot.labels()))
                        .filter(snapshot -> !run.targets().isOfWrongClock(snapshot))
                        .collect(Collectors.groupingBy(Snapshot::claim));
        List<Instant> all =
                taken.values().stream().flatMap(List::stream).map(Snapshot::dueAt).toList();
        if (!wasThere && all.stream().noneMatch(time -> isDue(trigger, time))) {
            return false;
        }
        List<Claim> lacking =
                run.claims().stream()
                        .filter(claim -> wasThere || taken.containsKey(claim))
                        .filter(claim -> allOf(taken, claim, s -> s.dueAt().isBefore(due)))
                        .toList();
        if (!lacking.isEmpty()) {
            throw new MissedException(
                    firing.schedule().policy().startingDeadline(),
                    all.stream().allMatch(due::isAfter) ? List.of() : lacking);
        }
        return run.claims().stream()
                .anyMatch(claim -> taken.containsKey(claim) && isUnended(taken.get(claim), due));
    }

    /** Whether a claim's snapshot of the run is there, not ready, and no later one is. */
    private static boolean isUnended(List<Snapshot> ofClaim, Instant due) {
        boolean unended =
                ofClaim.stream()
                        .anyMatch(s -> s.dueAt().equals(due) && !s.ready() && !s.terminating());
        return unended && ofClaim.stream().noneMatch(s -> s.isGood() && !s.dueAt().isBefore(due));
    }

    private static boolean allOf(
            Map<Claim, List<Snapshot>> taken,
            Claim claim,
            java.util.function.Predicate<Snapshot> which) {
        return taken.getOrDefault(claim, List.of()).stream().allMatch(which);
    }

    private static boolean isDue(Optional<Trigger> trigger, Instant time) {
        return trigger.flatMap(any -> any.lastDue(time)).filter(time::equals).isPresent();
    }
}
