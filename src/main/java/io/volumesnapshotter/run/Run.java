package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.settings.OneLine;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.DriverError;
import io.volumesnapshotter.snapshot.Keep;
import io.volumesnapshotter.snapshot.Retention;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One firing of a schedule over all its claims: what was asked for, what was seen, what is still
 * open. It holds nothing that the cluster does not know; when the program dies, the next run reads
 * it from there again. Safe for use by several threads.
 */
public final class Run {

    /**
     * How long the run waits for work to start, per claim, beyond the time to become ready: the
     * snapshot controller's default of 5 requests/s lets it start one snapshot in about 1.8 s.
     */
    static final Duration START_ALLOWANCE = Duration.ofSeconds(3);

    /** How often the same snapshot is asked for when the answer was "exists" and it does not. */
    static final int MAX_REQUESTS = 3;

    /** How often a snapshot is asked for that a quota refuses although room was made for it. */
    private static final int MAX_REFUSALS = 10;

    /** How old a list may be by which a deletion that is sent again is judged. */
    private static final Duration JUDGED = Duration.ofSeconds(10);

    /** After so long without a sign, a run that is past its time does nothing any more. */
    public static final Duration SILENCE = Duration.ofMinutes(30);

    /** What is said of a claim whose creation was not carried out in time. */
    static final String UNASKED = "it could not be asked for in the time that the run had";

    private static final Keep LAST_GOOD = Keep.last(1);

    /** A schedule's names of a claim's snapshots are in the order of their fire times. */
    private static final Comparator<Snapshot> LATEST =
            Comparator.comparing(Snapshot::createdAt).thenComparing(Snapshot::name);

    private static final double POLL_GROWTH = 1.5;
    private static final int JITTER_STEPS = 10_000;

    private final String schedule;
    private final Instant fireTime;
    private final Map<Claim, Target> targets;
    private final Optional<String> listedNamespace;
    private final Policy policy;
    private final ZoneId zone;
    private final InstantSource clock;
    private final Instant bound;
    private final Map<Claim, Progress> progress = new LinkedHashMap<>();
    private final Set<String> failedSteps = new TreeSet<>();
    private final Set<String> outagesTold = new HashSet<>();
    private Map<Claim, Set<String>> awaited = Map.of();
    private final Map<Claim, Snapshot> readyLate = new HashMap<>();
    private final Map<Claim, String> doneBy = new ConcurrentHashMap<>();
    private final AtomicInteger looks = new AtomicInteger();
    private final Object listLock = new Object();
    private List<Snapshot> room;
    private int roomLook;
    private List<Snapshot> judged;
    private Instant judgedAt;
    private Duration pollDelay;
    private volatile Instant lastSign;

    private static final class Progress {
        int requests;
        int askedForAtLook;
        boolean sentAgain;
        String lastWords;
        boolean pruned;
        boolean created;
        int refusals;
        String refusal;
        boolean roomMade;
        Instant startSeen;
        String driverError;
        boolean ready;
        boolean failed;
        boolean takenOver;
        Snapshot failedBefore;

        /** Whether its creation waits for its turn, is under way, or is sent again. */
        boolean isBeingRequested() {
            return requests == 0 && refusal == null;
        }

        boolean isOpen() {
            return !ready && !failed;
        }
    }

    /**
     * What one look at the cluster brought.
     *
     * @param ready claims whose snapshot was now seen ready
     * @param told what the driver newly said of snapshots that may still become ready, by claim
     * @param failed claims that can no longer succeed in this run
     * @param missing claims whose snapshot was asked for but is not there
     */
    public record Look(
            List<Claim> ready,
            Map<Claim, String> told,
            List<SnapshotFailedException> failed,
            List<Claim> missing) {}

