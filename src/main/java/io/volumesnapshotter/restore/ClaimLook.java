package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one look at a claim showed.
 *
 * @param object the claim as the API server has it
 */
public record ClaimLook(PersistentVolumeClaim object) {

    public static Optional<ClaimLook> at(KubernetesClient client, Claim claim) {
        return Optional.ofNullable(
                        client.persistentVolumeClaims()
                                .inNamespace(claim.namespace())
                                .withName(claim.name())
                                .get())
                .map(ClaimLook::new);
    }

    Claim claim() {
        return new Claim(object.getMetadata().getNamespace(), object.getMetadata().getName());
    }

    public String uid() {
        return object.getMetadata().getUid();
    }

    String resourceVersion() {
        return object.getMetadata().getResourceVersion();
    }

    boolean isTerminating() {
        return object.getMetadata().getDeletionTimestamp() != null;
    }

    String phase() {
        return Optional.ofNullable(object.getStatus())
                .map(status -> status.getPhase())
                .orElse("Pending");
    }

    public boolean isBound() {
        return phase().equals("Bound");
    }

    /** The volume that it has, or is to have. */
    Optional<String> volume() {
        return Optional.ofNullable(object.getSpec().getVolumeName());
    }

    /** The snapshot that it was or is to be filled from. */
    Optional<String> source() {
        return Optional.ofNullable(object.getSpec().getDataSource())
                .filter(source -> "VolumeSnapshot".equals(source.getKind()))
                .map(source -> source.getName());
    }

    String annotation(String key) {
        Map<String, String> annotations = object.getMetadata().getAnnotations();
        return annotations == null ? "" : annotations.getOrDefault(key, "");
    }

    /** Whether a pod of it was seen by the scheduler, so that its volume is being made. */
    boolean hasNode() {
        return !annotation("volume.kubernetes.io/selected-node").isEmpty();
    }

    /** What snapshots record of this claim. */
    RecordedClaim recorded() {
        PersistentVolumeClaimSpec spec = object.getSpec();
        return new RecordedClaim(
                Optional.ofNullable(spec.getStorageClassName()),
                Optional.ofNullable(spec.getAccessModes()).orElse(List.of()),
                Optional.ofNullable(spec.getVolumeMode()),
                Optional.ofNullable(spec.getResources())
                        .flatMap(resources -> storage(resources.getRequests())),
                Optional.ofNullable(object.getStatus())
                        .flatMap(status -> storage(status.getCapacity())));
    }

    private static Optional<String> storage(Map<String, Quantity> quantities) {
        return Optional.ofNullable(quantities)
                .map(all -> all.get("storage"))
                .map(Quantity::toString);
    }
}
