package io.volumesnapshotter.restore;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Which of a claim's snapshots is meant. Time is the time at which the data was cut; only a ready
 * snapshot that stays is chosen.
 *
 * @param at the data as of this time: the last snapshot that was cut by then
 * @param offset so many before the newest; 0 is the newest
 * @param name this one
 * @param schedule only those of this schedule
 */
public record SnapshotChoice(
        Optional<Instant> at, int offset, Optional<String> name, Optional<String> schedule) {

    private static final Comparator<Restorable> NEWEST_FIRST =
            Comparator.comparing((Restorable r) -> r.snapshot().takenAt())
                    .thenComparing(Restorable::name)
                    .reversed();

    /** The newest of all. */
    public static final SnapshotChoice NEWEST =
            new SnapshotChoice(Optional.empty(), 0, Optional.empty(), Optional.empty());

    /**
     * Chooses.
     *
     * @param claim whose
     * @param listed the snapshots of its namespace
     * @throws RefusedException when there is none
     */
    public Restorable of(Claim claim, List<Restorable> listed) {
        if (name.isPresent()) {
            return named(claim, name.get(), listed);
        }
        List<Restorable> ofClaim =
                listed.stream()
                        .filter(r -> r.snapshot().claim().equals(claim))
                        .filter(r -> !r.snapshot().labels().containsKey(SnapshotLabels.TRIAL))
                        .filter(
                                r ->
                                        schedule.isEmpty()
                                                || schedule.get()
                                                        .equals(
                                                                r.snapshot()
                                                                        .labels()
                                                                        .get(
                                                                                SnapshotLabels
                                                                                        .SCHEDULE)))
                        .sorted(NEWEST_FIRST)
                        .toList();
        List<Restorable> good = ofClaim.stream().filter(r -> r.snapshot().isGood()).toList();
        if (good.isEmpty()) {
            throw noneIsGood(claim, ofClaim);
        }
        List<Restorable> before =
                good.stream()
                        .filter(r -> at.isEmpty() || !r.snapshot().takenAt().isAfter(at.get()))
                        .toList();
        if (before.isEmpty()) {
            Restorable first = good.get(good.size() - 1);
            throw new RefusedException(
                    "%s has no ready snapshot of %s or before"
                            .formatted(of(claim), at.orElseThrow()),
                    "the first is %s, cut at %s: give a time from then on"
                            .formatted(first.name(), first.snapshot().takenAt()));
        }
        if (offset >= before.size()) {
            throw new RefusedException(
                    "%s has only %d ready snapshot%s, so there is none %d before the newest"
                            .formatted(
                                    of(claim),
                                    before.size(),
                                    before.size() == 1 ? "" : "s",
                                    offset),
                    "give an offset of at most " + (before.size() - 1));
        }
        return before.get(offset);
    }

    private String of(Claim claim) {
        return claim + schedule.map(s -> " by schedule " + s).orElse("");
    }

    private RefusedException noneIsGood(Claim claim, List<Restorable> ofClaim) {
        if (ofClaim.isEmpty()) {
            return new RefusedException(
                    "there is no snapshot of " + of(claim),
                    "look at what there is with kubectl get volumesnapshots -n "
                            + claim.namespace());
        }
        Restorable newest = ofClaim.get(0);
        return new RefusedException(
                "no snapshot of %s can be restored: of %d, the newest is %s, and it %s"
                        .formatted(
                                of(claim),
                                ofClaim.size(),
                                newest.name(),
                                whyNot(newest.snapshot())),
                "wait until one is ready, or see what the driver says with kubectl describe"
                        + " volumesnapshot -n "
                        + claim.namespace()
                        + " "
                        + newest.name());
    }

    private static Restorable named(Claim claim, String name, List<Restorable> listed) {
        Restorable found =
                listed.stream()
                        .filter(r -> r.name().equals(name))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new RefusedException(
                                                "there is no snapshot %s in namespace %s"
                                                        .formatted(name, claim.namespace()),
                                                "a claim is filled only from a snapshot in its own"
                                                        + " namespace: look with kubectl get"
                                                        + " volumesnapshots -n "
                                                        + claim.namespace()));
        if (!found.snapshot().claim().equals(claim)) {
            String of = found.snapshot().claim().name();
            throw new RefusedException(
                    "snapshot %s is of %s, not of %s"
                            .formatted(
                                    name,
                                    of.isEmpty() ? "no claim that is known" : "claim " + of,
                                    claim.name()),
                    of.isEmpty() ? "name another" : "name that claim, or another snapshot");
        }
        if (!found.snapshot().isGood()) {
            throw new RefusedException(
                    "snapshot %s cannot be restored: it %s"
                            .formatted(name, whyNot(found.snapshot())),
                    "name another, or none for the newest that is ready");
        }
        return found;
    }

    /** Why a snapshot is not good, as the end of a sentence that begins with it. */
    static String whyNot(Snapshot snapshot) {
        if (snapshot.terminating()) {
            return "is being deleted";
        }
        if (snapshot.unproven()) {
            return "is not proven to be consistent; where a copy as after a power cut will do,"
                    + " annotate it with "
                    + Snapshot.CONSISTENT
                    + "=true";
        }
        return "is not ready" + (snapshot.error() == null ? "" : ": " + snapshot.error());
    }
}
