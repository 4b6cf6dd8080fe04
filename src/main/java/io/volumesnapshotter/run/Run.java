package io.volumesnapshotter.run;

import io.volumesnapshotter.run.ClaimProgress.Phase;
import io.volumesnapshotter.run.Pruning.Occasion;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One firing of a schedule over all its claims, as the routes and the rest of the program see it.
 * What is fixed when it fires stands in {@link Firing}, how far each claim is in {@link
 * RunProgress}, and what may be deleted in {@link Pruning}. It holds nothing that the cluster does
 * not know; when the program dies, the next run reads it from there again. Safe for use by several
 * threads.
 */
public final class Run {

    /**
     * How long the run waits for work to start, per claim, beyond the time to become ready: the
     * snapshot controller's default of 5 requests/s lets it start one snapshot in about 1.8 s.
     */
    static final Duration START_ALLOWANCE = Duration.ofSeconds(3);

    /** After so long without a sign, a run that is past its time does nothing any more. */
    public static final Duration SILENCE = Duration.ofMinutes(30);

    /** While claims are waited for, those that are ready are pruned so often. */
    private static final Duration PRUNE_INTERVAL = Duration.ofMinutes(1);

    private static final double POLL_GROWTH = 1.5;
    private static final int JITTER_STEPS = 10_000;

    private static final Comparator<Snapshot> LATEST =
            Comparator.comparing(Snapshot::createdAt).thenComparing(Snapshot::name);

    private final Firing firing;
    private final Map<Claim, Target> targets = new LinkedHashMap<>();
    private final Optional<String> listedNamespace;
    private final Policy policy;
    private final Ownership ownership;
    private final Pruning pruning;
    private final RunProgress progress;
    private final InstantSource clock;
    private final InstantSource steady;
    private final Instant bound;
    private volatile ClusterFacts facts;
    private volatile Instant claimsSeen;
    private volatile Instant lastPruned;
    private volatile Instant lastSign;

    /**
     * @param firing what is fixed about it
     * @param targets what to take snapshots of, each once
     * @param listedNamespace the namespace of all claims; empty when they are in several
     * @param installation identity of this installation
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    public Run(
            Firing firing,
            List<Target> targets,
            Optional<String> listedNamespace,
            String installation,
            InstantSource clock,
            InstantSource steady) {
        this.firing = firing;
        this.listedNamespace = listedNamespace;
        this.clock = clock;
        this.steady = steady;
        targets.forEach(target -> this.targets.putIfAbsent(target.claim(), target));
        policy = firing.schedule().policy();
        ownership = new Ownership(installation, schedule());
        pruning = new Pruning(policy, firing.zone(), ownership, firing.due());
        progress = new RunProgress(this.targets.keySet());
        Instant now = steady.instant();
        lastSign = now;
        lastPruned = now;
        claimsSeen = now;
        bound =
                now.plus(policy.readyTimeout())
                        .plus(policy.jitter())
                        .plus(START_ALLOWANCE.multipliedBy(this.targets.size()));
    }

    // What it is.

    /** The run's name, which is also the value of its label: schedule and fire time. */
    public String name() {
        return firing.run();
    }

    /** Name of the schedule. */
    public String schedule() {
        return firing.schedule().name();
    }

    /** Whether an earlier try of this run may have left snapshots. */
    public boolean mayHaveBegun() {
        return firing.cause().mayHaveBegun();
    }

    /** Whether it only prunes. */
    public boolean prunesOnly() {
        return policy.pruneOnly().isPresent();
    }

    /** All claims. */
    public List<Claim> claims() {
        return List.copyOf(targets.keySet());
    }

    /** Whether it takes snapshots of a claim. */
    public boolean takes(Claim claim) {
        return targets.containsKey(claim);
    }

    /** Where the run's snapshots are to be listed; empty for all namespaces. */
    public Optional<String> listedNamespace() {
        return listedNamespace;
    }

    /** Selects this run's snapshots. */
    public String selector() {
        return SnapshotLabels.selector(SnapshotLabels.ofRun(schedule(), name()));
    }

    /** Selects the snapshots that the keep rules are for, and perhaps others. */
    public String scope() {
        Map<String, String> own =
                policy.adopt()
                        ? Map.of(SnapshotLabels.JOB, SnapshotLabels.PROGRAM)
                        : SnapshotLabels.ofSchedule(schedule());
        return policy.pruneOnly().orElseGet(() -> SnapshotLabels.selector(own));
    }

