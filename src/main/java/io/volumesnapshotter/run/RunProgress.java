package io.volumesnapshotter.run;

import io.volumesnapshotter.run.ClaimProgress.Phase;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.DriverError;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * How far a run is with each of its claims. It lives as long as the run, and holds nothing that the
 * cluster does not know. Its methods exclude each other, so that it is safe for use by several
 * threads.
 */
final class RunProgress {

    private final Map<Claim, ClaimProgress> claims = new LinkedHashMap<>();
    private final Set<String> failedSteps = new TreeSet<>();
    private final Set<String> told = new HashSet<>();
    private final Map<Claim, Snapshot> laterSnapshots = new HashMap<>();
    private final Map<Claim, Snapshot> readyLate = new HashMap<>();
    private final Map<Claim, Snapshot> failedBefore = new HashMap<>();
    private Map<Claim, Set<String>> expectedLate = Map.of();
    private Optional<String> givenUp = Optional.empty();
    private int looks;

    RunProgress(Collection<Claim> claims) {
        claims.forEach(claim -> this.claims.put(claim, new ClaimProgress()));
    }

    /**
     * What one look at the cluster brought.
     *
     * @param ready claims whose snapshot was now seen ready
     * @param premature snapshots that have the name of the run's own, but were created before it
     *     was due
     * @param told what the driver newly said of snapshots that may still become ready, by claim
     * @param failed claims that failed, to be told
     * @param missing claims whose snapshot is to be asked for again
     * @param full claims whose snapshot the driver refuses because its storage or a limit is full
     */
    record Look(
            List<Claim> ready,
            Map<Claim, Snapshot> premature,
            Map<Claim, String> told,
            List<SnapshotFailedException> failed,
            List<Claim> missing,
            List<Claim> full) {

        private static Look empty() {
            return new Look(
                    new ArrayList<>(),
                    new LinkedHashMap<>(),
                    new LinkedHashMap<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>());
        }
    }

    /** Counts a look; what is answered to a creation from now on need not be in its list. */
    synchronized void markListing() {
        looks++;
        claims.values().forEach(ClaimProgress::markListing);
    }

    /** How often the run looked. */
    synchronized int looks() {
        return looks;
    }

    /**
     * Applies what the judge says of each claim that is open.
     *
     * @param names the name of each claim's snapshot
     * @param byName the run's snapshots by namespace and name
     */
    synchronized Look apply(
            SnapshotJudge judge,
            Function<Claim, String> names,
            Map<String, Snapshot> byName,
            Instant now) {
        Look look = Look.empty();
        for (Claim claim : select(RunProgress::isLookedAt)) {
            ClaimProgress progress = claims.get(claim);
            String name = names.apply(claim);
            Snapshot snapshot = byName.get(claim.namespace() + "/" + name);
            SnapshotJudge.Verdict verdict = judge.judge(claim, progress, name, snapshot);
            if (verdict.outcome() == SnapshotJudge.Outcome.NAME_TAKEN && snapshot.isPremature()) {
                look.premature.put(claim, snapshot);
            }
            apply(verdict, claim, progress, now, look);
            if (snapshot != null && isLookedAt(progress)) {
                note(snapshot, claim, progress, now, look);
            }
        }
        return look;
    }

    private static void apply(
            SnapshotJudge.Verdict verdict,
            Claim claim,
            ClaimProgress progress,
            Instant now,
            Look look) {
        switch (verdict.outcome()) {
            case READY -> {
                progress.markReady();
                look.ready.add(claim);
            }
            case ASK_AGAIN -> look.missing.add(claim);
            case NAME_TAKEN -> {
                progress.markNameTaken();
                look.missing.add(claim);
            }
            case FAILED -> {
                if (verdict.failure() == null) {
                    progress.markLost();
                } else {
                    look.failed.add(verdict.failure());
                }
            }
            case REFUSED_FOR_GOOD -> {
                progress.markWatched(now);
                look.failed.add(verdict.failure());
            }
            case WAIT -> {
                if (progress.phase() == Phase.WATCHED) {
                    progress.markLookedAt();
                }
            }
        }
    }

    private static void note(
            Snapshot snapshot, Claim claim, ClaimProgress progress, Instant now, Look look) {
        if (snapshot.started()) {
            progress.markStarted(now);
        }
        String error = snapshot.error();
        if (error == null) {
            return;
        }
        if (DriverError.isFull(error)) {
            look.full.add(claim);
        }
        if (progress.phase() != Phase.WATCHED
                && !DriverError.areSame(error, progress.driverError())) {
            progress.markDriverError(error);
            look.told.put(claim, error);
        }
    }

    private static boolean isLookedAt(ClaimProgress progress) {
        return progress.phase().isPending() || progress.phase() == Phase.WATCHED;
    }

    /** Whether there is anything left to look for. */
    synchronized boolean isOpen() {
        return givenUp.isEmpty() && claims.values().stream().anyMatch(RunProgress::isLookedAt);
    }

    /**
     * Ends the looking, and all that is sent to the cluster, for a reason that concerns the run.
     */
    synchronized boolean markGivenUp(String reason) {
        boolean isNews = givenUp.isEmpty();
        givenUp = givenUp.or(() -> Optional.of(reason));
        return isNews;
    }