    /**
     * @param schedule name of the schedule
     * @param fireTime when it was due, not when it fired
     * @param targets what to take snapshots of, each once
     * @param listedNamespace the namespace of all claims; empty when they are in several
     * @param zone in which the keep rules mean hours, days, weeks, months and years
     * @param clock the present
     */
    public Run(
            String schedule,
            Instant fireTime,
            List<Target> targets,
            Optional<String> listedNamespace,
            Policy policy,
            ZoneId zone,
            InstantSource clock) {
        this.schedule = schedule;
        this.fireTime = fireTime;
        this.listedNamespace = listedNamespace;
        this.targets =
                targets.stream()
                        .collect(
                                Collectors.toMap(
                                        Target::claim,
                                        Function.identity(),
                                        (first, again) -> first,
                                        LinkedHashMap::new));
        this.policy = policy;
        this.zone = zone;
        this.clock = clock;
        this.pollDelay = policy.pollInterval();
        this.lastSign = clock.instant();
        this.bound =
                clock.instant()
                        .plus(policy.readyTimeout())
                        .plus(policy.jitter())
                        .plus(START_ALLOWANCE.multipliedBy(targets.size()));
        this.targets.keySet().forEach(claim -> progress.put(claim, new Progress()));
    }

    /** The run's name, which is also the value of its label: schedule and fire time. */
    public String name() {
        return SnapshotNames.run(schedule, fireTime);
    }

    /** Name of the schedule. */
    public String schedule() {
        return schedule;
    }

    /** Takes note that it still does something. */
    public void sign() {
        lastSign = clock.instant();
    }

    /**
     * Whether it is past its time and has not done anything since long. Waiting for an API server
     * that is away is doing something: it is asked again and again.
     */
    public boolean isStuck() {
        Instant silent = clock.instant().minus(SILENCE);
        return silent.isAfter(bound) && silent.isAfter(lastSign);
    }

    /** Whether it takes snapshots of a claim. */
    public boolean takes(Claim claim) {
        return targets.containsKey(claim);
    }

    /** Whether a claim's snapshot was there before this run asked for any. */
    public synchronized boolean isTakenOver(Claim claim) {
        return progress.get(claim).takenOver;
    }

    /** Whether a snapshot is one of those that the keep rules are for. */
    public boolean concerns(Snapshot snapshot) {
        return scopeOf(snapshot.claim()).test(snapshot);
    }

    /** Whether a snapshot never became ready in the time that it had. */
    public boolean isGivenUp(Snapshot snapshot) {
        return !snapshot.ready()
                && !snapshot.terminating()
                && snapshot.createdAt().isBefore(clock.instant().minus(policy.readyTimeout()));
    }

    /** Whether there was nothing to do, as no claim is selected: neither success nor failure. */
    public boolean isEmpty() {
        return targets.isEmpty() && !prunesOnly() && failures().isEmpty();
    }

    /** Whether nothing failed and each snapshot was seen ready. */
    public synchronized boolean isSuccess() {
        return !isEmpty() && failures().isEmpty() && ready().size() == targets.size();
    }

    /**
     * What a run would do at this time, line by line: which snapshots it would take, and, once
     * these are ready, which it would keep, and why, and which it would delete.
     *
     * @param listed the snapshots of the schedule
     */
    public List<String> plan(List<Snapshot> listed) {
        Instant now = clock.instant();
        Map<Claim, List<Snapshot>> byClaim =
                listed.stream().collect(Collectors.groupingBy(Snapshot::claim));
        List<String> plan = new ArrayList<>();
        for (Claim claim : prunesOnly() ? prunable(byClaim.keySet()) : claims()) {
            List<Snapshot> after = new ArrayList<>(byClaim.getOrDefault(claim, List.of()));
            if (!prunesOnly()) {
                plan.add(claim + ": take " + snapshotOf(claim));
                after.removeIf(snapshot -> snapshot.name().equals(snapshotOf(claim)));
                after.add(
                        Snapshot.ready(
                                snapshotOf(claim),
                                claim,
                                SnapshotLabels.ofSchedule(schedule),
                                now));
            }
            List<Snapshot> stale = stale(claim, after, now);
            List<Snapshot> history = after.stream().filter(scopeOf(claim)).toList();
            for (Retention.Decision decision :
                    Retention.decide(history, policy.keep(), zone, now)) {
                plan.add(
                        "%s: %s %s: %s"
                                .formatted(
                                        claim,
                                        stale.contains(decision.snapshot()) ? "delete" : "keep",
                                        decision.snapshot().name(),
                                        why(decision, stale)));
            }
        }
        return plan;
    }

