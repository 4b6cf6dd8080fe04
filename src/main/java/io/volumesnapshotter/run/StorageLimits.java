package io.volumesnapshotter.run;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.run.ClaimProgress.Phase;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many snapshots of one storage class are taken, and how many deleted, at a time over all
 * schedules: some storage fills up or slows down when it is asked for many at once. A claim of
 * which no storage class is known counts by its snapshot class. Safe for use by several threads.
 */
public final class StorageLimits {

    /** How long to wait before it is asked again whether there is room, in milliseconds. */
    static final long PAUSE = 1000;

    /** How long a deletion may be on its way to the API server. */
    private static final Duration UNTIL_SEEN = Duration.ofSeconds(5);

    /** A creation that a quota refused is asked for anew later, and has no room until then. */
    private static final Set<Phase> AT_WORK = Set.of(Phase.WAITING, Phase.REQUESTED);

    private static final Logger LOG = LoggerFactory.getLogger(StorageLimits.class);

    private final OptionalInt creations;
    private final OptionalInt deletions;
    private final ClusterReader reader;
    private final Map<String, Set<Work>> taken = new LinkedHashMap<>();
    private final Map<String, Map<String, Going>> deleting = new LinkedHashMap<>();

    /**
     * @param creations how many may be under way of a class, from the request until the snapshot is
     *     ready or has failed; empty for any number
     * @param deletions how many may be going on of a class until the snapshots are gone; empty for
     *     any number
     * @param reader looks whether they are
     */
    public StorageLimits(OptionalInt creations, OptionalInt deletions, ClusterReader reader) {
        this.creations = creations;
        this.deletions = deletions;
        this.reader = reader;
    }

    /** A snapshot that is being deleted, and when that was allowed. */
    private record Going(Snapshot snapshot, long since) {}

    /** A claim of which a run takes a snapshot. */
    private record Work(Run run, Claim claim) {

        boolean isGoingOn() {
            return run.isOpen()
                    && run.progress()
                            .ask(claim, progress -> AT_WORK.contains(progress.phase()), false);
        }
    }

    /** Lets a run take a snapshot of a claim, if there is room for it; it has it from then on. */
    boolean takeCreation(Run run, Claim claim) {
        if (creations.isEmpty()) {
            return true;
        }
        synchronized (taken) {
            Set<Work> works =
                    taken.computeIfAbsent(keyOf(run, claim, null), key -> new LinkedHashSet<>());
            works.removeIf(work -> !work.isGoingOn());
            Work work = new Work(run, claim);
            return works.contains(work) || works.size() < creations.getAsInt() && works.add(work);
        }
    }

    /**
     * Waits until there is room for a deletion; it has it from then on.
     *
     * @param isStopped whether nothing may be deleted any more
     * @return false if there was none in the time that the run has
     */
    boolean awaitDeletion(Run run, Snapshot snapshot, BooleanSupplier isStopped)
            throws InterruptedException {
        if (deletions.isEmpty()) {
            return true;
        }
        String key = keyOf(run, snapshot.claim(), snapshot.snapshotClass());
        while (!takeDeletion(key, snapshot)) {
            if (isStopped.getAsBoolean() || !run.hasTime()) {
                if (run.markTold("deletions " + key)) {
                    LOG.info(
                            "{}: the next run goes on deleting: {} snapshots of class {} are being"
                                    + " deleted already",
                            run.name(),
                            deletions.getAsInt(),
                            key);
                }
                return false;
            }
            run.touch();
            TimeUnit.MILLISECONDS.sleep(PAUSE);
        }
        return true;
    }

    private boolean takeDeletion(String key, Snapshot snapshot) {
        synchronized (deleting) {
            Map<String, Going> going = deleting.computeIfAbsent(key, any -> new LinkedHashMap<>());
            Iterator<Going> oldest = going.values().iterator();
            while (going.size() >= deletions.getAsInt()
                    && !going.containsKey(snapshot.uid())
                    && oldest.hasNext()) {
                if (!isBeingDeleted(oldest.next())) {
                    oldest.remove();
                }
            }
            if (going.size() < deletions.getAsInt()) {
                going.put(snapshot.uid(), new Going(snapshot, System.nanoTime()));
            }
            return going.containsKey(snapshot.uid());
        }
    }

    private boolean isBeingDeleted(Going going) {
        Snapshot snapshot = going.snapshot();
        boolean isNew = System.nanoTime() - going.since() < UNTIL_SEEN.toNanos();
        try {
            return reader.get(
                            SnapshotApi.KIND,
                            Optional.of(snapshot.claim().namespace()),
                            snapshot.name(),
                            SnapshotReader.FIELDS)
                    .map(SnapshotReader::read)
                    .filter(now -> now.uid().equals(snapshot.uid()))
                    .filter(now -> isNew || now.terminating())
                    .isPresent();
        } catch (KubernetesClientException e) {
            // Without the right nobody can tell, and a limit must not end all deletions.
            return !ApiErrors.isMissingRight(e);
        }
    }

    private static String keyOf(Run run, Claim claim, String snapshotClass) {
        Optional<Target> target = Optional.ofNullable(run.targets().of(claim));
        return target.flatMap(Target::recorded)
                .flatMap(RecordedClaim::storageClass)
                .or(() -> Optional.ofNullable(snapshotClass))
                .or(() -> target.flatMap(Target::snapshotClassName))
                .orElse("");
    }
}
