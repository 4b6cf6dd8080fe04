package io.volumesnapshotter.schedule;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.schedule.ClaimSearch.Candidate;
import io.volumesnapshotter.snapshot.Claim;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Finds the claims of a schedule for somebody who wants to know why one is not taken. Unlike a run
 * it looks also at claims that are named, as far as it may.
 */
public final class ClaimFinder {

    /** So many claims that are named are read one by one rather than listed. */
    private static final int FEW = 5;

    private final Claims claims;

    public ClaimFinder(Claims claims) {
        this.claims = claims;
    }

    /**
     * All claims that a schedule names or selects, and those that it does not take though their
     * names and labels are meant, with the reason.
     *
     * @throws KubernetesClientException when they cannot be listed
     */
    public ClaimSearch search(Schedule schedule) {
        ClaimSelection selection = schedule.policy().selection();
        if (selection.isByName()) {
            return searchNamed(
                    claims.named(schedule), selection.singleNamespace(claims.ownNamespace()));
        }
        return new ClaimSearch(
                claims.meant(
                        selection,
                        found ->
                                new Candidate(
                                        found.name(),
                                        Optional.of(found),
                                        claims.whyNot(selection, found).or(found::reasonToSkip))),
                List.of(),
                Optional.empty());
    }

    private ClaimSearch searchNamed(List<Claim> named, Optional<String> namespace) {
        boolean isFew = named.size() <= FEW;
        try {
            return isFew ? getNamed(named) : listNamed(named, namespace);
        } catch (KubernetesClientException first) {
            throwUnlessMissingRight(first);
            try {
                return isFew ? listNamed(named, namespace) : getNamed(named);
            } catch (KubernetesClientException second) {
                throwUnlessMissingRight(second);
                return new ClaimSearch(
                        named.stream()
                                .map(
                                        claim ->
                                                new Candidate(
                                                        claim, Optional.empty(), Optional.empty()))
                                .toList(),
                        List.of(),
                        Optional.of(second));
            }
        }
    }

    private static void throwUnlessMissingRight(KubernetesClientException refusal) {
        if (!ApiErrors.isMissingRight(refusal)) {
            throw refusal;
        }
    }

    private ClaimSearch listNamed(List<Claim> named, Optional<String> namespace) {
        Set<Claim> wanted = Set.copyOf(named);
        Set<String> names = new HashSet<>();
        Map<Claim, FoundClaim> there = new HashMap<>();
        claims.all(
                namespace,
                claim -> {
                    names.add(claim.name().name());
                    if (wanted.contains(claim.name())) {
                        there.put(claim.name(), claim);
                    }
                    return Optional.empty();
                });
        return of(named, claim -> Optional.ofNullable(there.get(claim)), List.copyOf(names));
    }

    private ClaimSearch getNamed(List<Claim> named) {
        return of(named, claims::get, List.of());
    }

    private static ClaimSearch of(
            List<Claim> named, Function<Claim, Optional<FoundClaim>> seen, List<String> names) {
        return new ClaimSearch(
                named.stream().map(claim -> Candidate.of(claim, seen.apply(claim))).toList(),
                names,
                Optional.empty());
    }

    /**
     * What to take of a claim that was found.
     *
     * @throws KubernetesClientException when its class depends on its volume, and that cannot be
     *     read
     */
    public Target target(Schedule schedule, Candidate candidate) {
        return new Target(
                candidate.claim(),
                candidate.seen().isPresent()
                        ? claims.classOf(candidate.seen().get(), schedule.policy())
                        : schedule.policy().snapshotClassName(),
                candidate.seen().map(FoundClaim::uid),
                candidate.seen().map(FoundClaim::recorded));
    }

    /**
     * The names of all claims of a namespace.
     *
     * @throws KubernetesClientException when they cannot be listed
     */
    public List<String> names(String namespace) {
        return claims.all(Optional.of(namespace), claim -> Optional.of(claim.name().name()));
    }
}
