package io.volumesnapshotter.schedule;

import io.volumesnapshotter.snapshot.Claim;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What the cluster showed of claims, as far as it bears on deleting their snapshots.
 *
 * @param present the claims that are there, by name; empty where they may not be listed
 * @param restoring claims that wait to be filled from a snapshot, by {@code namespace/snapshot}
 */
public record ClaimFacts(Map<Claim, Present> present, Map<String, String> restoring) {

    /** What there is to know where claims may not be listed. */
    public static final ClaimFacts UNKNOWN = new ClaimFacts(Map.of(), Map.of());

    /**
     * A claim that is there.
     *
     * @param uid its uid
     * @param createdAt its {@code metadata.creationTimestamp}, in whole seconds
     */
    public record Present(String uid, Instant createdAt) {}

    /** The claim of that name that is there now, if that is known. */
    public Optional<Present> of(Claim claim) {
        return Optional.ofNullable(present.get(claim));
    }

    /** The claim that waits to be filled from a snapshot. */
    public Optional<String> restoringFrom(String namespace, String snapshot) {
        return Optional.ofNullable(restoring.get(namespace + "/" + snapshot));
    }
}
