package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The claims that one run takes snapshots of, and what these snapshots are called. Safe for use by
 * several threads.
 */
final class RunTargets {

    static final Comparator<Snapshot> LATEST =
            Comparator.comparing(Snapshot::createdAt).thenComparing(Snapshot::name);

    private final Firing firing;
    private final Map<Claim, Target> targets = new LinkedHashMap<>();
    private final List<Claim> claims;
    private final Optional<String> listedNamespace;
    private final Ownership ownership;
    private final RunProgress progress;
    private final InstantSource clock;
    private final InstantSource steady;
    private final Map<Claim, Instant> read = new ConcurrentHashMap<>();
    private volatile Instant seen;

    RunTargets(
            Firing firing,
            List<Target> targets,
            Optional<String> listedNamespace,
            Ownership ownership,
            RunProgress progress,
            InstantSource clock,
            InstantSource steady) {
        this.firing = firing;
        this.listedNamespace = listedNamespace;
        this.ownership = ownership;
        this.progress = progress;
        this.clock = clock;
        this.steady = steady;
        targets.forEach(target -> this.targets.putIfAbsent(target.claim(), target));
        claims = List.copyOf(this.targets.keySet());
        seen = steady.instant();
    }

    List<Claim> claims() {
        return claims;
    }

    Optional<String> listedNamespace() {
        return listedNamespace;
    }

    Target of(Claim claim) {
        synchronized (targets) {
            return targets.get(claim);
        }
    }

    /** The name of the run's snapshot of a claim, or of the later one that stands for it. */
    String snapshotOf(Claim claim) {
        return progress.laterSnapshot(claim)
                .map(Snapshot::name)
                .orElseGet(() -> ownSnapshotOf(claim));
    }

    String ownSnapshotOf(Claim claim) {
        String schedule = firing.schedule().name();
        return progress.ask(claim, ClaimProgress::isNameTaken, false)
                ? SnapshotNames.snapshot(
                        claim.name(), schedule, firing.run(), ownership.installation())
                : SnapshotNames.snapshot(claim.name(), schedule, firing.run());
    }

    /** Whether claims were selected so long ago that they may have been made anew since. */
    boolean areTooOld(Claim claim) {
        return of(claim).claimUid().isPresent()
                && read.getOrDefault(claim, seen)
                        .plus(ClusterFacts.MAX_AGE)
                        .isBefore(steady.instant());
    }

    /** Takes a claim as it was read now in place of how it was read at the start. */
    void markRead(Target target) {
        synchronized (targets) {
            targets.replace(target.claim(), target);
        }
        read.put(target.claim(), steady.instant());
    }

    /** Takes the claims that are there now in place of those that were selected. */
    void markSeen(ClaimFacts present) {
        synchronized (targets) {
            targets.replaceAll((claim, target) -> renewed(target, present));
        }
        seen = steady.instant();
    }

    /**
     * Counts what is there of this run before it asks for any snapshot.
     *
     * @param listed the snapshots of the schedule
     * @return the snapshots of later runs that count in place of this one's, by claim: where a run
     *     is made up, and not asked for, a claim of which a later run left a good one is done
     */
    Map<Claim, Snapshot> markTakenOver(Collection<Snapshot> listed) {
        ClusterFacts there =
                ClusterFacts.of(steady.instant(), List.copyOf(listed), ClaimFacts.UNKNOWN);
        Map<Claim, Snapshot> own = new HashMap<>();
        Map<Claim, Snapshot> later = new HashMap<>();
        for (Claim claim : claims) {
            List<Snapshot> taken = ownership.own(there.of(claim));
            taken.stream()
                    .filter(snapshot -> snapshot.name().equals(ownSnapshotOf(claim)))
                    .filter(snapshot -> !isOfWrongClock(snapshot))
                    .findAny()
                    .ifPresent(snapshot -> own.put(claim, snapshot));
            boolean isLeft = own.containsKey(claim) && !own.get(claim).terminating();
            if (firing.cause() == Firing.Cause.MADE_UP && !isLeft) {
                taken.stream()
                        .filter(Snapshot::isGood)
                        .filter(snapshot -> snapshot.dueAt().isAfter(firing.due()))
                        .filter(snapshot -> !isOfWrongClock(snapshot))
                        .max(LATEST)
                        .ifPresent(snapshot -> later.put(claim, snapshot));
            }
        }
        progress.markTakenOver(own::containsKey, later);
        return later;
    }

    /** Whether a snapshot was taken before its run is due: this clock was ahead then. */
    boolean isOfWrongClock(Snapshot snapshot) {
        return snapshot.isPremature() || snapshot.dueAt().isAfter(clock.instant());
    }

    private static Target renewed(Target target, ClaimFacts present) {
        return present.of(target.claim())
                .filter(any -> target.claimUid().isPresent())
                .map(
                        claim ->
                                new Target(
                                        target.claim(),
                                        target.snapshotClassName(),
                                        Optional.of(claim.uid()),
                                        target.recorded()
                                                .filter(
                                                        any ->
                                                                target.claimUid()
                                                                        .filter(claim.uid()::equals)
                                                                        .isPresent())))
                .orElse(target);
    }
}
