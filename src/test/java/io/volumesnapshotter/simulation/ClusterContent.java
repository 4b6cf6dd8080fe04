package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/** Makes the objects that tests put straight into the store. */
final class ClusterContent {

    private final Supplier<String> now;

    ClusterContent(Supplier<String> now) {
        this.now = now;
    }

    ObjectNode object(ResourceType type, String namespace, String name) {
        ObjectNode object = Json.object();
        object.put("apiVersion", type.apiVersion()).put("kind", type.kind());
        ObjectNode metadata = object.putObject("metadata").put("name", name);
        if (!namespace.isEmpty()) {
            metadata.put("namespace", namespace);
        }
        metadata.put("uid", UUID.randomUUID().toString());
        metadata.put("creationTimestamp", now.get()).put("generation", 1);
        return object;
    }

    ObjectNode unbound(
            String namespace,
            String name,
            Map<String, String> labels,
            Map<String, String> annotations) {
        ObjectNode claim = object(ResourceType.CLAIM, namespace, name);
        Json.metadata(claim).set("labels", Json.strings(labels));
        Json.metadata(claim).set("annotations", Json.strings(annotations));
        ObjectNode spec =
                claim.putObject("spec").put("storageClassName", SimulatedCluster.STORAGE_CLASS);
        spec.put("volumeMode", "Filesystem").putArray("accessModes").add("ReadWriteOnce");
        spec.withObjectProperty("resources").putObject("requests").put("storage", "1Gi");
        return claim;
    }

    ObjectNode storageClass(String name, String driver, String bindingMode) {
        return object(ResourceType.STORAGE_CLASS, "", name)
                .put("provisioner", driver)
                .put("reclaimPolicy", "Delete")
                .put("volumeBindingMode", bindingMode);
    }

    /** A new volume that is made for a claim. */
    ObjectNode volume(ObjectNode claim, JsonNode storageClass) {
        String driver = Json.text(storageClass, "provisioner");
        ObjectNode volume = object(ResourceType.VOLUME, "", "pvc-" + Json.uid(claim));
        Json.metadata(volume)
                .putObject("annotations")
                .put("pv.kubernetes.io/provisioned-by", driver);
        Json.addFinalizer(volume, Provisioner.VOLUME_FINALIZER);
        Json.addFinalizer(volume, VolumeRules.VOLUME_PROTECTION);
        ObjectNode spec = volume.putObject("spec");
        spec.putObject("capacity")
                .put("storage", Json.text(claim, "spec", "resources", "requests", "storage"));
        spec.putObject("csi")
                .put("driver", driver)
                .put("volumeHandle", UUID.randomUUID().toString());
        spec.set("accessModes", claim.path("spec").path("accessModes").deepCopy());
        spec.set("claimRef", Provisioner.reference(claim));
        spec.put(
                "persistentVolumeReclaimPolicy",
                storageClass.path("reclaimPolicy").asText("Delete"));
        spec.put("storageClassName", Json.name(storageClass));
        spec.put("volumeMode", Json.text(claim, "spec", "volumeMode"));
        volume.putObject("status").put("phase", "Bound");
        return volume;
    }

    ObjectNode snapshotClass(String name, String driver, boolean isDefault, String deletionPolicy) {
        ObjectNode snapshotClass = object(ResourceType.SNAPSHOT_CLASS, "", name);
        if (isDefault) {
            Json.metadata(snapshotClass)
                    .putObject("annotations")
                    .put(SnapshotSources.DEFAULT_CLASS, "true");
        }
        snapshotClass.put("driver", driver).put("deletionPolicy", deletionPolicy);
        return snapshotClass;
    }

    ObjectNode snapshot(
            String namespace,
            String name,
            String claim,
            Map<String, String> labels,
            Instant createdAt,
            SnapshotState state) {
        ObjectNode snapshot = object(ResourceType.SNAPSHOT, namespace, name);
        String time = createdAt.truncatedTo(ChronoUnit.SECONDS).toString();
        Json.metadata(snapshot).put("creationTimestamp", time);
        if (!labels.isEmpty()) {
            Json.metadata(snapshot).set("labels", Json.strings(labels));
        }
        ObjectNode spec =
                snapshot.putObject("spec")
                        .put("volumeSnapshotClassName", SimulatedCluster.SNAPSHOT_CLASS);
        spec.putObject("source").put("persistentVolumeClaimName", claim);
        Json.addFinalizer(snapshot, SnapshotController.BOUND_FINALIZER);
        boolean cut = state == SnapshotState.READY || state == SnapshotState.TERMINATING;
        ObjectNode status = snapshot.putObject("status");
        status.put("boundVolumeSnapshotContentName", "snapcontent-" + Json.uid(snapshot));
        status.put("readyToUse", cut);
        if (cut) {
            status.put("creationTime", time).put("restoreSize", "1Gi");
        }
        if (state == SnapshotState.TERMINATING) {
            Json.metadata(snapshot).put("deletionTimestamp", now.get());
            Json.metadata(snapshot).put("deletionGracePeriodSeconds", 0);
        } else {
            Json.addFinalizer(snapshot, SnapshotController.SOURCE_FINALIZER);
        }
        if (state == SnapshotState.FAILED) {
            status.putObject("error")
                    .put("message", "Failed to check and update snapshot content: no space left")
                    .put("time", time);
        }
        return snapshot;
    }

    void put(ObjectStore store, ObjectNode given) {
        String kind = Json.text(given, "kind");
        ResourceType type =
                ResourceType.ALL.stream()
                        .filter(t -> t.kind().equals(kind))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("not kept here: " + kind));
        ObjectNode whole =
                object(type, type.namespaced() ? Json.namespace(given) : "", Json.name(given));
        Json.merge(whole, given);
        store.put(type, whole);
    }
}
