package io.volumesnapshotter;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Decides which snapshots of a schedule are stale.
 *
 * <p>Only snapshots of one schedule and one claim compete with each other. Ready ones that are not
 * being deleted count; the newest {@code keep-last} of them stay. Nothing is stale unless a newer
 * ready snapshot of the same claim exists, and what is dated in the future is never stale (as in
 * restic's {@code forget}).
 */
public final class Retention {

    /**
     * How old a snapshot that never became ready has to be before it is removed: controllers before
     * external-snapshotter 8.6 lose a deletion while the driver is still cutting.
     */
    static final Duration LEFTOVER_AGE = Duration.ofMinutes(10);

    /** How far a snapshot may be dated ahead of this machine's clock and still count as kept. */
    static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(5);

    private static final Comparator<Snapshot> OLDEST_FIRST =
            Comparator.comparing(Snapshot::takenAt)
                    .thenComparing(Snapshot::createdAt)
                    .thenComparing(Snapshot::name);

    private Retention() {}

    /**
     * The snapshots that can be deleted, oldest first.
     *
     * @param snapshots all that were listed, in any order; those of other claims, schedules or
     *     tools are left alone
     * @param schedule name of the schedule that prunes
     * @param claim the claim
     * @param keepLast how many ready snapshots stay, at least 1
     * @param now the present, by this machine's clock
     */
    public static List<Snapshot> stale(
            List<Snapshot> snapshots, String schedule, Claim claim, int keepLast, Instant now) {
        if (keepLast < 1) {
            throw new IllegalArgumentException("keepLast " + keepLast);
        }
        List<Snapshot> own =
                snapshots.stream()
                        .filter(s -> isOwn(s, schedule, claim) && !s.terminating())
                        .sorted(OLDEST_FIRST)
                        .toList();
        // A clock that is a little ahead is no reason to leave the newest one out of the count.
        List<Snapshot> counted =
                own.stream()
                        .filter(Snapshot::isGood)
                        .filter(s -> !isAfter(s, now.plus(CLOCK_TOLERANCE)))
                        .toList();
        if (counted.isEmpty()) {
            return List.of();
        }
        Set<Snapshot> kept =
                new HashSet<>(
                        counted.subList(Math.max(0, counted.size() - keepLast), counted.size()));
        // Storage's clock and the API server's may differ: the newest by either stays.
        kept.add(
                Collections.max(
                        counted,
                        Comparator.comparing(Snapshot::createdAt).thenComparing(OLDEST_FIRST)));
        Instant newest = counted.get(counted.size() - 1).createdAt();
        return own.stream()
                .filter(s -> !kept.contains(s) && !isAfter(s, now))
                .filter(s -> s.ready() || isLeftover(s, newest, now))
                .toList();
    }

    private static boolean isAfter(Snapshot snapshot, Instant instant) {
        return snapshot.takenAt().isAfter(instant) || snapshot.createdAt().isAfter(instant);
    }

    private static boolean isLeftover(Snapshot snapshot, Instant newest, Instant now) {
        return snapshot.createdAt().isBefore(newest)
                && snapshot.createdAt().isBefore(now.minus(LEFTOVER_AGE));
    }

    private static boolean isOwn(Snapshot snapshot, String schedule, Claim claim) {
        return snapshot.claim().equals(claim)
                && snapshot.labels()
                        .entrySet()
                        .containsAll(SnapshotLabels.ofSchedule(schedule).entrySet());
    }
}
