package io.volumesnapshotter.run;

import io.volumesnapshotter.run.ClaimProgress.Phase;
import io.volumesnapshotter.run.Pruning.Occasion;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.settings.NameFilter;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What one run may delete, by the facts that it has: {@link Pruning} decides, and this knows how
 * far the run is. Safe for use by several threads.
 */
public final class RunPruning {

    /** While claims are waited for, those that are ready are pruned so often. */
    private static final Duration PRUNE_INTERVAL = Duration.ofMinutes(1);

    private final Firing firing;
    private final Policy policy;
    private final Ownership ownership;
    private final Pruning rules;
    private final RunTargets targets;
    private final RunProgress progress;
    private final RunTime time;
    private final InstantSource clock;
    private final InstantSource steady;
    private volatile ClusterFacts facts;
    private volatile Instant lastPruned;

    RunPruning(
            Firing firing,
            Ownership ownership,
            RunTargets targets,
            RunProgress progress,
            RunTime time,
            InstantSource clock,
            InstantSource steady) {
        this.firing = firing;
        this.ownership = ownership;
        this.targets = targets;
        this.progress = progress;
        this.time = time;
        this.clock = clock;
        this.steady = steady;
        policy = firing.schedule().policy();
        rules = new Pruning(policy, firing.zone(), ownership, firing.due());
        lastPruned = steady.instant();
    }

    private boolean prunesOnly() {
        return policy.pruneOnly().isPresent();
    }

    boolean isDue() {
        if (progress.givenUp().isPresent()) {
            return false;
        }
        boolean isTime =
                progress.isSettled()
                        || lastPruned.plus(PRUNE_INTERVAL).isBefore(steady.instant())
                                && !progress.ready().isEmpty();
        return prunesOnly() || progress.hasUnpruned() && isTime;
    }

    /** Those of the snapshots that the keep rules are for. */
    public List<Snapshot> inScope(Collection<Snapshot> listed) {
        return ClusterFacts.of(steady.instant(), List.copyOf(listed), ClaimFacts.UNKNOWN)
                .snapshots()
                .values()
                .stream()
                .flatMap(ofClaim -> rules.scope(ofClaim).stream())
                .toList();
    }

    /** Whether a snapshot never became ready in the time that it had. */
    public boolean isOverdue(Snapshot snapshot) {
        return !snapshot.ready()
                && !snapshot.terminating()
                && snapshot.createdAt().isBefore(clock.instant().minus(policy.readyTimeout()));
    }

    /** The facts that were had last; null when there are none, or none that may be used. */
    ClusterFacts facts() {
        ClusterFacts known = facts;
        return known == null || known.isTooOld(steady.instant()) ? null : known;
    }

    void setFacts(ClusterFacts facts) {
        this.facts = facts;
    }

    /** What becomes of each of a claim's snapshots by certain facts. */
    List<Decision> decide(Claim claim, ClusterFacts by, Occasion occasion, Instant now) {
        return rules.decide(claim, by, targets.snapshotOf(claim), occasion, now);
    }

    /** The deletions that the run asks for, and the decisions about what it leaves. */
    PrunePlan markPruned(ClusterFacts by) {
        time.touch();
        lastPruned = steady.instant();
        Instant now = clock.instant();
        Map<Claim, List<Decision>> decisions = new LinkedHashMap<>();
        Map<Claim, Occasion> occasions = new LinkedHashMap<>();
        for (Claim claim :
                prunesOnly() ? prunable(by.snapshots().keySet()) : by.snapshots().keySet()) {
            if (!prunesOnly()) {
                lookBack(claim, by.of(claim));
            }
            Occasion occasion = occasionOf(claim);
            occasions.put(claim, occasion);
            decisions.put(claim, decide(claim, by, occasion, now));
        }
        progress.markPruned();
        return new PrunePlan(decisions, occasions);
    }