    private static String why(Retention.Decision decision, List<Snapshot> stale) {
        if (!decision.stale() || stale.contains(decision.snapshot())) {
            return String.join(", ", decision.reasons());
        }
        return decision.snapshot().ready()
                ? "the last of a claim of that name that was deleted"
                : "it may still become ready";
    }

    /** Where the run's snapshots are to be listed; empty for all namespaces. */
    public Optional<String> listedNamespace() {
        return listedNamespace;
    }

    /** All claims. */
    public List<Claim> claims() {
        return List.copyOf(targets.keySet());
    }

    /** The name of this run's snapshot of a claim, or of the later one that stands for it. */
    public String snapshotOf(Claim claim) {
        String later = doneBy.get(claim);
        return later != null ? later : SnapshotNames.snapshot(claim.name(), schedule, fireTime);
    }

    /** Selects this run's snapshots. */
    public String selector() {
        return SnapshotLabels.selector(SnapshotLabels.ofRun(schedule, name()));
    }

    /** Selects the snapshots that the keep rules are for, and perhaps others. */
    public String scope() {
        Map<String, String> own =
                policy.adopt()
                        ? Map.of(SnapshotLabels.JOB, SnapshotLabels.PROGRAM)
                        : SnapshotLabels.ofSchedule(schedule);
        return policy.pruneOnly().orElseGet(() -> SnapshotLabels.selector(own));
    }

    private Predicate<Snapshot> scopeOf(Claim claim) {
        Predicate<Snapshot> ofClaim = snapshot -> snapshot.claim().equals(claim);
        if (policy.pruneOnly().isPresent()) {
            return ofClaim.and(snapshot -> !SnapshotLabels.isOfTheProgram(snapshot.labels()));
        }
        Predicate<Snapshot> own = Retention.takenBy(schedule, claim);
        return policy.adopt()
                ? own.or(ofClaim.and(s -> SnapshotLabels.isOfTheOriginal(s.labels())))
                : own;
    }

    /**
     * Whether there is anything whose older snapshots may go now: once every snapshot is ready or
     * has failed. One whose creation is being sent again is not waited for.
     */
    public synchronized boolean isToPrune() {
        boolean waits =
                progress.values().stream()
                        .anyMatch(s -> s.isOpen() && !(s.sentAgain && s.isBeingRequested()));
        boolean unpruned = progress.values().stream().anyMatch(s -> s.ready && !s.pruned);
        return prunesOnly() || (unpruned || !awaited.isEmpty()) && !waits;
    }

    /**
     * Snapshots of earlier runs that these gave up on, by claim. One that became ready since is a
     * good one, and what it makes stale may go, whatever becomes of the claim in this run.
     */
    public synchronized void awaits(Map<Claim, Set<String>> earlier) {
        awaited = earlier;
    }

    /** The snapshot of an earlier run that became ready after that run had given up on it. */
    public synchronized Optional<Snapshot> becameReadyLate(Claim claim) {
        return Optional.ofNullable(readyLate.get(claim));
    }

    /** The claim's snapshot before this run's, if that never became ready. */
    public synchronized Optional<Snapshot> failedBefore(Claim claim) {
        return Optional.ofNullable(progress.get(claim).failedBefore);
    }

    /** Whether a claim's snapshot was seen ready, and nothing failed for it. */
    public synchronized boolean isWell(Claim claim) {
        return progress.get(claim).ready && !progress.get(claim).failed;
    }

    /** Whether an outage that fails several claims one by one was not told yet. */
    public synchronized boolean isFirstToldOf(String outage) {
        return outagesTold.add(outage);
    }

