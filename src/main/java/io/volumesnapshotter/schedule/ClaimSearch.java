package io.volumesnapshotter.schedule;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.snapshot.Claim;
import java.util.List;
import java.util.Optional;

/**
 * What a look for the claims of a schedule found.
 *
 * @param candidates the claims
 * @param names the names of all claims that are there, as far as they were listed
 * @param refusal why the claims were not looked at, where the right is missing; what is not looked
 *     at may be missing, or not bound
 */
public record ClaimSearch(
        List<Candidate> candidates,
        List<String> names,
        Optional<KubernetesClientException> refusal) {

    /**
     * A claim that a schedule means.
     *
     * @param seen the claim as it is there; empty where it was not looked at, and for one that is
     *     not there
     * @param reasonToSkip why no snapshot is taken of it, if so
     */
    public record Candidate(Claim claim, Optional<FoundClaim> seen, Optional<String> reasonToSkip) {

        /** One that was looked for. */
        static Candidate of(Claim claim, Optional<FoundClaim> seen) {
            return new Candidate(
                    claim,
                    seen,
                    seen.isPresent()
                            ? seen.get().reasonToSkip()
                            : Optional.of("there is no such claim"));
        }
    }
}