    /** The name of this run's snapshot of a claim, or of the later one that stands for it. */
    public String snapshotOf(Claim claim) {
        return progress.laterSnapshot(claim)
                .map(Snapshot::name)
                .orElseGet(() -> ownSnapshotOf(claim));
    }

    private String ownSnapshotOf(Claim claim) {
        return progress.ask(claim, ClaimProgress::isNameTaken, false)
                ? SnapshotNames.snapshot(
                        claim.name(), schedule(), firing.due(), ownership.installation())
                : SnapshotNames.snapshot(claim.name(), schedule(), firing.due());
    }

    /** The VolumeSnapshot to create for a claim, as Kubernetes reads it. */
    public Map<String, Object> manifest(Claim claim) {
        return SnapshotManifest.of(
                target(claim),
                ownSnapshotOf(claim),
                policy,
                schedule(),
                name(),
                ownership.installation());
    }

    private Target target(Claim claim) {
        synchronized (targets) {
            return targets.get(claim);
        }
    }

    /** How many creations may be under way at the same time. */
    public int concurrency() {
        return policy.concurrency();
    }

    /** How long to wait before a claim's creation, in milliseconds: the same in each run. */
    public long startDelay(Claim claim) {
        if (policy.jitter().isZero()) {
            return 0;
        }
        int place = Math.floorMod((schedule() + "/" + claim).hashCode(), JITTER_STEPS);
        Instant start =
                firing.due().plus(policy.jitter().multipliedBy(place).dividedBy(JITTER_STEPS));
        long delay = Duration.between(clock.instant(), start).toMillis();
        // A clock that was set back since it fired makes none longer.
        return Math.max(0, Math.min(delay, policy.jitter().toMillis()));
    }

    // Time.

    /** Notes that it still does something. */
    public void touch() {
        lastSign = steady.instant();
    }

    /**
     * Whether it is past its time and has not done anything since long. Waiting for an API server
     * that is away is doing something: it is asked again and again.
     */
    public boolean isStuck() {
        Instant silent = steady.instant().minus(SILENCE);
        return silent.isAfter(bound) && silent.isAfter(lastSign);
    }

    /** Whether there is still time for what can heal. */
    public boolean hasTime() {
        return steady.instant().isBefore(bound);
    }

    /** Whether a server that asks for a wait, in milliseconds, asks for no more than there is. */
    boolean hasTimeFor(long wait) {
        return wait == 0 || steady.instant().plusMillis(wait).isBefore(bound);
    }

    /**
     * How long to wait before the next look, in milliseconds; each time longer, up to a limit. What
     * is only watched is looked at quickly, because the end of the run waits for it.
     */
    public long pollDelay() {
        if (progress.pending().isEmpty()) {
            return policy.pollInterval().toMillis();
        }
        double grown = policy.pollInterval().toMillis() * Math.pow(POLL_GROWTH, progress.looks());
        long left = Duration.between(steady.instant(), bound).toMillis();
        long delay = (long) Math.min(grown, policy.maxPollInterval().toMillis());
        return Math.max(policy.pollInterval().toMillis(), Math.min(delay, left));
    }

    // Creating and looking.

    RunProgress progress() {
        return progress;
    }

    /** Claims whose snapshot has not been asked for yet. */
    public List<Claim> unrequested() {
        return progress.unrequested();
    }

    /** Whether there is anything left to look for. */
    public boolean isOpen() {
        return progress.isOpen();
    }

    /** Ends the run before its time; what is missing is another replica's or the next run's. */
    boolean markGivenUp(String reason) {
        return progress.markGivenUp(reason);
    }

    /** Why the run ended before its time, if it did. */
    public Optional<String> givenUp() {
        return progress.givenUp();
    }

    /** Whether a claim's snapshot may still be asked for. */
    boolean mayBeRequested(Claim claim) {
        return hasTime() && progress.ask(claim, p -> p.phase().isPending(), false);
    }

    /** Whether claims were selected so long ago that they may have been made anew since. */
    boolean areClaimsTooOld(Claim claim) {
        return target(claim).claimUid().isPresent()
                && claimsSeen.plus(ClusterFacts.MAX_AGE).isBefore(steady.instant());
    }