    /** Why the run ended before its time. */
    synchronized Optional<String> givenUp() {
        return givenUp;
    }

    /**
     * Counts snapshots that are there before the run asks for any.
     *
     * @param own which of the run's own are there
     * @param later the good snapshots of later runs that count in their place, by claim
     */
    synchronized void markTakenOver(Predicate<Claim> own, Map<Claim, Snapshot> later) {
        claims.forEach(
                (claim, progress) -> {
                    if (later.containsKey(claim)) {
                        laterSnapshots.put(claim, later.get(claim));
                        progress.markTakenOver(true);
                    } else if (own.test(claim)) {
                        progress.markTakenOver(false);
                    }
                });
    }

    /** The later run's snapshot that counts for a claim. */
    synchronized Optional<Snapshot> laterSnapshot(Claim claim) {
        return Optional.ofNullable(laterSnapshots.get(claim));
    }

    /** Applies a transition to one claim; claims of a run that only prunes have none. */
    synchronized void mark(Claim claim, Consumer<ClaimProgress> transition) {
        ClaimProgress progress = claims.get(claim);
        if (progress != null) {
            transition.accept(progress);
        }
    }

    /** Answers a question about one claim; {@code otherwise} for one that the run does not take. */
    synchronized <T> T ask(Claim claim, Function<ClaimProgress, T> question, T otherwise) {
        ClaimProgress progress = claims.get(claim);
        return progress == null ? otherwise : question.apply(progress);
    }

    /**
     * Counts a failure of a claim, in creating, waiting or pruning.
     *
     * @return whether it is to be told: each claim's failure is once
     */
    synchronized boolean markFailed(Claim claim) {
        ClaimProgress progress = claims.get(claim);
        if (progress == null) {
            failedSteps.add(claim.toString());
            return true;
        }
        boolean isNews = !progress.isFailureTold();
        progress.markFailureTold();
        return isNews;
    }

    /**
     * Counts a failure of a step that concerns all claims, which is not tried again for those that
     * are ready by now.
     *
     * @return whether it is to be told
     */
    synchronized boolean markStepFailed(String step) {
        markPruned();
        return failedSteps.add(step);
    }

    /** The claims that are ready by now were looked at for what they make stale. */
    synchronized void markPruned() {
        claims.values().stream()
                .filter(progress -> !progress.phase().isPending())
                .forEach(ClaimProgress::markPruned);
        expectedLate = Map.of();
    }

    /** Whether something that is not told of one claim alone was not told yet in this run. */
    synchronized boolean markTold(String words) {
        return told.add(words);
    }

    /** Snapshots of earlier runs that may have become ready after these gave up on them. */
    synchronized void expectLate(Map<Claim, Set<String>> names) {
        expectedLate = names;
    }

    synchronized Map<Claim, Set<String>> expectedLate() {
        return expectedLate;
    }

    synchronized void markReadyLate(Claim claim, Snapshot snapshot) {
        readyLate.put(claim, snapshot);
    }

    synchronized Optional<Snapshot> readyLate(Claim claim) {
        return Optional.ofNullable(readyLate.get(claim));
    }

    synchronized void markFailedBefore(Claim claim, Snapshot snapshot) {
        failedBefore.put(claim, snapshot);
    }

    synchronized Optional<Snapshot> failedBefore(Claim claim) {
        return Optional.ofNullable(failedBefore.get(claim));
    }

    /**
     * Whether no claim is waited for any more. One whose creation is being sent again is not waited
     * for, nor one that is only watched.
     */
    synchronized boolean isSettled() {
        return claims.values().stream()
                .noneMatch(
                        progress ->
                                progress.phase().isPending()
                                        && !(progress.isRetried()
                                                && progress.phase() == Phase.WAITING));
    }

    /** Whether there are claims that are ready, or failed at the driver, and were not pruned. */
    synchronized boolean hasUnpruned() {
        return !expectedLate.isEmpty()
                || claims.values().stream().anyMatch(RunProgress::isUnpruned);
    }

    private static boolean isUnpruned(ClaimProgress progress) {
        boolean leftAtDriver = progress.requests() > 0 && !progress.phase().isPending();
        return !progress.isPruned() && (progress.phase() == Phase.READY || leftAtDriver);
    }

    /** Whether a claim is ready and nothing failed for it. */
    synchronized boolean isWell(Claim claim) {
        return ask(claim, p -> p.phase() == Phase.READY && !p.isFailureTold(), false);
    }

    /** Claims that are to be found out about. */
    synchronized List<Claim> pending() {
        return select(progress -> progress.phase().isPending());
    }

    /** Claims whose snapshot of this run was seen ready. */
    synchronized List<Claim> ready() {
        return select(progress -> progress.phase() == Phase.READY);
    }

    /** Claims whose snapshot was not asked for yet. */
    synchronized List<Claim> unrequested() {
        return select(p -> p.phase() == Phase.WAITING && p.requests() == 0);
    }

    /** Claims and steps that failed, for a message; none in a run that was a success. */
    synchronized List<String> failures() {
        return Stream.concat(
                        select(ClaimProgress::isFailureTold).stream().map(Claim::toString),
                        failedSteps.stream())
                .toList();
    }

    private List<Claim> select(Predicate<ClaimProgress> which) {
        return claims.entrySet().stream()
                .filter(entry -> which.test(entry.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }
}