    private Occasion occasionOf(Claim claim) {
        boolean newerIsReady =
                prunesOnly()
                        || progress.ask(claim, p -> p.phase() == Phase.READY, false)
                        || progress.readyLate(claim).isPresent();
        return newerIsReady ? Occasion.NEWER_IS_READY : Occasion.LEFTOVERS;
    }

    /** Notes which snapshot became ready after its run gave up on it, and which never did. */
    private void lookBack(Claim claim, List<Snapshot> history) {
        Set<String> names = progress.expectedLate().getOrDefault(claim, Set.of());
        history.stream()
                .filter(snapshot -> names.contains(snapshot.name()) && snapshot.isGood())
                .max(RunTargets.LATEST)
                .ifPresent(late -> progress.markReadyLate(claim, late));
        boolean tookIt =
                progress.ask(claim, p -> p.phase() == Phase.READY && !p.isTakenOver(), false);
        if (tookIt) {
            ownership.own(history).stream()
                    .filter(snapshot -> !snapshot.name().equals(targets.snapshotOf(claim)))
                    .max(RunTargets.LATEST)
                    .filter(last -> !last.ready() && !last.terminating())
                    .ifPresent(last -> progress.markFailedBefore(claim, last));
        }
    }

    /** Claims that only have to be pruned need not exist any more, so their names decide. */
    private Collection<Claim> prunable(Collection<Claim> listed) {
        NameFilter names = policy.selection().names();
        NameFilter namespaces = policy.selection().namespaces();
        return listed.stream()
                .filter(claim -> !claim.name().isEmpty())
                .filter(claim -> names.accepts(claim.name()))
                .filter(
                        claim ->
                                targets.listedNamespace().isPresent()
                                        || namespaces.accepts(claim.namespace()))
                .toList();
    }

    /**
     * What may be deleted so that there is room for a claim's snapshot. What is being deleted
     * already may leave room as well.
     */
    List<Deletion> markRoomMade(Claim claim, ClusterFacts by) {
        List<Deletion> surplus =
                Pruning.stale(decide(claim, by, Occasion.ROOM, clock.instant())).stream()
                        .map(d -> new Deletion(d.snapshot(), d.reason(), Occasion.ROOM))
                        .toList();
        boolean isExpected =
                by.all().stream()
                        .filter(Snapshot::terminating)
                        .anyMatch(s -> s.claim().namespace().equals(claim.namespace()));
        progress.mark(claim, p -> p.markRoomExpected(isExpected));
        if (!surplus.isEmpty()) {
            progress.mark(claim, ClaimProgress::markRoomMade);
        }
        return surplus;
    }

    /**
     * What a run would do at this time, claim by claim: which snapshots it would take, and, once
     * these are ready, which it would keep, and why, and which it would delete.
     *
     * @param by what the cluster shows
     */
    public List<ClaimPlan> plan(ClusterFacts by) {
        Instant now = clock.instant();
        List<ClaimPlan> plan = new ArrayList<>();
        for (Claim claim : prunesOnly() ? prunable(by.snapshots().keySet()) : targets.claims()) {
            List<Snapshot> after = new ArrayList<>(rules.scope(by.of(claim)));
            Optional<String> takes =
                    prunesOnly() ? Optional.empty() : Optional.of(targets.snapshotOf(claim));
            takes.ifPresent(
                    name -> {
                        after.removeIf(snapshot -> snapshot.name().equals(name));
                        after.add(
                                Snapshot.expected(
                                        name,
                                        claim,
                                        SnapshotLabels.ofRun(
                                                firing.schedule().name(), firing.run()),
                                        targets.of(claim).claimUid().orElse(null),
                                        now));
                    });
            plan.add(
                    new ClaimPlan(
                            claim,
                            takes,
                            rules.decide(
                                    claim,
                                    after,
                                    by.claims(),
                                    takes.orElse(""),
                                    Occasion.NEWER_IS_READY,
                                    now)));
        }
        return plan;
    }
}
