package io.volumesnapshotter.snapshot;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Reads VolumeSnapshots as the Kubernetes producers return them. */
public final class SnapshotReader {

    private SnapshotReader() {}

    public static List<Snapshot> read(List<GenericKubernetesResource> resources) {
        return resources.stream().map(SnapshotReader::read).toList();
    }

    private static Snapshot read(GenericKubernetesResource resource) {
        ObjectMeta metadata = resource.getMetadata();
        Map<?, ?> status = map(resource.getAdditionalProperties().get("status"));
        Map<?, ?> spec = map(resource.getAdditionalProperties().get("spec"));
        Map<?, ?> error = map(status.get("error"));
        Instant createdAt = time(metadata.getCreationTimestamp());
        return new Snapshot(
                metadata.getName(),
                new Claim(
                        metadata.getNamespace(),
                        Objects.toString(
                                map(spec.get("source")).get("persistentVolumeClaimName"), "")),
                metadata.getLabels() == null ? Map.of() : metadata.getLabels(),
                createdAt,
                status.get("creationTime") instanceof String taken ? time(taken) : createdAt,
                status.get("boundVolumeSnapshotContentName") != null,
                Boolean.TRUE.equals(status.get("readyToUse")),
                metadata.getDeletionTimestamp() == null
                        ? null
                        : time(metadata.getDeletionTimestamp()),
                isHeld(metadata),
                error.isEmpty() ? null : Objects.toString(error.get("message"), "no message"),
                metadata.getAnnotations() == null
                        ? null
                        : metadata.getAnnotations().get(Snapshot.CLAIM_UID));
    }

    private static boolean isHeld(ObjectMeta metadata) {
        Map<String, String> annotations = metadata.getAnnotations();
        return annotations != null
                && annotations.containsKey(Snapshot.HOLD)
                && !"false".equals(annotations.get(Snapshot.HOLD));
    }

    private static Map<?, ?> map(Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    private static Instant time(String text) {
        return OffsetDateTime.parse(text).toInstant();
    }
}