    /** Whether it only prunes. */
    public boolean prunesOnly() {
        return policy.pruneOnly().isPresent();
    }

    /** The VolumeSnapshot to create for a claim, as Kubernetes reads it. */
    public Map<String, Object> manifest(Claim claim) {
        Map<String, Object> spec = new LinkedHashMap<>();
        targets.get(claim)
                .snapshotClassName()
                .ifPresent(name -> spec.put("volumeSnapshotClassName", name));
        spec.put("source", Map.of("persistentVolumeClaimName", claim.name()));
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("name", snapshotOf(claim));
        metadata.put("namespace", claim.namespace());
        Map<String, String> labels = new LinkedHashMap<>(policy.labels());
        labels.putAll(SnapshotLabels.of(snapshotOf(claim), schedule, name()));
        metadata.put("labels", labels);
        Map<String, String> annotations = new LinkedHashMap<>(policy.annotations());
        targets.get(claim).claimUid().ifPresent(uid -> annotations.put(Snapshot.CLAIM_UID, uid));
        if (!annotations.isEmpty()) {
            metadata.put("annotations", annotations);
        }
        Map<String, Object> manifest = new LinkedHashMap<>();
        manifest.put("apiVersion", "snapshot.storage.k8s.io/v1");
        manifest.put("kind", "VolumeSnapshot");
        manifest.put("metadata", metadata);
        manifest.put("spec", spec);
        return manifest;
    }

    /** How long to wait before a claim's creation, in milliseconds: the same in each run. */
    public long startDelay(Claim claim) {
        if (policy.jitter().isZero()) {
            return 0;
        }
        int place = Math.floorMod((schedule + "/" + claim).hashCode(), JITTER_STEPS);
        Instant start = fireTime.plus(policy.jitter().multipliedBy(place).dividedBy(JITTER_STEPS));
        return Math.max(0, Duration.between(clock.instant(), start).toMillis());
    }

    /** How many creations may be under way at the same time. */
    public int concurrency() {
        return policy.concurrency();
    }

    /**
     * Takes note of snapshots of this run that are there before it asks for any.
     *
     * @param listed the snapshots of the schedule
     * @param laterCounts whether a claim is done of which a later run left a good one
     * @return the snapshots of later runs that count, by claim
     */
    public synchronized Map<Claim, String> takeOver(
            Collection<Snapshot> listed, boolean laterCounts) {
        Map<Claim, List<Snapshot>> byClaim =
                listed.stream().collect(Collectors.groupingBy(Snapshot::claim));
        Map<String, Snapshot> byName = byName(listed);
        progress.forEach(
                (claim, state) -> {
                    Snapshot own = byName.get(claim.namespace() + "/" + snapshotOf(claim));
                    if (laterCounts && (own == null || own.terminating())) {
                        byClaim.getOrDefault(claim, List.of()).stream()
                                .filter(Retention.takenBy(schedule, claim))
                                .filter(Snapshot::isGood)
                                .filter(snapshot -> snapshot.dueAt().isAfter(fireTime))
                                .max(LATEST)
                                .ifPresent(later -> doneBy.put(claim, later.name()));
                    }
                    state.ready = doneBy.containsKey(claim);
                    if (own != null || state.ready) {
                        state.requests++;
                        state.takenOver = true;
                    }
                });
        return Map.copyOf(doneBy);
    }

    /** Claims whose snapshot has not been asked for yet. */
    public synchronized List<Claim> unrequested() {
        return select(state -> state.requests == 0 && state.isOpen());
    }

    /**
     * Takes note that the server took, or said it already had, this run's snapshot of a claim.
     *
     * @param created whether it took it
     */
    public synchronized void requested(Claim claim, boolean created) {
        sign();
        progress.get(claim).requests++;
        progress.get(claim).created |= created;
    }

