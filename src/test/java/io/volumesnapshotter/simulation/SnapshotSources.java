package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/** What a snapshot is to be made from: its claim and its class, or what is wrong with them. */
final class SnapshotSources {

    static final String DEFAULT_CLASS = "snapshot.storage.kubernetes.io/is-default-class";
    static final String PROVISIONER = "volume.kubernetes.io/storage-provisioner";

    /**
     * The outcome of a look at claim and class.
     *
     * @param problem null when there is none
     * @param protect whether the controller has put its finalizer on before it met the problem
     */
    record Source(String className, boolean protect, String reason, String problem) {}

    private final ObjectStore store;

    SnapshotSources(ObjectStore store) {
        this.store = store;
    }

    Source of(ObjectNode snapshot) {
        String className = Json.text(snapshot, "spec", "volumeSnapshotClassName");
        ObjectNode claim = claim(snapshot);
        if (className.isEmpty()) {
            String failed = "Failed to set default snapshot class with error ";
            if (claim == null) {
                return new Source(
                        null, false, "SetDefaultSnapshotClassFailed", failed + noDriver(snapshot));
            }
            List<String> classes = defaultClasses(driver(claim));
            if (classes.size() != 1) {
                return new Source(
                        null,
                        false,
                        "SetDefaultSnapshotClassFailed",
                        failed
                                + (classes.isEmpty()
                                        ? "cannot find default snapshot class"
                                        : classes.size() + " default snapshot classes were found"));
            }
            className = classes.get(0);
        }
        String missing = missingClass(className);
        if (missing != null) {
            return new Source(null, false, "GetSnapshotClassFailed", missing);
        }
        String failed = "Failed to create snapshot content with error ";
        if (claim == null) {
            return new Source(
                    null,
                    true,
                    "SnapshotContentCreationFailed",
                    failed
                            + "snapshot controller failed to update %s on API server: cannot get claim from snapshot"
                                    .formatted(Json.name(snapshot)));
        }
        if (!Json.text(claim, "status", "phase").equals("Bound")) {
            return new Source(
                    null,
                    true,
                    "SnapshotContentCreationFailed",
                    failed
                            + "the PVC %s is not yet bound to a PV, will not attempt to take a snapshot"
                                    .formatted(Json.name(claim)));
        }
        return new Source(className, true, null, null);
    }

    private static String noDriver(ObjectNode snapshot) {
        String claim = SnapshotController.claim(snapshot);
        return "failed to get pv csi driver from snapshot %s/%s: \"failed to retrieve PVC %s from the lister: \\\"persistentvolumeclaim \\\\\\\"%s\\\\\\\" not found\\\"\""
                .formatted(Json.namespace(snapshot), Json.name(snapshot), claim, claim);
    }

    /** The controller's complaint about the class that the snapshot names, or null. */
    String missingClass(ObjectNode snapshot) {
        return missingClass(Json.text(snapshot, "spec", "volumeSnapshotClassName"));
    }

    private String missingClass(String className) {
        if (store.get(ResourceType.SNAPSHOT_CLASS, "", className) != null) {
            return null;
        }
        return "Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io \"%s\" not found"
                .formatted(className);
    }

    String size(ObjectNode snapshot) {
        ObjectNode claim = claim(snapshot);
        String size = claim == null ? "" : Json.text(claim, "status", "capacity", "storage");
        return size.isEmpty() ? "1Gi" : size;
    }

    /** The volume of the claim. */
    Optional<ObjectNode> volume(ObjectNode snapshot) {
        return Optional.ofNullable(claim(snapshot))
                .map(claim -> Json.text(claim, "spec", "volumeName"))
                .map(name -> store.get(ResourceType.VOLUME, "", name));
    }

    /** How many snapshots of the same claim storage holds. */
    long held(ObjectNode snapshot) {
        String claim = SnapshotController.claim(snapshot);
        return store.all(ResourceType.SNAPSHOT, Json.namespace(snapshot)).stream()
                .filter(other -> SnapshotController.claim(other).equals(claim))
                .filter(other -> other.path("status").has("restoreSize"))
                .count();
    }

    private ObjectNode claim(ObjectNode snapshot) {
        return store.get(
                ResourceType.CLAIM, Json.namespace(snapshot), SnapshotController.claim(snapshot));
    }

    private static String driver(JsonNode claim) {
        return Json.text(claim, "metadata", "annotations", PROVISIONER);
    }

    private List<String> defaultClasses(String driver) {
        return store.all(ResourceType.SNAPSHOT_CLASS, "").stream()
                .filter(c -> Json.text(c, "driver").equals(driver))
                .filter(c -> Json.text(c, "metadata", "annotations", DEFAULT_CLASS).equals("true"))
                .map(Json::name)
                .toList();
    }
}
