package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.HeldBySchedule;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * What failed and has not been well since, so that a recovery is told once, and that a snapshot
 * that becomes ready after its run gave up on it is noticed. It is only for telling: what is
 * deleted is decided by what the cluster says, and a restart may lose it. Safe for use by several
 * threads.
 */
public final class FailureLog implements HeldBySchedule {

    /** How many failures and recoveries are kept to be looked at. */
    static final int KEPT = 100;

    /** How many snapshots of a claim may still become ready late. */
    private static final int AWAITED = 20;

    private record Key(String schedule, String namespace, String claim) {

        static Key of(String schedule, Claim claim) {
            return new Key(schedule, claim.namespace(), claim.name());
        }
    }

    private static final class Entry {
        private Failure last;
        private Instant firstAt;
        private String lastRun;
        private int runs;
        private final TreeSet<String> awaited = new TreeSet<>();
    }

    private final Map<Key, Entry> open = new LinkedHashMap<>();
    private final Deque<Failure> history = new ArrayDeque<>();

    /**
     * Adds a failure.
     *
     * @param snapshot the run's snapshot of the claim, which may still become ready; empty for none
     * @return the failure as one of those that followed one another
     */
    synchronized Failure add(Failure failure, String snapshot) {
        Key key = new Key(failure.schedule(), failure.namespace(), failure.claim());
        Entry entry = open.computeIfAbsent(key, any -> new Entry());
        if (entry.firstAt == null) {
            entry.firstAt = failure.lastAt();
        }
        if (!failure.run().equals(entry.lastRun)) {
            entry.runs++;
        }
        entry.lastRun = failure.run();
        if (!snapshot.isEmpty()) {
            entry.awaited.add(snapshot);
            if (entry.awaited.size() > AWAITED) {
                entry.awaited.pollFirst();
            }
        }
        entry.last = failure.since(entry.firstAt, entry.runs);
        remember(entry.last);
        return entry.last;
    }

    private void remember(Failure letter) {
        history.addLast(letter);
        if (history.size() > KEPT) {
            history.removeFirst();
        }
    }

    /** Whether a schedule as a whole is failed for this reason. */
    synchronized boolean isOpen(String schedule, String reason) {
        Entry entry = open.get(new Key(schedule, "", ""));
        return entry != null && entry.last.reason().equals(reason);
    }

    /** Snapshots of earlier runs of a schedule that may have become ready since, by claim. */
    synchronized Map<Claim, Set<String>> expectedLate(String schedule, Collection<Claim> claims) {
        Map<Claim, Set<String>> awaited = new LinkedHashMap<>();
        for (Claim claim : claims) {
            Entry entry = open.get(Key.of(schedule, claim));
            if (entry != null && !entry.awaited.isEmpty()) {
                awaited.put(claim, Set.copyOf(entry.awaited));
            }
        }
        return awaited;
    }

    /**
     * What is well again after a run, each once. What it did not look at, because the schedule has
     * no such claim any more, is forgotten.
     */
    synchronized List<Failure> takeRecovered(Run run, Instant now) {
        List<Failure> recovered = new ArrayList<>();
        for (Claim claim : run.claims()) {
            Key key = Key.of(run.schedule(), claim);
            Optional<Snapshot> late = run.becameReadyLate(claim);
            if (run.isWell(claim)) {
                Optional.ofNullable(open.remove(key))
                        .map(entry -> entry.last)
                        .or(() -> run.failedBefore(claim).map(s -> before(run, claim, s)))
                        .map(
                                last ->
                                        last.recovered(
                                                run.name(),
                                                run.snapshotOf(claim),
                                                now,
                                                run.snapshotOf(claim)
                                                        + (run.drills()
                                                                ? " was restored and read"
                                                                : " is ready")))
                        .ifPresent(recovered::add);
            } else if (late.isPresent() && open.containsKey(key)) {
                recovered.add(late(run, key, late.get().name(), now));
            }
        }
        if (run.isSuccess()) {
            Key whole = new Key(run.schedule(), "", "");
            open.entrySet().stream()
                    .filter(entry -> entry.getKey().schedule().equals(run.schedule()))
                    .filter(entry -> entry.getKey().equals(whole) || run.prunesOnly())
                    .map(entry -> entry.getValue().last)
                    .map(last -> last.recovered(run.name(), "", now, "the run was a success"))
                    .forEach(recovered::add);
        }
        Set<Key> stillOpen = stillOpen(run);
        open.keySet()
                .removeIf(key -> key.schedule().equals(run.schedule()) && !stillOpen.contains(key));
        recovered.forEach(this::remember);
        return recovered;
    }

    private Set<Key> stillOpen(Run run) {
        if (run.drills()) {
            Set<Key> keys = new HashSet<>();
            run.selected().forEach(claim -> keys.add(Key.of(run.schedule(), claim)));
            if (!run.isSuccess()) {
                keys.add(new Key(run.schedule(), "", ""));
            }
            return keys;
        }
        if (run.isSuccess()) {
            return Set.of();
        }
        if (run.prunesOnly()) {
            return Set.copyOf(open.keySet());
        }
        Set<Key> keys = new HashSet<>();
        keys.add(new Key(run.schedule(), "", ""));
        run.claims().forEach(claim -> keys.add(Key.of(run.schedule(), claim)));
        return keys;
    }

    /** A snapshot that is ready late ends one row of failures; the run's own begins another. */
    private Failure late(Run run, Key key, String snapshot, Instant now) {
        Entry entry = open.get(key);
        Failure recovered =
                entry.last.recovered(
                        run.name(),
                        snapshot,
                        now,
                        snapshot + " became ready after its run had given up on it");
        entry.awaited.headSet(snapshot, true).clear();
        entry.firstAt = entry.last.lastAt();
        entry.runs = 1;
        entry.last = entry.last.since(entry.firstAt, entry.runs);
        return recovered;
    }

    /** What must have failed before this program was started. */
    private static Failure before(Run run, Claim claim, Snapshot snapshot) {
        return new Failure(
                run.schedule(),
                run.name(),
                claim.namespace(),
                claim.name(),
                snapshot.name(),
                "",
                "",
                1,
                snapshot.createdAt(),
                snapshot.createdAt(),
                1,
                "",
                "",
                false);
    }

    /** How many claims of a schedule are failed now; what concerns no single one counts as one. */
    public synchronized long count(String schedule) {
        return open.keySet().stream().filter(key -> key.schedule().equals(schedule)).count();
    }

    /** Forgets what is failed of schedules that are gone; their history stays to be looked at. */
    @Override
    public synchronized void retain(Predicate<String> isThere) {
        open.keySet().removeIf(key -> !isThere.test(key.schedule()));
    }

    /** Forgets what is failed: another replica tells of it from now on. */
    synchronized void forgetAll() {
        open.clear();
    }

    /** What is failed now. */
    public synchronized List<Failure> open() {
        return open.values().stream().map(entry -> entry.last).toList();
    }

    /** The last failures and recoveries, the newest last. */
    public synchronized List<Failure> history() {
        return List.copyOf(history);
    }
}
