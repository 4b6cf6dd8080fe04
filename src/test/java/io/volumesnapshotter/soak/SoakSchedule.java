package io.volumesnapshotter.soak;

import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.Retention;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A schedule of the {@link Soak}, and what must stay of its snapshots, said once more and in
 * another way than the program says it: of one snapshot, by counting those that are newer.
 *
 * @param installation whose it is
 * @param claims what its runs take snapshots of; none when it only prunes
 * @param cron in Quartz's form
 * @param hourly of how many hours the newest stays, 0 for no such rule
 * @param makesRoom whether the quota is full as a rule, so that one goes before the new one is
 *     there
 * @param settings the policy as the route has it
 */
record SoakSchedule(
        String installation,
        String name,
        String namespace,
        List<String> claims,
        String cron,
        int last,
        int hourly,
        boolean makesRoom,
        List<String> settings) {

    /** Label of snapshots that another tool took. */
    static final Map<String, String> FOREIGN = Map.of("tool", "other");

    private static final Comparator<SimulatedSnapshot> BY_STORAGE =
            Comparator.comparing(SoakSchedule::takenAt)
                    .thenComparing(SimulatedSnapshot::createdAt)
                    .thenComparing(SimulatedSnapshot::name);
    private static final Comparator<SimulatedSnapshot> BY_SERVER =
            Comparator.comparing(SimulatedSnapshot::createdAt).thenComparing(BY_STORAGE);

    boolean onlyPrunes() {
        return claims.isEmpty();
    }

    /** This schedule as it is while there is room. */
    SoakSchedule withoutMakingRoom() {
        return new SoakSchedule(
                installation, name, namespace, claims, cron, last, hourly, false, settings);
    }

    boolean owns(SimulatedSnapshot snapshot) {
        return snapshot.namespace().equals(namespace)
                && (onlyPrunes()
                        ? snapshot.labels().entrySet().containsAll(FOREIGN.entrySet())
                        : name.equals(snapshot.labels().get(SnapshotLabels.SCHEDULE))
                                && installation.equals(
                                        snapshot.labels().get(SnapshotLabels.INSTALLATION)));
    }

    static boolean isGood(SimulatedSnapshot snapshot) {
        return snapshot.ready() && !snapshot.terminating();
    }

    private static Instant takenAt(SimulatedSnapshot snapshot) {
        return snapshot.creationTime() == null ? snapshot.createdAt() : snapshot.creationTime();
    }

    /**
     * Why a snapshot must not be deleted now, or null when it may be.
     *
     * @param others all others of the schedule and the claim
     */
    String whyKept(SimulatedSnapshot snapshot, List<SimulatedSnapshot> others) {
        List<SimulatedSnapshot> good = others.stream().filter(SoakSchedule::isGood).toList();
        if (newer(BY_STORAGE, snapshot, good).isEmpty()) {
            return "no newer one of the claim is ready";
        }
        if (newer(BY_SERVER, snapshot, good).isEmpty()) {
            return "no newer one of the claim is ready, by the API server's clock";
        }
        return snapshot.ready() ? whyKeptByRule(snapshot, good) : whyLeftover(snapshot, others);
    }

    private String whyKeptByRule(SimulatedSnapshot snapshot, List<SimulatedSnapshot> good) {
        List<SimulatedSnapshot> newer = newer(BY_STORAGE, snapshot, good);
        int keep = makesRoom ? last - 1 : last;
        if (newer.size() < keep) {
            return "of the newer ones " + newer.size() + " are ready, and keep-last is " + last;
        }
        if (hourly == 0) {
            return null;
        }
        List<Instant> hours = newer.stream().map(SoakSchedule::hour).distinct().toList();
        boolean isOldest = newer.size() == good.size();
        return hours.size() < hourly && (isOldest || !hours.contains(hour(snapshot)))
                ? "the newer ones are of " + hours.size() + " hours, and keep-hourly is " + hourly
                : null;
    }

    private static String whyLeftover(SimulatedSnapshot snapshot, List<SimulatedSnapshot> others) {
        if (Duration.between(snapshot.createdAt(), Instant.now()).compareTo(Retention.LEFTOVER_AGE)
                < 0) {
            return "it is not ready and too young";
        }
        Predicate<SimulatedSnapshot> failed = other -> !other.ready() && !other.terminating();
        return newer(BY_STORAGE, snapshot, others).stream().noneMatch(failed)
                ? "it is not ready, and keep-failed is 1"
                : null;
    }

    private static Instant hour(SimulatedSnapshot snapshot) {
        return takenAt(snapshot).truncatedTo(ChronoUnit.HOURS);
    }

    private static List<SimulatedSnapshot> newer(
            Comparator<SimulatedSnapshot> order,
            SimulatedSnapshot than,
            List<SimulatedSnapshot> among) {
        return among.stream().filter(other -> order.compare(other, than) > 0).toList();
    }
}
