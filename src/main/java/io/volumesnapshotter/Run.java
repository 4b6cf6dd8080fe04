package io.volumesnapshotter;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

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

    private static final double POLL_GROWTH = 1.5;

    private final String schedule;
    private final String namespace;
    private final Instant fireTime;
    private final Policy policy;
    private final InstantSource clock;
    private final Instant bound;
    private final Map<String, Progress> progress = new LinkedHashMap<>();
    private Duration pollDelay;

    private static final class Progress {
        int requests;
        Instant startSeen;
        String driverError;
        boolean ready;
        boolean failed;

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
            List<String> ready,
            Map<String, String> told,
            List<SnapshotFailedException> failed,
            List<String> missing) {}

    /**
     * @param schedule name of the schedule
     * @param fireTime when it was due, not when it fired
     * @param namespace namespace of the claims
     * @param clock the present
     */
    public Run(
            String schedule,
            Instant fireTime,
            String namespace,
            Policy policy,
            InstantSource clock) {
        this.schedule = schedule;
        this.fireTime = fireTime;
        this.namespace = namespace;
        this.policy = policy;
        this.clock = clock;
        this.pollDelay = policy.pollInterval();
        this.bound =
                clock.instant()
                        .plus(policy.readyTimeout())
                        .plus(START_ALLOWANCE.multipliedBy(policy.claims().size()));
        policy.claims().forEach(claim -> progress.put(claim, new Progress()));
    }

    /** The run's name, which is also the value of its label: schedule and fire time. */
    public String name() {
        return Names.run(schedule, fireTime);
    }

    /** Name of the schedule. */
    public String schedule() {
        return schedule;
    }

    /** Namespace of the claims and their snapshots. */
    public String namespace() {
        return namespace;
    }

    /** Names of all claims. */
    public List<String> claims() {
        return policy.claims();
    }

    /** The name of this run's snapshot of a claim. */
    public String snapshotOf(String claim) {
        return Names.snapshot(claim, schedule, fireTime);
    }

    /** Selects this run's snapshots. */
    public Map<String, String> labels() {
        return SnapshotLabels.ofRun(schedule, name());
    }

    /** Selects the snapshots of all runs of the schedule. */
    public Map<String, String> scheduleLabels() {
        return SnapshotLabels.ofSchedule(schedule);
    }

    /** The VolumeSnapshot to create for a claim, as Kubernetes reads it. */
    public Map<String, Object> manifest(String claim) {
        Map<String, Object> spec = new LinkedHashMap<>();
        policy.snapshotClassName().ifPresent(name -> spec.put("volumeSnapshotClassName", name));
        spec.put("source", Map.of("persistentVolumeClaimName", claim));
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("name", snapshotOf(claim));
        metadata.put("namespace", namespace);
        metadata.put("labels", SnapshotLabels.of(snapshotOf(claim), schedule, name()));
        Map<String, Object> manifest = new LinkedHashMap<>();
        manifest.put("apiVersion", "snapshot.storage.k8s.io/v1");
        manifest.put("kind", "VolumeSnapshot");
        manifest.put("metadata", metadata);
        manifest.put("spec", spec);
        return manifest;
    }

    /** Takes note that the server took, or said it already had, this run's snapshot of a claim. */
    public synchronized void requested(String claim) {
        progress.get(claim).requests++;
    }

    /** Whether any claim is neither ready nor failed. */
    public synchronized boolean isOpen() {
        return progress.values().stream().anyMatch(Progress::isOpen);
    }

    /** Whether there is still time for what can heal. */
    public boolean hasTime() {
        return clock.instant().isBefore(bound);
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
     * Judges what was listed by {@link #labels()}.
     *
     * @param listed this run's snapshots as the cluster shows them now
     */
    public synchronized Look look(Collection<Snapshot> listed) {
        Map<String, Snapshot> byName =
                listed.stream().collect(Collectors.toMap(Snapshot::name, Function.identity()));
        Look look =
                new Look(
                        new ArrayList<>(),
                        new LinkedHashMap<>(),
                        new ArrayList<>(),
                        new ArrayList<>());
        for (String claim : pending()) {
            Progress state = progress.get(claim);
            Snapshot snapshot = byName.get(snapshotOf(claim));
            Optional<SnapshotFailedException> failure = judge(claim, state, snapshot);
            if (failure.isPresent()) {
                look.failed.add(failure.get());
            } else if (snapshot == null) {
                look.missing.add(claim);
            } else if (snapshot.ready()) {
                state.ready = true;
                look.ready.add(claim);
            } else if (snapshot.error() != null && !snapshot.error().equals(state.driverError)) {
                state.driverError = snapshot.error();
                look.told.put(claim, snapshot.error());
            }
        }
        return look;
    }

    private Optional<SnapshotFailedException> judge(
            String claim, Progress state, Snapshot snapshot) {
        if (snapshot == null) {
            return state.requests < MAX_REQUESTS && hasTime()
                    ? Optional.empty()
                    : failure(
                            claim,
                            "the server says that the snapshot exists, but it is not one of this run",
                            "look at it with kubectl describe, and delete or rename it");
        }
        if (!snapshot.claim().equals(claim)) {
            return failure(
                    claim,
                    "the snapshot exists, but of claim \"" + snapshot.claim() + "\"",
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
                    snapshot.error(),
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
            reason = snapshot.error();
        } else if (!snapshot.started()) {
            reason = "the snapshot controller has not started on it";
        }
        return "not ready within " + text(policy.readyTimeout()) + ": " + reason;
    }

    private static String text(Duration duration) {
        return duration.toString().substring(2).toLowerCase(java.util.Locale.ROOT);
    }

    private static Optional<SnapshotFailedException> failure(
            String claim, String message, String remedy) {
        return Optional.of(new SnapshotFailedException(claim, message, remedy));
    }

    /** Takes note that a claim's snapshot failed, in creating, waiting or pruning. */
    public synchronized void failed(String claim) {
        Progress state = progress.get(claim);
        if (state != null) {
            state.failed = true;
        }
    }

    /** Claims that are neither ready nor failed. */
    public synchronized List<String> pending() {
        return select(Progress::isOpen);
    }

    /** Claims whose snapshot of this run was seen ready. */
    public synchronized List<String> ready() {
        return select(state -> state.ready);
    }

    /** Claims for which anything failed. */
    public synchronized List<String> failed() {
        return select(state -> state.failed);
    }

    private List<String> select(Predicate<Progress> which) {
        return progress.entrySet().stream()
                .filter(entry -> which.test(entry.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The snapshots that this run may delete. A claim whose new snapshot is not ready has none. */
    public List<Snapshot> stale(List<Snapshot> listed) {
        Instant now = clock.instant();
        Map<String, List<Snapshot>> byClaim =
                listed.stream().collect(Collectors.groupingBy(Snapshot::claim));
        return ready().stream()
                .flatMap(
                        claim ->
                                Retention.stale(
                                        byClaim.getOrDefault(claim, List.of()),
                                        Retention.takenBy(schedule, claim),
                                        policy.keep(),
                                        policy.timeZone(),
                                        now)
                                        .stream())
                .filter(snapshot -> !snapshot.name().equals(snapshotOf(snapshot.claim())))
                .toList();
    }
}