    /** Takes the claims that are there now in place of those that were selected. */
    void markClaims(ClaimFacts seen) {
        synchronized (targets) {
            targets.replaceAll(
                    (claim, target) ->
                            seen.of(claim)
                                    .filter(any -> target.claimUid().isPresent())
                                    .map(
                                            present ->
                                                    new Target(
                                                            claim,
                                                            target.snapshotClassName(),
                                                            Optional.of(present.uid())))
                                    .orElse(target));
        }
        claimsSeen = steady.instant();
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
        for (Claim claim : claims()) {
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

    /**
     * Judges what was listed by {@link #selector()}, and counts it.
     *
     * @param listed this run's snapshots as the cluster shows them now
     */
    RunProgress.Look look(Collection<Snapshot> listed) {
        touch();
        Map<String, Snapshot> byName = new HashMap<>();
        listed.forEach(s -> byName.put(s.claim().namespace() + "/" + s.name(), s));
        Instant now = steady.instant();
        return progress.apply(
                new SnapshotJudge(policy, ownership, now, hasTime()),
                this::ownSnapshotOf,
                byName,
                now);
    }

    /** Whether a claim's snapshot was there before this run asked for any. */
    public boolean isTakenOver(Claim claim) {
        return progress.ask(claim, ClaimProgress::isTakenOver, false);
    }

    // How it stands.

    /** Claims that are neither ready nor failed. */
    public List<Claim> pending() {
        return progress.pending();
    }

    /** Claims whose snapshot of this run was seen ready. */
    public List<Claim> ready() {
        return progress.ready();
    }

    /** Claims and steps that failed, for a message; none in a run that was a success. */
    public List<String> failures() {
        return progress.failures();
    }

    /** Whether a claim's snapshot was seen ready, and nothing failed for it. */
    public boolean isWell(Claim claim) {
        return progress.isWell(claim);
    }

    /** Whether there was nothing to do, as no claim is selected: neither success nor failure. */
    public boolean isEmpty() {
        return targets.isEmpty() && !prunesOnly() && failures().isEmpty();
    }

    /** Whether nothing failed and each snapshot was seen ready. */
    public boolean isSuccess() {
        return !isEmpty()
                && givenUp().isEmpty()
                && failures().isEmpty()
                && ready().size() == targets.size();
    }

    /** Whether something that is not told of one claim alone was not told yet in this run. */
    boolean markTold(String words) {
        return progress.markTold(words);
    }

    // Pruning.

    /** Whether a snapshot is one of those that the keep rules are for. */
    public List<Snapshot> inScope(Collection<Snapshot> listed) {
        return ClusterFacts.of(steady.instant(), List.copyOf(listed), ClaimFacts.UNKNOWN)
                .snapshots()
                .values()
                .stream()
                .flatMap(ofClaim -> pruning.scope(ofClaim).stream())
                .toList();
    }

    /** Whether a snapshot was taken before its run is due: this clock was ahead then. */
    boolean isOfWrongClock(Snapshot snapshot) {
        return snapshot.isPremature() || snapshot.dueAt().isAfter(clock.instant());
    }

    /** Whether a snapshot never became ready in the time that it had. */
    public boolean isOverdue(Snapshot snapshot) {
        return !snapshot.ready()
                && !snapshot.terminating()
                && snapshot.createdAt().isBefore(clock.instant().minus(policy.readyTimeout()));
    }

    /**
     * Whether it is time to look for what is stale: at the end, and now and then before it for
     * claims that are ready while others are still waited for.
     */
    public boolean isToPrune() {
        if (givenUp().isPresent()) {
            return false;
        }
        boolean isTime =
                progress.isSettled()
                        || lastPruned.plus(PRUNE_INTERVAL).isBefore(steady.instant())
                                && !ready().isEmpty();
        return prunesOnly() || progress.hasUnpruned() && isTime;
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
        return pruning.decide(claim, by, snapshotOf(claim), occasion, now);
    }

    /** The deletions that the run asks for, and the decisions about what it leaves. */
    PrunePlan markPruned(ClusterFacts by) {
        touch();
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
                .max(LATEST)
                .ifPresent(late -> progress.markReadyLate(claim, late));
        boolean tookIt =
                progress.ask(claim, p -> p.phase() == Phase.READY && !p.isTakenOver(), false);
        if (tookIt) {
            ownership.own(history).stream()
                    .filter(snapshot -> !snapshot.name().equals(snapshotOf(claim)))
                    .max(LATEST)
                    .filter(last -> !last.ready() && !last.terminating())
                    .ifPresent(last -> progress.markFailedBefore(claim, last));
        }
    }

    /** Lets the run look for snapshots of earlier runs that these gave up on, by claim. */
    void expectLate(Map<Claim, Set<String>> earlier) {
        progress.expectLate(earlier);
    }

    /** The snapshot of an earlier run that became ready after that run had given up on it. */
    public Optional<Snapshot> becameReadyLate(Claim claim) {
        return progress.readyLate(claim);
    }

    /** The claim's snapshot before this run's, if that never became ready. */
    public Optional<Snapshot> failedBefore(Claim claim) {
        return progress.failedBefore(claim);
    }

    /**
     * Counts a claim that was seen ready as failed when its snapshot is a good one no more.
     *
     * @param ofClaim the claim's snapshots as they are now
     * @return why, if so
     */
    Optional<SnapshotFailedException> markIfLost(Claim claim, List<Snapshot> ofClaim) {
        if (!progress.ask(claim, p -> p.phase() == Phase.READY, false)) {
            return Optional.empty();
        }
        Snapshot own =
                ofClaim.stream()
                        .filter(snapshot -> snapshot.name().equals(snapshotOf(claim)))
                        .findAny()
                        .orElse(null);
        Optional<SnapshotFailedException> lost =
                Optional.ofNullable(SnapshotJudge.judgeReady(claim, own));
        lost.ifPresent(any -> progress.mark(claim, ClaimProgress::markLost));
        return lost;
    }

    /** Claims that only have to be pruned need not exist any more, so their names decide. */
    private Collection<Claim> prunable(Collection<Claim> listed) {
        List<String> names = policy.selection().names();
        List<String> namespaces = policy.selection().namespaces();
        return listed.stream()
                .filter(claim -> !claim.name().isEmpty())
                .filter(claim -> names.isEmpty() || names.contains(claim.name()))
                .filter(
                        claim ->
                                listedNamespace.isPresent()
                                        || namespaces.contains(Settings.ALL)
                                        || namespaces.contains(claim.namespace()))
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
     * What a run would do at this time, line by line: which snapshots it would take, and, once
     * these are ready, which it would keep, and why, and which it would delete.
     *
     * @param by what the cluster shows
     */
    public List<String> plan(ClusterFacts by) {
        Instant now = clock.instant();
        List<String> plan = new ArrayList<>();
        for (Claim claim : prunesOnly() ? prunable(by.snapshots().keySet()) : claims()) {
            List<Snapshot> after = new ArrayList<>(pruning.scope(by.of(claim)));
            if (!prunesOnly()) {
                plan.add(claim + ": take " + snapshotOf(claim));
                after.removeIf(snapshot -> snapshot.name().equals(snapshotOf(claim)));
                after.add(
                        Snapshot.expected(
                                snapshotOf(claim),
                                claim,
                                SnapshotLabels.ofRun(schedule(), name()),
                                target(claim).claimUid().orElse(null),
                                now));
            }
            pruning.decide(
                            claim,
                            after,
                            by.claims(),
                            prunesOnly() ? "" : snapshotOf(claim),
                            Occasion.NEWER_IS_READY,
                            now)
                    .forEach(
                            decision ->
                                    plan.add(
                                            "%s: %s %s: %s"
                                                    .formatted(
                                                            claim,
                                                            decision.stale() ? "delete" : "keep",
                                                            decision.snapshot().name(),
                                                            decision.reason())));
        }
        return plan;
    }

    /**
     * What follows from one look for what is stale.
     *
     * @param decisions what becomes of each claim's snapshots
     * @param occasions what allows to delete of each claim
     */
    record PrunePlan(Map<Claim, List<Decision>> decisions, Map<Claim, Occasion> occasions) {

        List<Deletion> deletions() {
            return decisions.entrySet().stream()
                    .flatMap(
                            entry ->
                                    Pruning.stale(entry.getValue()).stream()
                                            .map(
                                                    d ->
                                                            new Deletion(
                                                                    d.snapshot(),
                                                                    d.reason(),
                                                                    occasions.get(entry.getKey()))))
                    .toList();
        }
    }
}
