package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.HeldBySchedule;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells once what is odd about snapshots that are there: dates that cannot be true, and deletions
 * that do not end. Safe for use by several threads.
 */
public final class SnapshotWarnings implements HeldBySchedule {

    /** How long storage may take to let go of a snapshot before that is told. */
    static final Duration SLOW_DELETION = Duration.ofMinutes(10);

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotWarnings.class);

    private final InstantSource clock;
    private final Set<String> implausible = ConcurrentHashMap.newKeySet();
    private final Map<String, Set<String>> undeleted = new ConcurrentHashMap<>();

    public SnapshotWarnings(InstantSource clock) {
        this.clock = clock;
    }

    /** Tells what is new of the snapshots that a run's schedule took. */
    void tell(Run run, ClusterFacts facts) {
        for (Snapshot snapshot : run.pruning().inScope(facts.all())) {
            if (snapshot.cutAt() != null && !snapshot.isCutTimePlausible()) {
                tellImplausible(snapshot);
            }
        }
        Instant latest = clock.instant().minus(SLOW_DELETION);
        Map<String, Snapshot> now =
                run.pruning().inScope(facts.all()).stream()
                        .filter(Snapshot::terminating)
                        .filter(snapshot -> snapshot.deletedAt().isBefore(latest))
                        .collect(
                                Collectors.toMap(
                                        s -> s.claim().namespace() + "/" + s.name(), s -> s));
        Set<String> before = undeleted.put(run.schedule(), now.keySet());
        now.forEach(
                (name, snapshot) -> {
                    if (before == null || !before.contains(name)) {
                        tellUndeleted(run, snapshot, facts);
                    }
                });
    }

    private void tellImplausible(Snapshot snapshot) {
        String snapshotClass = Objects.requireNonNullElse(snapshot.snapshotClass(), "none");
        if (implausible.add(snapshotClass)) {
            LOG.warn(
                    "snapshot class {}: its driver says that {} was cut at {}, which does not fit"
                            + " its creation at {}: such snapshots go by the API server's time",
                    snapshotClass,
                    snapshot.name(),
                    snapshot.cutAt(),
                    snapshot.createdAt());
        }
    }

    private static void tellUndeleted(Run run, Snapshot snapshot, ClusterFacts facts) {
        Claim claim = snapshot.claim();
        Optional<String> restored =
                facts.claims().restoringFrom(claim.namespace(), snapshot.name());
        String why =
                restored.map(
                                any ->
                                        any
                                                + " is being restored from it; neither can end: delete"
                                                + " that claim, or let a pod use it")
                        .orElse(
                                "storage has not let go, or a claim is being restored from it; look"
                                        + " at its finalizers and at the driver's log");
        LogKeys.with(
                claim,
                () ->
                        LOG.warn(
                                "{} {}: deletion of {} was asked for at {} and has not ended: {}",
                                run.name(),
                                claim,
                                snapshot.name(),
                                snapshot.deletedAt().truncatedTo(ChronoUnit.SECONDS),
                                why));
    }

    @Override
    public void retain(Predicate<String> isThere) {
        undeleted.keySet().removeIf(isThere.negate());
    }
}
