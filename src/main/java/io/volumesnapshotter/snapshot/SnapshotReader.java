package io.volumesnapshotter.snapshot;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.volumesnapshotter.settings.OneLine;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Reads VolumeSnapshots as the API server returns them. */
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
        Map<String, String> annotations =
                Objects.requireNonNullElse(metadata.getAnnotations(), Map.of());
        return new Snapshot(
                metadata.getName(),
                metadata.getUid(),
                metadata.getResourceVersion(),
                new Claim(
                        metadata.getNamespace(),
                        Objects.toString(
                                map(spec.get("source")).get("persistentVolumeClaimName"), "")),
                SnapshotLabels.own(Objects.requireNonNullElse(metadata.getLabels(), Map.of())),
                time(metadata.getCreationTimestamp()),
                status.get("creationTime") instanceof String cut ? time(cut) : null,
                status.get("restoreSize") != null,
                spec.get("volumeSnapshotClassName") instanceof String name ? name.intern() : null,
                status.get("boundVolumeSnapshotContentName") != null,
                Boolean.TRUE.equals(status.get("readyToUse")),
                metadata.getDeletionTimestamp() == null
                        ? null
                        : time(metadata.getDeletionTimestamp()),
                isHeld(annotations),
                error.isEmpty()
                        ? null
                        : OneLine.of(Objects.toString(error.get("message"), "no message")),
                annotations.get(Snapshot.CLAIM_UID));
    }

    private static boolean isHeld(Map<String, String> annotations) {
        return annotations.containsKey(Snapshot.HOLD)
                && !"false".equals(annotations.get(Snapshot.HOLD));
    }

    private static Map<?, ?> map(Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    private static Instant time(String text) {
        return OffsetDateTime.parse(text).toInstant();
    }
}
