package io.volumesnapshotter.observe;

import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.drill.ProofListener;
import io.volumesnapshotter.run.Failure;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunListener;
import io.volumesnapshotter.schedule.HeldBySchedule;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What happened to each schedule, to be shown. Nothing is decided by it: that is done by what the
 * cluster says. It holds one run of each schedule and what concerns its present claims. Safe for
 * use by several threads.
 */
public final class RunHistory implements RunListener, ProofListener, HeldBySchedule {

    /** A claim of which no snapshot is known to have become ready. */
    static final Instant NEVER = Instant.EPOCH;

    static final String SUCCESS = "success";
    static final String FAILURE = "failure";

    /** Of a run for which no claim was selected. */
    static final String EMPTY = "empty";

    /** Of a run that was ended before its time; another replica or the next run does the rest. */
    static final String GIVEN_UP = "given up";

    private static final String READY = "ready";
    private static final String PROVEN = "proven";

    private static final Comparator<Claim> BY_NAME =
            Comparator.comparing(Claim::namespace).thenComparing(Claim::name);

    private final Metrics metrics;
    private final InstantSource clock;
    private final Predicate<String> isThere;
    private final Map<String, Entry> entries = new HashMap<>();

    /**
     * A run that has ended.
     *
     * @param outcome {@link #SUCCESS}, {@link #FAILURE}, {@link #EMPTY} or {@link #GIVEN_UP}
     * @param claims what became of each claim, by its name
     */
    public record LastRun(
            String name,
            Instant started,
            Instant ended,
            String outcome,
            SortedMap<String, String> claims) {}

    /**
     * The snapshots of a schedule when they were listed last.
     *
     * @param terminatingSince since when the one is being deleted that waits longest
     */
    public record Stored(
            int kept, int failed, int terminating, Optional<Instant> terminatingSince) {}

    private static final class Entry {
        private String running;
        private Instant started;
        private final Map<String, String> reasons = new HashMap<>();
        private LastRun last;
        private SortedMap<Claim, Instant> successes = new TreeMap<>(BY_NAME);
        private Stored stored;
        private final SortedMap<Claim, Optional<Proof>> proofs = new TreeMap<>(BY_NAME);
    }

    /**
     * @param clock the present
     * @param isThere whether the schedule of a name is there: of one that is gone, nothing is noted
     *     that its last run still does
     */
    public RunHistory(Metrics metrics, InstantSource clock, Predicate<String> isThere) {
        this.metrics = metrics;
        this.clock = clock;
        this.isThere = isThere;
    }

    private Entry of(String schedule) {
        return entries.computeIfAbsent(schedule, any -> new Entry());
    }

    @Override
    public synchronized void started(Run run) {
        if (!isThere.test(run.schedule())) {
            return;
        }
        Entry entry = of(run.schedule());
        entry.running = run.name();
        entry.started = clock.instant();
        entry.reasons.clear();
        entry.successes.keySet().retainAll(run.claims());
    }

    /** Notes that a snapshot was seen ready. */
    @Override
    public synchronized void ready(Run run, Claim claim, Snapshot snapshot) {
        if (!isThere.test(run.schedule())) {
            return;
        }
        of(run.schedule()).successes.merge(claim, snapshot.takenAt(), RunHistory::later);
        if (!run.isTakenOver(claim)) {
            metrics.snapshotReady(
                    run.schedule(),
                    orZero(Duration.between(snapshot.createdAt(), clock.instant())));
        }
    }