    /**
     * Takes note that a claim's request failed and is sent again.
     *
     * @param words what it failed of
     */
    public synchronized void sentAgain(Claim claim, String words) {
        Progress state = progress.get(claim);
        if (state != null) {
            state.sentAgain = true;
            state.lastWords = words;
        }
    }

    /** Whether any claim is neither ready nor failed. */
    public synchronized boolean isOpen() {
        return progress.values().stream().anyMatch(Progress::isOpen);
    }

    /** Whether there is still time for what can heal. */
    public boolean hasTime() {
        return clock.instant().isBefore(bound);
    }

    /** Whether a server that asks for a wait, in milliseconds, asks for no more than there is. */
    boolean hasTimeFor(long wait) {
        return wait == 0 || clock.instant().plusMillis(wait).isBefore(bound);
    }

    /** How long to wait before the next look, in milliseconds; each time longer, up to a limit. */
    public synchronized long nextPollDelay() {
        Duration delay = pollDelay;
        Duration longer = Duration.ofMillis(Math.round(delay.toMillis() * POLL_GROWTH));
        pollDelay = min(longer, policy.maxPollInterval());
        Duration left = Duration.between(clock.instant(), bound);
        return Math.max(policy.pollInterval().toMillis(), min(delay, left).toMillis());
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    /**
     * The snapshots of the schedule as they were after the last look, listed once for all claims
     * that a quota refuses. One whose creation was sent again may have its snapshot since.
     */
    List<Snapshot> listForRoom(Claim claim, Supplier<List<Snapshot>> list) {
        if (isSentAgain(claim)) {
            return list.get();
        }
        synchronized (listLock) {
            int look = looks.get();
            if (room == null || roomLook != look) {
                room = list.get();
                roomLook = look;
            }
            return room;
        }
    }

    /** The snapshots of the schedule as of now, listed once for several deletions. */
    List<Snapshot> listForDeletion(Supplier<List<Snapshot>> list) {
        synchronized (listLock) {
            Instant now = clock.instant();
            if (judged == null || judgedAt.isBefore(now.minus(JUDGED))) {
                judged = list.get();
                judgedAt = now;
            }
            return judged;
        }
    }

    private synchronized boolean isSentAgain(Claim claim) {
        return progress.get(claim).sentAgain;
    }

    /** Takes note that the run's snapshots are now listed: later ones need not be there. */
    public synchronized void looks() {
        looks.incrementAndGet();
        progress.values().forEach(state -> state.askedForAtLook = state.requests);
    }

    /**
     * Judges what was listed by {@link #selector()}.
     *
     * @param listed this run's snapshots as the cluster shows them now
     */
    public synchronized Look look(Collection<Snapshot> listed) {
        sign();
        Map<String, Snapshot> byName = byName(listed);
        Look look =
                new Look(
                        new ArrayList<>(),
                        new LinkedHashMap<>(),
                        new ArrayList<>(),
                        new ArrayList<>());
        for (Claim claim : pending()) {
            Progress state = progress.get(claim);
            Snapshot snapshot = byName.get(claim.namespace() + "/" + snapshotOf(claim));
            Optional<SnapshotFailedException> failure = judge(claim, state, snapshot);
            if (failure.isPresent()) {
                look.failed.add(failure.get());
            } else if (snapshot == null) {
                if (state.refusal != null || state.askedForAtLook > 0) {
                    look.missing.add(claim);
                }
            } else if (snapshot.ready()) {
                state.ready = true;
                look.ready.add(claim);
            } else if (snapshot.error() != null
                    && !DriverError.areSame(snapshot.error(), state.driverError)) {
                state.driverError = snapshot.error();
                look.told.put(claim, snapshot.error());
            }
        }
        return look;
    }

    private static Map<String, Snapshot> byName(Collection<Snapshot> listed) {
        return listed.stream()
                .collect(
                        Collectors.toMap(
                                s -> s.claim().namespace() + "/" + s.name(),
                                Function.identity(),
                                (first, again) -> again));
    }

    private Optional<SnapshotFailedException> judge(
            Claim claim, Progress state, Snapshot snapshot) {
        if (snapshot == null && state.refusal != null) {
            // A deletion that made room takes a while, so it is asked for more than once again.
            return state.refusals < (state.roomMade ? MAX_REFUSALS : 2) && hasTime()
                    ? Optional.empty()
                    : failure(claim, state.refusal, "raise the quota or keep fewer snapshots");
        }
        if (snapshot == null) {
            if (state.requests < MAX_REQUESTS && hasTime()) {
                return Optional.empty();
            }
            if (state.isBeingRequested() && state.lastWords != null) {
                return failure(
                        claim,
                        UNASKED + ": " + state.lastWords,
                        "look at the API server; the next run tries again");
            }
            if (state.isBeingRequested()) {
                return failure(claim, UNASKED, "raise concurrency or ready-timeout");
            }
            return state.created
                    ? failure(
                            claim,
                            "the snapshot was created, and is not listed any more",
                            "find out who deletes snapshots of this run")
                    : failure(
                            claim,
                            "the server says that the snapshot exists, but it is not one of this run",
                            "look at it with kubectl describe, and delete or rename it");
        }
        if (!snapshot.claim().equals(claim)) {
            return failure(
                    claim,
                    "the snapshot exists, but of claim \"" + snapshot.claim().name() + "\"",
                    "look at it with kubectl describe, and delete or rename it");
        }
        if (snapshot.terminating()) {
            return failure(
                    claim,
                    "the snapshot is being deleted by someone else",
                    "find out who deletes snapshots of this run");
        }
        if (snapshot.ready()) {
            return Optional.empty();
        }
        if (snapshot.error() != null && DriverError.isFinal(snapshot.error())) {
            return failure(
                    claim,
                    OneLine.of(snapshot.error()),
                    "correct the snapshot class or the volume; waiting does not help");
        }
        if (snapshot.started() && state.startSeen == null) {
            state.startSeen = clock.instant();
        }
        boolean late =
                state.startSeen != null
                        && !clock.instant().isBefore(state.startSeen.plus(policy.readyTimeout()));
        return late || !hasTime()
                ? failure(claim, lateWords(snapshot), LATE_REMEDY)
                : Optional.empty();
    }

    private static final String LATE_REMEDY =
            "look at the snapshot and the driver's log; if the storage only needs longer, raise"
                    + " ready-timeout";

    private String lateWords(Snapshot snapshot) {
        String reason = "the driver said nothing";
        if (snapshot.error() != null) {
            reason = OneLine.of(snapshot.error());
        } else if (!snapshot.started()) {
            reason = "the snapshot controller has not started on it";
        }
        return "not ready within " + Settings.text(policy.readyTimeout()) + ": " + reason;
    }

    private static Optional<SnapshotFailedException> failure(
            Claim claim, String message, String remedy) {
        return Optional.of(new SnapshotFailedException(claim, message, remedy));
    }

    /**
     * Takes note that a claim's snapshot failed, in creating, waiting or pruning.
     *
     * @return whether that is to be told: each claim's failure is once
     */
    public synchronized boolean failed(Claim claim) {
        Progress state = progress.get(claim);
        if (state == null) {
            // A run that only prunes has no claims of its own.
            failedSteps.add(claim.toString());
            return true;
        }
        boolean news = !state.failed;
        state.failed = true;
        return news;
    }

    /**
     * Takes note that a step that concerns all claims failed, and is not to be tried again for
     * those that are ready by now.
     *
     * @return whether that was not known yet
     */
    public synchronized boolean stepFailed(String step) {
        progress.values().forEach(state -> state.pruned |= state.ready);
        awaited = Map.of();
        return failedSteps.add(step);
    }

    /** Claims and steps that failed, for a message; none in a run that was a success. */
    public synchronized List<String> failures() {
        return Stream.concat(failed().stream().map(Claim::toString), failedSteps.stream()).toList();
    }

    /** Claims that are neither ready nor failed. */
    public synchronized List<Claim> pending() {
        return select(Progress::isOpen);
    }

    /** Claims whose snapshot of this run was seen ready. */
    public synchronized List<Claim> ready() {
        return select(state -> state.ready);
    }

    /** Claims for which anything failed. */
    public synchronized List<Claim> failed() {
        return select(state -> state.failed);
    }

    private List<Claim> select(Predicate<Progress> which) {
        return select(which, claim -> false);
    }

    private List<Claim> select(Predicate<Progress> which, Predicate<Claim> orWhich) {
        return progress.entrySet().stream()
                .filter(entry -> which.test(entry.getValue()) || orWhich.test(entry.getKey()))
                .map(Map.Entry::getKey)
                .toList();
    }

    /**
     * Why a claim that was seen ready is to count as failed: by what is listed now, its snapshot is
     * no good one any more. It is not ready from then on.
     *
     * @param listed the snapshots of the schedule
     */
    synchronized Optional<SnapshotFailedException> lost(Claim claim, List<Snapshot> listed) {
        Progress state = progress.get(claim);
        if (state == null || !state.ready) {
            return Optional.empty();
        }
        Optional<Snapshot> own =
                listed.stream()
                        .filter(snapshot -> snapshot.claim().equals(claim))
                        .filter(snapshot -> snapshot.name().equals(snapshotOf(claim)))
                        .findAny();
        if (own.filter(Snapshot::isGood).isPresent()) {
            return Optional.empty();
        }
        state.ready = false;
        return own.filter(snapshot -> !snapshot.terminating()).isPresent()
                ? failure(
                        claim,
                        "the snapshot was ready, and is not any more"
                                + own.map(Snapshot::error)
                                        .map(error -> ": " + OneLine.of(error))
                                        .orElse(""),
                        "look at the snapshot and the driver's log")
                : failure(
                        claim,
                        "the snapshot was ready, and "
                                + (own.isPresent() ? "is being deleted" : "is gone"),
                        "find out who deletes snapshots of this run");
    }

    /** The snapshots that this run may delete. A claim whose new snapshot is not ready has none. */
    public synchronized List<Snapshot> stale(List<Snapshot> listed) {
        sign();
        Instant now = clock.instant();
        progress.values().forEach(state -> state.pruned |= state.ready);
        Map<Claim, List<Snapshot>> byClaim =
                listed.stream().collect(Collectors.groupingBy(Snapshot::claim));
        if (!prunesOnly()) {
            byClaim.forEach(this::lookBack);
            awaited = Map.of();
        }
        Collection<Claim> claims =
                prunesOnly()
                        ? prunable(byClaim.keySet())
                        : select(s -> s.ready, claim -> readyLate.containsKey(claim));
        return claims.stream()
                .flatMap(
                        claim -> stale(claim, byClaim.getOrDefault(claim, List.of()), now).stream())
                .toList();
    }

    private void lookBack(Claim claim, List<Snapshot> history) {
        Set<String> names = awaited.getOrDefault(claim, Set.of());
        history.stream()
                .filter(snapshot -> names.contains(snapshot.name()) && snapshot.isGood())
                .max(LATEST)
                .ifPresent(late -> readyLate.put(claim, late));
        Progress state = progress.get(claim);
        if (state != null && state.ready && !state.takenOver) {
            history.stream()
                    .filter(Retention.takenBy(schedule, claim))
                    .filter(snapshot -> !snapshot.name().equals(snapshotOf(claim)))
                    .max(LATEST)
                    .filter(last -> !last.ready() && !last.terminating())
                    .ifPresent(last -> state.failedBefore = last);
        }
    }

    /**
     * Whether a snapshot that was stale is gone or going already, or can still be spared.
     *
     * @param listed the snapshots of the schedule
     */
    boolean mayGo(Claim claim, String name, List<Snapshot> listed) {
        List<Snapshot> history = listed.stream().filter(scopeOf(claim)).toList();
        List<Snapshot> spare =
                Retention.stale(history, scopeOf(claim), LAST_GOOD, zone, clock.instant());
        return history.stream()
                .filter(snapshot -> snapshot.name().equals(name) && !snapshot.terminating())
                .allMatch(
                        snapshot ->
                                spare.contains(snapshot)
                                        && !lastOfFormer(claim, history).contains(snapshot));
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
     * Snapshots that no rule keeps, and that stay because each is the last good one of a claim of
     * the same name that was deleted: a claim made anew may lack what they hold.
     *
     * @param listed the snapshots of the schedule
     */
    synchronized List<Snapshot> spared(List<Snapshot> listed) {
        Instant now = clock.instant();
        Map<Claim, List<Snapshot>> byClaim =
                listed.stream().collect(Collectors.groupingBy(Snapshot::claim));
        List<Snapshot> spared = new ArrayList<>();
        for (Claim claim : ready()) {
            List<Snapshot> history = byClaim.getOrDefault(claim, List.of());
            Collection<Snapshot> last = lastOfFormer(claim, history);
            if (!last.isEmpty()) {
                unneeded(claim, history, now).stream().filter(last::contains).forEach(spared::add);
            }
        }
        return spared;
    }

    private Collection<Snapshot> lastOfFormer(Claim claim, List<Snapshot> history) {
        Optional<String> present =
                Optional.ofNullable(targets.get(claim)).flatMap(Target::claimUid);
        if (present.isEmpty()) {
            return List.of();
        }
        return history.stream()
                .filter(scopeOf(claim))
                .filter(snapshot -> snapshot.isGood() && snapshot.claimUid() != null)
                .filter(snapshot -> !snapshot.claimUid().equals(present.get()))
                .collect(
                        Collectors.toMap(
                                Snapshot::claimUid,
                                Function.identity(),
                                BinaryOperator.maxBy(
                                        Comparator.comparing(Snapshot::takenAt)
                                                .thenComparing(LATEST))))
                .values();
    }

    private List<Snapshot> stale(Claim claim, List<Snapshot> history, Instant now) {
        Collection<Snapshot> last = lastOfFormer(claim, history);
        return unneeded(claim, history, now).stream()
                .filter(snapshot -> !last.contains(snapshot))
                .toList();
    }

    private List<Snapshot> unneeded(Claim claim, List<Snapshot> history, Instant now) {
        return Retention.stale(history, scopeOf(claim), policy.keep(), zone, now).stream()
                .filter(snapshot -> !snapshot.name().equals(snapshotOf(claim)))
                .filter(
                        snapshot ->
                                snapshot.ready()
                                        || snapshot.createdAt()
                                                .isBefore(now.minus(policy.readyTimeout())))
                .toList();
    }

    /** Takes note that a quota refused a claim's snapshot. */
    public synchronized void refused(Claim claim, String words) {
        progress.get(claim).refusals++;
        progress.get(claim).refusal = words;
    }

    /**
     * What may be deleted to make room for a claim's snapshot that a quota refused: what the rules
     * would have deleted after it, but never the last good ones. None when the snapshot is there
     * all the same, from an earlier try.
     *
     * @param listed the snapshots of the schedule
     */
    public synchronized List<Snapshot> surplus(Claim claim, List<Snapshot> listed) {
        List<Snapshot> history = listed.stream().filter(scopeOf(claim)).toList();
        if (history.stream().anyMatch(s -> s.name().equals(snapshotOf(claim)))) {
            return List.of();
        }
        Instant now = clock.instant();
        List<Snapshot> after = new ArrayList<>(history);
        after.add(
                Snapshot.ready(snapshotOf(claim), claim, SnapshotLabels.ofSchedule(schedule), now));
        List<Snapshot> needed = Retention.stale(history, scopeOf(claim), LAST_GOOD, zone, now);
        List<Snapshot> surplus =
                stale(claim, after, now).stream().filter(needed::contains).toList();
        progress.get(claim).roomMade |= !surplus.isEmpty();
        return surplus;
    }
}
