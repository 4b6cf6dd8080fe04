package io.volumesnapshotter.drill;

import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whose turn it is: those of the claims whose last drill is longest ago, as many as it takes that
 * each has one in the time that the schedule says. Those whose last drill failed come besides, so
 * that it is soon seen when they are well again; and as the last drill counts, and not the last
 * that passed, they take nobody's turn.
 *
 * @param policy says in what time, and how many at most
 * @param interval how far apart runs are; empty when nobody knows
 * @param claims all claims of the schedule
 * @param proofs what is known of their drills
 */
record Rotation(
        DrillPolicy policy,
        Optional<Duration> interval,
        Collection<Claim> claims,
        Map<Claim, Proof> proofs) {

    /**
     * How many claims have to be drilled in each run. It reckons with one run less than there are
     * in that time, as drills of one run take longer than those of another.
     */
    int share() {
        if (interval.isEmpty()) {
            return policy.most();
        }
        double runs = (double) policy.within().toMillis() / interval.get().toMillis();
        return (int) Math.max(1, Math.ceil(claims.size() / Math.max(1, Math.ceil(runs) - 1)));
    }

    /** Whether a run may drill as many as it has to. */
    boolean fits() {
        return share() <= policy.most();
    }

    /**
     * Those whose turn it is.
     *
     * @param due when the run was due: whoever had a drill since then has had the turn
     */
    List<Claim> next(Instant due) {
        List<Claim> waiting =
                claims.stream()
                        .filter(claim -> !triedAt(claim).isAfter(due))
                        .sorted(
                                Comparator.comparing(this::triedAt)
                                        .thenComparing(Claim::namespace)
                                        .thenComparing(Claim::name))
                        .toList();
        int had = claims.size() - waiting.size();
        int left = Math.max(0, Math.min(share(), policy.most()) - had);
        List<Claim> next = new ArrayList<>(waiting.subList(0, Math.min(left, waiting.size())));
        waiting.stream()
                .filter(claim -> proofs.containsKey(claim))
                .filter(claim -> !proofs.get(claim).failed().isEmpty())
                .filter(claim -> !next.contains(claim))
                .limit(Math.max(0, policy.most() - had - next.size()))
                .forEach(next::add);
        return next;
    }

    private Instant triedAt(Claim claim) {
        Proof proof = proofs.get(claim);
        return proof == null ? Instant.EPOCH : proof.triedAt();
    }
}
