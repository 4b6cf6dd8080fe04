package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.snapshot.Claim;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What one look at a volume showed, and the changes of it that a swap takes.
 *
 * @param object the volume as the API server has it
 */
record VolumeLook(PersistentVolume object) {

    static final String RETAIN = "Retain";

    static Optional<VolumeLook> at(KubernetesClient client, String name) {
        return Optional.ofNullable(client.persistentVolumes().withName(name).get())
                .map(VolumeLook::new);
    }

    String name() {
        return object.getMetadata().getName();
    }

    String policy() {
        return object.getSpec().getPersistentVolumeReclaimPolicy();
    }

    boolean isRetained() {
        return RETAIN.equals(policy());
    }

    String label(String key) {
        Map<String, String> labels = object.getMetadata().getLabels();
        return labels == null ? "" : labels.getOrDefault(key, "");
    }

    String annotation(String key) {
        Map<String, String> annotations = object.getMetadata().getAnnotations();
        return annotations == null ? "" : annotations.getOrDefault(key, "");
    }

    private Optional<ObjectReference> claimRef() {
        return Optional.ofNullable(object.getSpec().getClaimRef());
    }

    /** Whether it is kept for the claim of this name, whichever that will be. */
    boolean isReservedFor(Claim claim) {
        return claimRef()
                .filter(ref -> ref.getUid() == null || ref.getUid().isEmpty())
                .filter(ref -> claim.namespace().equals(ref.getNamespace()))
                .filter(ref -> claim.name().equals(ref.getName()))
                .isPresent();
    }

    /** Whether it is a claim's. */
    boolean belongsTo(ClaimLook claim) {
        return claimRef().filter(ref -> claim.uid().equals(ref.getUid())).isPresent();
    }

    /** Keeps it, whatever becomes of its claim. */
    Change retain(Map<String, String> labels, Map<String, String> annotations) {
        return patch(labels, annotations, Map.of("persistentVolumeReclaimPolicy", RETAIN));
    }

    /** Gives it back the reclaim policy that it had. */
    Change withPolicy(String policy, Map<String, String> labels, Map<String, String> annotations) {
        return patch(labels, annotations, Map.of("persistentVolumeReclaimPolicy", policy));
    }

    /** Changes what is written on it. A value that is null goes. */
    Change mark(Map<String, String> labels, Map<String, String> annotations) {
        return patch(labels, annotations, Map.of());
    }

    /**
     * Hands it over to the claim of this name that is to come. Without a uid it is kept for that
     * claim; a claimRef that is cleared lets any waiting claim of the class take it.
     */
    Change reserveFor(Claim claim) {
        Map<String, Object> ref = new LinkedHashMap<>();
        ref.put("apiVersion", "v1");
        ref.put("kind", "PersistentVolumeClaim");
        ref.put("namespace", claim.namespace());
        ref.put("name", claim.name());
        ref.put("uid", null);
        ref.put("resourceVersion", null);
        return patch(Map.of(), Map.of(), Map.of("claimRef", ref));
    }

    private Change patch(
            Map<String, String> labels, Map<String, String> annotations, Map<String, Object> spec) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("resourceVersion", object.getMetadata().getResourceVersion());
        metadata.put("labels", labels);
        metadata.put("annotations", annotations);
        return Change.patch(
                CoreApi.VOLUMES,
                Optional.empty(),
                name(),
                Map.of("metadata", metadata, "spec", spec));
    }
}
