package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.util.LinkedHashMap;
import java.util.Map;

/** The VolumeSnapshot that a run creates, as Kubernetes reads it. */
final class SnapshotManifest {

    private SnapshotManifest() {}

    /**
     * The object.
     *
     * @param name its name
     * @param schedule name of the schedule
     * @param run name of the run
     * @param installation identity of this installation
     */
    static Map<String, Object> of(
            Target target,
            String name,
            Policy policy,
            String schedule,
            String run,
            String installation) {
        Map<String, String> labels = new LinkedHashMap<>(policy.labels());
        labels.putAll(SnapshotLabels.of(name, schedule, run, installation));
        Map<String, String> annotations = new LinkedHashMap<>(policy.annotations());
        target.recorded().ifPresent(recorded -> annotations.putAll(recorded.annotations()));
        policy.quiesce().ifPresent(how -> annotations.put(Snapshot.QUIESCE, how.kind()));
        target.claimUid().ifPresent(uid -> annotations.put(Snapshot.CLAIM_UID, uid));

        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("name", name);
        metadata.put("namespace", target.claim().namespace());
        metadata.put("labels", labels);
        if (!annotations.isEmpty()) {
            metadata.put("annotations", annotations);
        }
        Map<String, Object> spec = new LinkedHashMap<>();
        target.snapshotClassName().ifPresent(any -> spec.put("volumeSnapshotClassName", any));
        spec.put("source", Map.of("persistentVolumeClaimName", target.claim().name()));

        Map<String, Object> manifest = new LinkedHashMap<>();
        manifest.put("apiVersion", "snapshot.storage.k8s.io/v1");
        manifest.put("kind", "VolumeSnapshot");
        manifest.put("metadata", metadata);
        manifest.put("spec", spec);
        return manifest;
    }
}
