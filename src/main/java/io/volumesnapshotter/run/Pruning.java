package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Retention;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Decides what may be deleted of a claim's snapshots, and why: the keep rules of {@link Retention},
 * and what no rule may take. It is the one place that decides it, for the run's pruning, for room
 * in a full quota, for {@code plan}, and once more right before each deletion. It is a function of
 * what it is given.
 *
 * @param policy what the schedule keeps
 * @param zone in which the keep rules mean hours, days, weeks, months and years
 * @param ownership tells the schedule's snapshots from others
 * @param due when the run was due that prunes
 */
public record Pruning(Policy policy, ZoneId zone, Ownership ownership, Instant due) {

    private static final String LAST_OF_FORMER =
            "it may be the last of a claim of that name that was deleted; delete it when its data is"
                    + " not needed";
    private static final String RESTORED_FROM_IT = " is being restored from it";

    private static final Comparator<Snapshot> BY_CUT =
            Comparator.comparing(Snapshot::takenAt)
                    .thenComparing(Snapshot::createdAt)
                    .thenComparing(Snapshot::name);

    /** What allows to delete anything of a claim. */
    public enum Occasion {
        /** A newer snapshot of the claim is ready, or the schedule only prunes. */
        NEWER_IS_READY,
        /** Room is needed: what the rules do not keep even without the new one may go. */
        ROOM,
        /** The claim has no new snapshot; only what never can become ready may go. */
        LEFTOVERS
    }

    /**
     * The snapshots of a claim that compete with each other.
     *
     * @param ofClaim all snapshots of the claim
     */
    List<Snapshot> scope(List<Snapshot> ofClaim) {
        if (policy.pruneOnly().isPresent()) {
            return ofClaim.stream()
                    .filter(snapshot -> !SnapshotLabels.isOfTheProgram(snapshot.labels()))
                    .toList();
        }
        Set<Snapshot> own = new HashSet<>(ownership.own(ofClaim));
        return ofClaim.stream()
                .filter(
                        snapshot ->
                                own.contains(snapshot)
                                        || policy.adopt()
                                                && SnapshotLabels.isOfTheOriginal(
                                                        snapshot.labels()))
                .toList();
    }

    /**
     * What becomes of each of a claim's snapshots, and why; newest first.
     *
     * @param claim the claim
     * @param facts what the cluster shows
     * @param ownName name of the run's own snapshot of the claim
     * @param now the present
     */
    List<Decision> decide(
            Claim claim, ClusterFacts facts, String ownName, Occasion occasion, Instant now) {
        return decide(claim, scope(facts.of(claim)), facts.claims(), ownName, occasion, now);
    }

    /** As {@link #decide(Claim, ClusterFacts, String, Occasion, Instant)}, of a given scope. */
    List<Decision> decide(
            Claim claim,
            List<Snapshot> scope,
            ClaimFacts claims,
            String ownName,
            Occasion occasion,
            Instant now) {
        Set<Snapshot> lastOfEach = lastOfEachVolume(scope, claims.of(claim));
        UnaryOperator<Decision> spare =
                decision -> {
                    Snapshot snapshot = decision.snapshot();
                    if (!decision.stale()) {
                        return decision;
                    }
                    if (snapshot.name().equals(ownName)) {
                        return decision.keptFor("of this run");
                    }
                    if (isOfLaterRun(snapshot, now)) {
                        return decision.keptFor("a later run took it");
                    }
                    if (!isOfOccasion(snapshot, occasion)) {
                        return decision.keptFor("no newer one is ready");
                    }
                    if (mayBecomeReady(snapshot, now)) {
                        return decision.keptFor("it may still become ready");
                    }
                    Optional<String> restored =
                            claims.restoringFrom(snapshot.claim().namespace(), snapshot.name());
                    if (restored.isPresent()) {
                        return decision.keptFor(restored.get() + RESTORED_FROM_IT);
                    }
                    return lastOfEach.contains(snapshot)
                            ? decision.keptFor(LAST_OF_FORMER)
                            : decision;
                };
        return Retention.decide(scope, policy.keep(), zone, now).stream().map(spare).toList();
    }

