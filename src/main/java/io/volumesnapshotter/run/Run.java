package io.volumesnapshotter.run;

import io.volumesnapshotter.run.ClaimProgress.Phase;
import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Quiesce;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One firing of a schedule over all its claims, as the routes and the rest of the program see it.
 * What is fixed when it fires stands in {@link Firing}, its claims and their snapshots' names in
 * {@link RunTargets}, how far each claim is in {@link RunProgress}, its time in {@link RunTime},
 * and what may be deleted in {@link RunPruning}. It holds nothing that the cluster does not know;
 * when the program dies, the next run reads it from there again. Safe for use by several threads.
 * It is as long as the list of what may be asked of a run.
 */
public final class Run {

    /** After so long without a sign, a run that is past its time does nothing any more. */
    public static final Duration SILENCE = Duration.ofMinutes(30);

    private final Firing firing;
    private final Policy policy;
    private final Ownership ownership;
    private final RunTargets targets;
    private final RunProgress progress;
    private final RunTime time;
    private final RunPruning pruning;
    private final RunView view = new RunView();
    private final Optional<Drilled> drilled;
    private final InstantSource steady;

    /** One that takes snapshots or prunes; see the other. */
    public Run(
            Firing firing,
            List<Target> targets,
            Optional<String> listedNamespace,
            String installation,
            InstantSource clock,
            InstantSource steady) {
        this(firing, targets, listedNamespace, installation, Optional.empty(), clock, steady);
    }

    /**
     * @param firing what is fixed about it
     * @param targets what to take snapshots of, each once
     * @param listedNamespace the namespace of all claims; empty when they are in several
     * @param installation identity of this installation
     * @param drilled what it knows besides when it drills; empty when it takes snapshots or prunes
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    Run(
            Firing firing,
            List<Target> targets,
            Optional<String> listedNamespace,
            String installation,
            Optional<Drilled> drilled,
            InstantSource clock,
            InstantSource steady) {
        this.firing = firing;
        this.drilled = drilled;
        this.steady = steady;
        policy = firing.schedule().policy();
        ownership = new Ownership(installation, schedule());
        progress = new RunProgress(targets.stream().map(Target::claim).toList());
        this.targets =
                new RunTargets(
                        firing, targets, listedNamespace, ownership, progress, clock, steady);
        time = new RunTime(firing, this.targets.claims().size(), clock, steady);
        pruning = new RunPruning(firing, ownership, this.targets, progress, time, clock, steady);
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

    /** Whether it drills: a claim that is ready, is proven then. */
    public boolean drills() {
        return drilled.isPresent();
    }

    /** All claims of a schedule that drills, also those whose turn it is not. */
    public Set<Claim> selected() {
        return drilled.map(Drilled::selected).orElse(Set.of());
    }

    /** Notes which snapshot of a claim was restored; empty when there was none to restore. */
    public void markDrilled(Claim claim, String snapshot) {
        touch();
        drilled.ifPresent(any -> any.mark(claim, snapshot));
    }

    /** Counts a claim as proven. */
    public void markProven(Claim claim) {
        touch();
        progress.mark(claim, ClaimProgress::markReady);
    }

    /** When it was due. */
    public Instant due() {
        return firing.due();
    }

    /** What it drills, if it does. */
    public Optional<DrillPolicy> drill() {
        return policy.drill();
    }

    /** How the applications of its claims are frozen while storage cuts. */
    public Optional<Quiesce> quiesce() {
        return policy.quiesce();
    }

    /** All claims. */
    public List<Claim> claims() {
        return targets.claims();
    }

    /** Whether it takes snapshots of a claim. */
    public boolean takes(Claim claim) {
        return targets.of(claim) != null;
    }

    /** Whether its claims are read one by one, and not listed. */
    boolean readsEachClaim() {
        return policy.readClaims() && policy.selection().isByName();
    }

    /** Where the run's snapshots are to be listed; empty for all namespaces. */
    public Optional<String> listedNamespace() {
        return targets.listedNamespace();
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

    /**
     * The name of this run's snapshot of a claim, or of the later one that stands for it; of a run
     * that drills, that of the one that was restored.
     */
    public String snapshotOf(Claim claim) {
        return drilled.map(any -> any.snapshotOf(claim)).orElseGet(() -> targets.snapshotOf(claim));
    }

    /** The VolumeSnapshot to create for a claim, as Kubernetes reads it. */
    public Map<String, Object> manifest(Claim claim) {
        return SnapshotManifest.of(
                targets.of(claim),
                targets.ownSnapshotOf(claim),
                policy,
                schedule(),
                name(),
                ownership.installation());
    }

    /** How many creations may be under way at the same time. */
    public int concurrency() {
        return policy.concurrency();
    }

    // Time.

    /** How long to wait before a claim's creation, in milliseconds: the same in each run. */
    public long startDelay(Claim claim) {
        return time.startDelay(claim);
    }

    /** Notes that it still does something. */
    public void touch() {
        time.touch();
    }

    /**
     * Whether it is past its time and has not done anything since long. Waiting for an API server
     * that is away is doing something: it is asked again and again.
     */
    public boolean isStuck() {
        return time.isStuck();
    }

    /** Whether there is still time for what can heal. */
    public boolean hasTime() {
        return time.isLeft();
    }

    /** Whether a server that asks for a wait, in milliseconds, asks for no more than there is. */
    boolean hasTimeFor(long wait) {
        return time.isLeftFor(wait);
    }

    /** How long to wait before the next look, in milliseconds. */
    public long pollDelay() {
        return view.isWatched()
                ? RunView.PAUSE
                : time.pollDelay(progress.pending().isEmpty(), progress.looks());
    }

    // Creating and looking.

    RunTargets targets() {
        return targets;
    }

    RunProgress progress() {
        return progress;
    }

    RunView view() {
        return view;
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

    /**
     * Ends it before its time, because somebody wants that. What it asked for stays, and nothing
     * more is asked for or deleted.
     */
    public void giveUp(String reason) {
        markGivenUp(reason);
    }

    /** Why the run ended before its time, if it did. */
    public Optional<String> givenUp() {
        return progress.givenUp();
    }

    /** Whether a claim's snapshot may still be asked for. */
    boolean mayBeRequested(Claim claim) {
        return hasTime() && progress.ask(claim, p -> p.phase().isPending(), false);
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
                targets::ownSnapshotOf,
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
        return targets.claims().isEmpty() && !prunesOnly() && failures().isEmpty();
    }

    /** Whether nothing failed and each snapshot was seen ready. */
    public boolean isSuccess() {
        return !isEmpty()
                && givenUp().isEmpty()
                && failures().isEmpty()
                && ready().size() == targets.claims().size();
    }

    /** Whether something that is not told of one claim alone was not told yet in this run. */
    boolean markTold(String words) {
        return progress.markTold(words);
    }

    // Pruning.

    /** What it may delete, and why. */
    public RunPruning pruning() {
        return pruning;
    }

    /**
     * Whether it is time to look for what is stale: at the end, and now and then before it for
     * claims that are ready while others are still waited for.
     */
    public boolean isToPrune() {
        return pruning.isDue();
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
}
