package io.volumesnapshotter.restore;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a restore in place has to know until it is over, or undone. It stands on the original
 * volume, as an annotation that is written by the very request that keeps the volume; so whoever
 * goes on finds it, whatever was deleted meanwhile.
 *
 * @param namespace the claim's
 * @param name the claim's
 * @param claimUid the uid of the claim that had the original volume
 * @param snapshot what is restored
 * @param cutTime when its data was cut
 * @param before the snapshot that was taken of what was there
 * @param temporary the claim, and the pod, that the restored volume is made by
 * @param policy the reclaim policy of the original volume
 * @param waitsForPod whether the class makes a volume only for a pod
 * @param image the image of that pod
 * @param manifest what creates the temporary claim
 * @param claim the claim as it was
 */
record Journal(
        String namespace,
        String name,
        String claimUid,
        String snapshot,
        String cutTime,
        String before,
        String temporary,
        String policy,
        boolean waitsForPod,
        String image,
        Map<String, Object> manifest,
        PersistentVolumeClaim claim) {

    /** Label of both volumes: which claim they are swapped under. */
    static final String LABEL = "volume-snapshotter/in-place";

    /** Label of both volumes: which of the two it is. */
    static final String ROLE = "volume-snapshotter/in-place-role";

    static final String ORIGINAL = "original";
    static final String RESTORED = "restored";

    /** Annotation of the original volume with all of this. */
    static final String ANNOTATION = "volume-snapshotter/in-place";

    /** Annotation of the original volume, once the restored one has taken its place. */
    static final String DONE = "volume-snapshotter/in-place-done";

    /** Annotation of the restored volume with the reclaim policy that it was made with. */
    static final String POLICY = "volume-snapshotter/in-place-policy";

    private static final ObjectMapper JSON = new ObjectMapper();

    /** The value of {@link #LABEL} for a claim. */
    static String label(Claim claim) {
        return ObjectNames.hash(claim.toString());
    }

    Claim target() {
        return new Claim(namespace, name);
    }

    Claim temporaryClaim() {
        return new Claim(namespace, temporary);
    }

    /** Reads it from the original volume. */
    static Optional<Journal> of(VolumeLook original) {
        String text = original.annotation(ANNOTATION);
        try {
            return text.isEmpty()
                    ? Optional.empty()
                    : Optional.of(JSON.readValue(text, Journal.class));
        } catch (JsonProcessingException e) {
            throw new RefusedException(
                    "what is written on volume %s about a restore cannot be read"
                            .formatted(original.name()),
                    "put its annotation %s back as it was, or take it off when no restore is under"
                                    .formatted(ANNOTATION)
                            + " way");
        }
    }

    String text() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What makes the claim again, with another volume. */
    Change recreate(VolumeLook volume) {
        Map<String, String> annotations =
                new HashMap<>(
                        Optional.ofNullable(claim.getMetadata().getAnnotations()).orElse(Map.of()));
        annotations
                .keySet()
                .removeIf(
                        key ->
                                key.startsWith("pv.kubernetes.io/")
                                        || key.startsWith("volume.kubernetes.io/")
                                        || key.startsWith("volume.beta.kubernetes.io/"));
        PersistentVolumeClaim made =
                new PersistentVolumeClaimBuilder()
                        .withApiVersion("v1")
                        .withKind("PersistentVolumeClaim")
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(namespace)
                        .withLabels(claim.getMetadata().getLabels())
                        .withAnnotations(annotations)
                        .withOwnerReferences(claim.getMetadata().getOwnerReferences())
                        .endMetadata()
                        .withSpec(claim.getSpec())
                        .editSpec()
                        .withVolumeName(volume.name())
                        .endSpec()
                        .build();
        return new Change("create", CoreApi.CLAIMS, Optional.of(namespace), name, made);
    }
}
