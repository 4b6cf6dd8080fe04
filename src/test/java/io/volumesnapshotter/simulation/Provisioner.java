package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Makes volumes for claims as external-provisioner does, from nothing or from a snapshot, and says
 * in its words why it can't.
 */
final class Provisioner {

    static final String VOLUME_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer";

    private static final String GROUP = ResourceType.SNAPSHOT.group();

    private final ObjectStore store;
    private final ClusterContent content;
    private final StorageContents contents;
    private final SimulatedDriver driver;
    private final EventRecorder events;
    private final Map<String, Long> begun = new HashMap<>();

    Provisioner(
            ObjectStore store,
            ClusterContent content,
            StorageContents contents,
            SimulatedDriver driver,
            EventRecorder events) {
        this.store = store;
        this.content = content;
        this.contents = contents;
        this.driver = driver;
        this.events = events;
    }

    /** What a volume says of the claim that has it. */
    static ObjectNode reference(JsonNode claim) {
        return Json.object()
                .put("kind", "PersistentVolumeClaim")
                .put("namespace", Json.namespace(claim))
                .put("name", Json.name(claim))
                .put("uid", Json.uid(claim))
                .put("apiVersion", "v1")
                .put("resourceVersion", Json.text(claim, "metadata", "resourceVersion"));
    }

    /**
     * Makes the volume of a claim.
     *
     * @return when to come again; empty when there is nothing to wait for
     */
    Optional<Duration> provision(ObjectNode claim, ObjectNode storageClass) {
        String name = Json.text(storageClass, "provisioner");
        String component = name + "_node_1";
        if (!name.equals(SimulatedCluster.DRIVER)) {
            return Optional.empty();
        }
        events.normal(
                claim,
                component,
                "Provisioning",
                "External provisioner is provisioning volume for claim \"%s/%s\""
                        .formatted(Json.namespace(claim), Json.name(claim)));
        JsonNode source = claim.path("spec").path("dataSource");
        ObjectNode snapshot = null;
        if (source.isObject() && Json.text(source, "apiGroup").equals(GROUP)) {
            String from = Json.text(source, "name");
            snapshot = store.get(ResourceType.SNAPSHOT, Json.namespace(claim), from);
            String problem = problem(claim, from, snapshot, name);
            if (problem != null) {
                events.warning(
                        claim,
                        component,
                        "ProvisioningFailed",
                        "error getting handle for DataSource Type VolumeSnapshot by Name %s: %s"
                                .formatted(from, problem));
                return Optional.empty();
            }
        }
        String refusal = driver.provisionFailure();
        if (refusal != null) {
            events.warning(
                    claim,
                    component,
                    "ProvisioningFailed",
                    "failed to provision volume with StorageClass \"%s\": %s"
                            .formatted(Json.name(storageClass), refusal));
            return Optional.empty();
        }
        long since = begun.computeIfAbsent(Json.uid(claim), uid -> System.nanoTime());
        Duration left = driver.provisionsAfter().minus(Duration.ofNanos(System.nanoTime() - since));
        if (!left.isNegative() && !left.isZero()) {
            return Optional.of(left);
        }
        begun.remove(Json.uid(claim));
        make(claim, storageClass, snapshot);
        events.normal(
                claim,
                component,
                "ProvisioningSucceeded",
                "Successfully provisioned volume pvc-" + Json.uid(claim));
        return Optional.empty();
    }

    private String problem(JsonNode claim, String from, JsonNode snapshot, String provisioner) {
        if (snapshot == null) {
            return "error getting snapshot %s from api server: volumesnapshots.snapshot.storage.k8s.io \"%s\" not found"
                    .formatted(from, from);
        }
        if (Json.terminating(snapshot)) {
            return "snapshot %s is being deleted".formatted(from);
        }
        String bound = Json.text(snapshot, "status", "boundVolumeSnapshotContentName");
        if (bound.isEmpty()) {
            return "snapshot %s not bound".formatted(from);
        }
        JsonNode snapshotClass =
                store.get(
                        ResourceType.SNAPSHOT_CLASS,
                        "",
                        Json.text(snapshot, "spec", "volumeSnapshotClassName"));
        if (snapshotClass != null && !Json.text(snapshotClass, "driver").equals(provisioner)) {
            return "snapshotcontent %s for snapshot %s is handled by a different CSI driver than requested by StorageClass %s"
                    .formatted(bound, from, Json.text(claim, "spec", "storageClassName"));
        }
        if (!snapshot.path("status").path("readyToUse").asBoolean()) {
            return "snapshot %s is not Ready".formatted(from);
        }
        long wanted =
                Quantities.bytes(Json.text(claim, "spec", "resources", "requests", "storage"));
        long least = Quantities.bytes(Json.text(snapshot, "status", "restoreSize"));
        if (wanted < least) {
            return "requested volume size %d is less than the size %d for the source snapshot %s"
                    .formatted(wanted, least, from);
        }
        String mode = contents.modeOf(Json.uid(snapshot));
        if (!mode.isEmpty() && !mode.equals(Json.text(claim, "spec", "volumeMode"))) {
            return "requested volume %s/%s modifies the mode of the source volume but does not have permission to do so. snapshot.storage.kubernetes.io/allow-volume-mode-change annotation is not present on snapshotcontent %s"
                    .formatted(Json.namespace(claim), Json.name(claim), bound);
        }
        return null;
    }

    /** Makes the volume of a claim, which is bound to it by its next look. */
    ObjectNode make(ObjectNode claim, JsonNode storageClass, JsonNode snapshot) {
        ObjectNode volume = content.volume(claim, storageClass);
        String node = Json.text(claim, "metadata", "annotations", VolumeController.SELECTED_NODE);
        driver.topology(node)
                .ifPresent(
                        zone ->
                                volume.withObjectProperty("spec")
                                        .withObjectProperty("nodeAffinity")
                                        .withObjectProperty("required")
                                        .putArray("nodeSelectorTerms")
                                        .addObject()
                                        .putArray("matchExpressions")
                                        .addObject()
                                        .put("key", SimulatedDriver.ZONE)
                                        .put("operator", "In")
                                        .putArray("values")
                                        .add(zone));
        if (snapshot != null) {
            contents.ofSnapshot(Json.uid(snapshot))
                    .ifPresent(written -> contents.write(volume, written));
        }
        return store.put(ResourceType.VOLUME, volume);
    }
}