    /** Forgets a claim's newest good snapshot; the next list shows which is left. */
    @Override
    public synchronized void lost(Run run, Claim claim) {
        if (!isThere.test(run.schedule())) {
            return;
        }
        of(run.schedule()).successes.remove(claim);
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    /** Counts all snapshots of a schedule, as the cluster shows them now. */
    @Override
    public synchronized void listed(Run run, Collection<Snapshot> listed) {
        if (!isThere.test(run.schedule())) {
            return;
        }
        Entry entry = of(run.schedule());
        List<Snapshot> own = run.pruning().inScope(listed);
        if (!run.prunesOnly()) {
            own.stream()
                    .filter(Snapshot::isGood)
                    .filter(snapshot -> run.takes(snapshot.claim()))
                    .forEach(
                            snapshot ->
                                    entry.successes.merge(
                                            snapshot.claim(),
                                            snapshot.takenAt(),
                                            RunHistory::later));
        }
        entry.stored =
                new Stored(
                        (int) own.stream().filter(Snapshot::isGood).count(),
                        (int) own.stream().filter(run.pruning()::isOverdue).count(),
                        (int) own.stream().filter(Snapshot::terminating).count(),
                        own.stream()
                                .filter(Snapshot::terminating)
                                .map(Snapshot::deletedAt)
                                .min(Comparator.naturalOrder()));
    }

    @Override
    public synchronized void pruned(Run run, Snapshot snapshot, String reason) {
        if (!isThere.test(run.schedule())) {
            return;
        }
        metrics.pruned(run.schedule(), true);
    }

    @Override
    public synchronized void failed(Failure letter) {
        boolean isOfRun = !letter.run().equals(letter.schedule());
        if (isOfRun && !isThere.test(letter.schedule())) {
            return;
        }
        metrics.failed(letter.schedule(), letter.phase());
        if (letter.operation().equals(DELETE)) {
            metrics.pruned(letter.schedule(), false);
        }
        Entry entry = of(letter.schedule());
        if (letter.run().equals(entry.running)) {
            entry.reasons.put(
                    letter.claim().isEmpty() ? "" : letter.subject().trim(), letter.reason());
        } else if (letter.claim().isEmpty()) {
            // It failed before there was a run.
            Instant now = letter.lastAt();
            entry.last =
                    new LastRun(
                            letter.run(),
                            now,
                            now,
                            FAILURE,
                            new TreeMap<>(Map.of("", letter.reason())));
            metrics.runEnded(letter.schedule(), false, Duration.ZERO);
        }
    }

    private static final String DELETE = "delete";

    /** Counts the end of a run, once. */
    @Override
    public synchronized void ended(Run run) {
        Entry entry = entries.get(run.schedule());
        if (entry == null || !run.name().equals(entry.running)) {
            return;
        }
        SortedMap<String, String> claims = new TreeMap<>();
        List<Claim> ready = run.ready();
        for (Claim claim : run.claims()) {
            String name = claim.toString();
            claims.put(name, entry.reasons.getOrDefault(name, "not ended"));
            if (!run.prunesOnly() && !run.drills()) {
                entry.successes.putIfAbsent(claim, NEVER);
            }
        }
        String well = run.drills() ? PROVEN : READY;
        ready.forEach(claim -> claims.put(claim.toString(), well));
        entry.reasons.forEach(
                (claim, reason) ->
                        claims.merge(
                                claim,
                                reason,
                                (old, why) -> old.equals(well) ? well + ", but " + why : why));
        Instant now = clock.instant();
        entry.last = new LastRun(run.name(), entry.started, now, outcome(run), claims);
        if (!run.isEmpty() && run.givenUp().isEmpty()) {
            metrics.runEnded(
                    run.schedule(), run.isSuccess(), orZero(Duration.between(entry.started, now)));
        }
        if (!run.drills()) {
            metrics.snapshotsEnded(
                    run.schedule(), ready.size(), run.claims().size() - ready.size());
        }
        entry.running = null;
        entry.reasons.clear();
    }

    /** What is negative was measured by a clock that was set back, or by two that differ. */
    private static Duration orZero(Duration took) {
        return took.isNegative() ? Duration.ZERO : took;
    }

    private static String outcome(Run run) {
        if (run.isEmpty()) {
            return EMPTY;
        }
        if (run.givenUp().isPresent()) {
            return GIVEN_UP;
        }
        return run.isSuccess() ? SUCCESS : FAILURE;
    }

    @Override
    public synchronized void retain(Predicate<String> isThere) {
        entries.keySet().removeIf(isThere.negate());
        metrics.retain(isThere);
    }

    /** Forgets when claims were well: another replica takes their snapshots. */
    synchronized void forgetSuccesses() {
        entries.values().forEach(entry -> entry.successes.clear());
        entries.values().forEach(entry -> entry.stored = null);
        entries.values().forEach(entry -> entry.proofs.clear());
    }

    @Override
    public synchronized void known(String schedule, Map<Claim, Optional<Proof>> proofs) {
        if (isThere.test(schedule)) {
            Entry entry = of(schedule);
            entry.proofs.clear();
            entry.proofs.putAll(proofs);
        }
    }

    @Override
    public synchronized void drilled(String schedule, Proof proof) {
        if (isThere.test(schedule)) {
            of(schedule).proofs.put(proof.claim(), Optional.of(proof));
        }
    }

    /** What is known of the drills of each claim of a schedule that drills. */
    synchronized Map<Claim, Optional<Proof>> proofs(String schedule) {
        Entry entry = entries.get(schedule);
        return entry == null ? Map.of() : new LinkedHashMap<>(entry.proofs);
    }

    /** The name of the run that goes on. */
    synchronized Optional<String> running(String schedule) {
        return Optional.ofNullable(entries.get(schedule)).map(entry -> entry.running);
    }

    public synchronized Optional<LastRun> lastRun(String schedule) {
        return Optional.ofNullable(entries.get(schedule)).map(entry -> entry.last);
    }

    synchronized Optional<Stored> stored(String schedule) {
        return Optional.ofNullable(entries.get(schedule)).map(entry -> entry.stored);
    }

    /** When the newest good snapshot of each claim was cut, or {@link #NEVER}. */
    synchronized Map<Claim, Instant> successes(String schedule) {
        Entry entry = entries.get(schedule);
        return entry == null ? Map.of() : new LinkedHashMap<>(entry.successes);
    }
}