    private static boolean isOfOccasion(Snapshot snapshot, Occasion occasion) {
        return switch (occasion) {
            case NEWER_IS_READY, ROOM -> true;
            case LEFTOVERS -> Retention.isHopeless(snapshot);
        };
    }

    private boolean mayBecomeReady(Snapshot snapshot, Instant now) {
        return !snapshot.ready()
                && !Retention.isHopeless(snapshot)
                && !snapshot.createdAt().isBefore(now.minus(policy.readyTimeout()));
    }

    /**
     * Whether a later run of the schedule took a snapshot: an older one, which was frozen or is run
     * again, does not delete it, however new its own is. One that is due in the future is of a
     * clock that was wrong.
     */
    private boolean isOfLaterRun(Snapshot snapshot, Instant now) {
        return policy.pruneOnly().isEmpty()
                && snapshot.labels().containsKey(SnapshotLabels.RUN)
                && snapshot.dueAt().isAfter(due)
                && !snapshot.dueAt().isAfter(now);
    }

    /**
     * The newest copies of each of the volumes that had the claim's name one after the other: a
     * claim made anew may lack what the copies of the former one hold. Of a former one it is the
     * newest two. The claim may have been made anew between the last look at it and the cut, and
     * then the newest that says that it is of the former one is of the next; only one can be, as
     * each run looks for itself.
     *
     * @param present the claim of that name that is there now, if that is known
     */
    private static Set<Snapshot> lastOfEachVolume(
            List<Snapshot> scope, Optional<ClaimFacts.Present> present) {
        Map<String, List<Snapshot>> byVolume = new LinkedHashMap<>();
        scope.stream()
                .filter(Snapshot::isGood)
                .sorted(BY_CUT.reversed())
                .forEach(
                        snapshot ->
                                volumeOf(snapshot, present)
                                        .ifPresent(
                                                uid ->
                                                        byVolume.computeIfAbsent(
                                                                        uid,
                                                                        any -> new ArrayList<>())
                                                                .add(snapshot)));
        Optional<String> own =
                present.map(ClaimFacts.Present::uid)
                        .or(() -> byVolume.keySet().stream().findFirst());
        Set<Snapshot> last = new HashSet<>();
        byVolume.forEach(
                (uid, copies) ->
                        copies.stream()
                                .limit(own.filter(uid::equals).isPresent() ? 1 : 2)
                                .forEach(last::add));
        return last;
    }

    /**
     * Which claim a snapshot is of, by uid. Whatever its annotation says, one that was created
     * after the present claim is of that one; the annotation is of the claim that was listed, which
     * may have been deleted and made anew since. One that was created before it, but that storage
     * may have cut after it, may be of either: the snapshot controller takes the claim that is
     * there when the snapshot's turn comes.
     */
    private static Optional<String> volumeOf(
            Snapshot snapshot, Optional<ClaimFacts.Present> present) {
        if (present.isEmpty()) {
            return Optional.ofNullable(snapshot.claimUid());
        }
        Instant claimCreated = present.get().createdAt();
        if (snapshot.createdAt().isAfter(claimCreated)
                || present.get().uid().equals(snapshot.claimUid())
                        && !snapshot.createdAt().isBefore(claimCreated)) {
            return Optional.of(present.get().uid());
        }
        if (!snapshot.isSurelyCutBefore(claimCreated)) {
            return Optional.of("that of " + snapshot.name());
        }
        return Optional.of(
                Optional.ofNullable(snapshot.claimUid())
                        .filter(uid -> !uid.equals(present.get().uid()))
                        .orElse("former"));
    }

    /** Whether a snapshot stays for a reason that nobody gave a rule for. */
    static boolean isSpared(Decision decision) {
        return decision.reasons().stream()
                .anyMatch(why -> why.equals(LAST_OF_FORMER) || why.endsWith(RESTORED_FROM_IT));
    }

    /** Those that can be deleted, oldest first. */
    static List<Decision> stale(Collection<Decision> decisions) {
        return decisions.stream()
                .filter(Decision::stale)
                .sorted(Comparator.comparing(Decision::snapshot, BY_CUT))
                .toList();
    }
}
