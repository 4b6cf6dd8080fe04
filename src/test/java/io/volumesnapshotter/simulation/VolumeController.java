package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Does what Kubernetes' persistent volume controller does: binds claims and volumes to each other,
 * releases and reclaims volumes, and holds what is in use. What has to be made is left to the
 * {@link Provisioner}. Works on one thread.
 */
final class VolumeController implements ObjectStore.Listener {

    static final String BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
    static final String BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
    static final String SELECTED_NODE = "volume.kubernetes.io/selected-node";

    private static final String COMPONENT = "persistentvolume-controller";

    private final ObjectStore store;
    private final Provisioner provisioner;
    private final EventRecorder events;
    private final ScheduledExecutorService thread;
    private final Set<String> leftAlone = ConcurrentHashMap.newKeySet();
    private final Set<String> unbound = new TreeSet<>();

    VolumeController(
            ObjectStore store,
            Provisioner provisioner,
            EventRecorder events,
            ScheduledExecutorService thread) {
        this.store = store;
        this.provisioner = provisioner;
        this.events = events;
        this.thread = thread;
        store.listen(this);
    }

    /** Never looks at a claim: it stays as it is. */
    void leaveAlone(String uid) {
        leftAlone.add(uid);
    }

    @Override
    public void changed(ResourceType type, ObjectNode before, ObjectNode now) {
        ObjectNode object = now == null ? before : now;
        if (type.equals(ResourceType.CLAIM)) {
            thread.execute(() -> claimChanged(object));
        } else if (type.equals(ResourceType.VOLUME)) {
            thread.execute(() -> volumeChanged(object));
        } else if (type.equals(ResourceType.POD)) {
            thread.execute(() -> claimsOf(object).forEach(this::syncClaim));
        } else if (type.equals(ResourceType.STORAGE_CLASS) || type.equals(ResourceType.SNAPSHOT)) {
            thread.execute(this::syncUnbound);
        }
    }

    private static String key(JsonNode object) {
        return ObjectStore.key(Json.namespace(object), Json.name(object));
    }

    /** The claims that a pod names, as keys of the store. */
    static List<String> claimsOf(JsonNode pod) {
        return pod.path("spec")
                .path("volumes")
                .valueStream()
                .map(volume -> Json.text(volume, "persistentVolumeClaim", "claimName"))
                .filter(name -> !name.isEmpty())
                .map(name -> ObjectStore.key(Json.namespace(pod), name))
                .toList();
    }

    private void claimChanged(ObjectNode claim) {
        syncClaim(key(claim));
        String volume = Json.text(claim, "spec", "volumeName");
        if (!volume.isEmpty()) {
            syncVolume(volume);
        }
    }

    private void volumeChanged(ObjectNode volume) {
        syncVolume(Json.name(volume));
        JsonNode claim = volume.path("spec").path("claimRef");
        if (claim.isObject()) {
            syncClaim(ObjectStore.key(Json.text(claim, "namespace"), Json.text(claim, "name")));
        }
        syncUnbound();
    }

    private void syncUnbound() {
        List.copyOf(unbound).forEach(this::syncClaim);
    }

    private ObjectNode claim(String key) {
        int slash = key.indexOf('/');
        return store.copy(ResourceType.CLAIM, key.substring(0, slash), key.substring(slash + 1));
    }

    private void syncClaim(String key) {
        synchronized (store) {
            ObjectNode claim = claim(key);
            unbound.remove(key);
            if (claim == null || leftAlone.contains(Json.uid(claim))) {
                return;
            }
            if (Json.terminating(claim)) {
                release(claim);
            } else if (claim.path("metadata").path("annotations").has(BIND_COMPLETED)) {
                syncBound(claim);
            } else if (!syncNew(claim)) {
                unbound.add(key);
            }
        }
    }

    private void release(ObjectNode claim) {
        boolean used =
                store.all(ResourceType.POD, Json.namespace(claim)).stream()
                        .filter(pod -> !isOver(pod))
                        .anyMatch(pod -> claimsOf(pod).contains(key(claim)));
        if (used) {
            return;
        }
        Json.removeFinalizer(claim, VolumeRules.CLAIM_PROTECTION);
        store.put(ResourceType.CLAIM, claim);
        if (!Json.hasFinalizers(claim)) {
            store.remove(ResourceType.CLAIM, Json.namespace(claim), Json.name(claim));
        }
    }

    static boolean isOver(JsonNode pod) {
        return List.of("Succeeded", "Failed").contains(Json.text(pod, "status", "phase"));
    }

    private void syncBound(ObjectNode claim) {
        ObjectNode volume =
                store.copy(ResourceType.VOLUME, "", Json.text(claim, "spec", "volumeName"));
        if (volume == null) {
            lose(
                    claim,
                    "ClaimLost",
                    "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
        } else if (!volume.path("spec").path("claimRef").isObject()
                || Json.text(volume, "spec", "claimRef", "uid").equals(Json.uid(claim))) {
            bind(volume, claim);
        } else {
            lose(
                    claim,
                    "ClaimMisbound",
                    "Two claims are bound to the same volume, this one is bound incorrectly");
        }
    }

    private void lose(ObjectNode claim, String reason, String message) {
        if (!Json.text(claim, "status", "phase").equals("Lost")) {
            claim.putObject("status").put("phase", "Lost");
            store.put(ResourceType.CLAIM, claim);
            events.warning(claim, COMPONENT, reason, message);
        }
    }

    /** Whether the claim is bound now. */
    private boolean syncNew(ObjectNode claim) {
        String wanted = Json.text(claim, "spec", "volumeName");
        if (!wanted.isEmpty()) {
            ObjectNode volume = store.copy(ResourceType.VOLUME, "", wanted);
            if (volume == null
                    || volume.path("spec").path("claimRef").isObject()
                            && !isReservedFor(volume, claim)) {
                return false;
            }
            bind(volume, claim);
            return true;
        }
        ObjectNode storageClass =
                store.get(
                        ResourceType.STORAGE_CLASS,
                        "",
                        Json.text(claim, "spec", "storageClassName"));
        boolean waits =
                storageClass != null
                        && Json.text(storageClass, "volumeBindingMode")
                                .equals("WaitForFirstConsumer")
                        && !claim.path("metadata").path("annotations").has(SELECTED_NODE);
        Optional<ObjectNode> found = match(claim, waits);
        if (found.isPresent()) {
            bind(found.get(), claim);
            return true;
        }
        if (storageClass == null) {
            events.warning(
                    claim,
                    COMPONENT,
                    "ProvisioningFailed",
                    "storageclass.storage.k8s.io \"%s\" not found"
                            .formatted(Json.text(claim, "spec", "storageClassName")));
        } else if (waits) {
            events.normal(
                    claim,
                    COMPONENT,
                    "WaitForFirstConsumer",
                    "waiting for first consumer to be created before binding");
        } else {
            provision(claim, storageClass);
        }
        return false;
    }

    private void provision(ObjectNode claim, ObjectNode storageClass) {
        String driver = Json.text(storageClass, "provisioner");
        ObjectNode annotations = Json.metadata(claim).withObjectProperty("annotations");
        if (!annotations.has(SnapshotSources.PROVISIONER)) {
            annotations
                    .put("volume.beta.kubernetes.io/storage-provisioner", driver)
                    .put(SnapshotSources.PROVISIONER, driver);
            events.normal(
                    claim,
                    COMPONENT,
                    "ExternalProvisioning",
                    "Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
                            .formatted(driver));
            store.put(ResourceType.CLAIM, claim);
        }
        provisioner
                .provision(claim, storageClass)
                .ifPresent(
                        delay ->
                                thread.schedule(
                                        () -> syncClaim(key(claim)),
                                        delay.toNanos(),
                                        TimeUnit.NANOSECONDS));
    }

    private static boolean isReservedFor(JsonNode volume, JsonNode claim) {
        JsonNode ref = volume.path("spec").path("claimRef");
        String uid = Json.text(ref, "uid");
        return Json.text(ref, "namespace").equals(Json.namespace(claim))
                && Json.text(ref, "name").equals(Json.name(claim))
                && (uid.isEmpty() || uid.equals(Json.uid(claim)));
    }

    /** A volume that is reserved for the claim, else one that nobody has. */
    private Optional<ObjectNode> match(JsonNode claim, boolean onlyReserved) {
        List<ObjectNode> fitting =
                store.all(ResourceType.VOLUME, "").stream()
                        .filter(
                                volume ->
                                        !Json.terminating(volume)
                                                && VolumeRules.fits(volume, claim))
                        .sorted(Comparator.comparing(Json::name))
                        .toList();
        return fitting.stream()
                .filter(volume -> isReservedFor(volume, claim))
                .findFirst()
                .or(
                        () ->
                                fitting.stream()
                                        .filter(volume -> !onlyReserved)
                                        .filter(volume -> !volume.path("spec").has("claimRef"))
                                        .filter(
                                                volume ->
                                                        Json.text(volume, "status", "phase")
                                                                .equals("Available"))
                                        .findFirst())
                .map(ObjectNode::deepCopy);
    }

    private void bind(ObjectNode volume, ObjectNode claim) {
        ObjectNode spec = volume.withObjectProperty("spec");
        if (!isReservedFor(volume, claim)) {
            Json.metadata(volume).withObjectProperty("annotations").put(BOUND_BY_CONTROLLER, "yes");
        }
        if (!Json.text(spec, "claimRef", "uid").equals(Json.uid(claim))) {
            spec.set("claimRef", Provisioner.reference(claim));
        }
        volume.withObjectProperty("status").put("phase", "Bound");
        store.put(ResourceType.VOLUME, volume);

        ObjectNode annotations = Json.metadata(claim).withObjectProperty("annotations");
        if (!claim.path("spec").has("volumeName")) {
            claim.withObjectProperty("spec").put("volumeName", Json.name(volume));
            annotations.put(BOUND_BY_CONTROLLER, "yes");
        }
        annotations.put(BIND_COMPLETED, "yes");
        ObjectNode status = claim.withObjectProperty("status").put("phase", "Bound");
        status.set("accessModes", spec.path("accessModes").deepCopy());
        status.set("capacity", spec.path("capacity").deepCopy());
        store.put(ResourceType.CLAIM, claim);
    }

    private void syncVolume(String name) {
        synchronized (store) {
            ObjectNode volume = store.copy(ResourceType.VOLUME, "", name);
            if (volume == null) {
                return;
            }
            JsonNode ref = volume.path("spec").path("claimRef");
            String uid = Json.text(ref, "uid");
            ObjectNode claim =
                    store.get(
                            ResourceType.CLAIM,
                            Json.text(ref, "namespace"),
                            Json.text(ref, "name"));
            boolean deletes =
                    Json.text(volume, "spec", "persistentVolumeReclaimPolicy").equals("Delete");
            ObjectNode status = volume.withObjectProperty("status");
            if (uid.isEmpty()) {
                status.put("phase", "Available");
            } else if (claim == null
                    || !Json.uid(claim).equals(uid)
                    || deletes && isElsewhere(claim, name)) {
                status.put("phase", "Released");
                if (deletes) {
                    store.remove(ResourceType.VOLUME, "", name);
                    return;
                }
            } else if (isElsewhere(claim, name)) {
                volume.withObjectProperty("spec").withObjectProperty("claimRef").remove("uid");
                status.put("phase", "Available");
            } else if (Json.text(claim, "spec", "volumeName").equals(name)) {
                status.put("phase", "Bound");
            }
            if (!deletes) {
                Json.removeFinalizer(volume, Provisioner.VOLUME_FINALIZER);
            }
            boolean goes =
                    Json.terminating(volume)
                            && !Json.text(volume, "status", "phase").equals("Bound");
            if (goes) {
                store.remove(ResourceType.VOLUME, "", name);
            } else {
                store.put(ResourceType.VOLUME, volume);
            }
        }
    }

    private static boolean isElsewhere(JsonNode claim, String volume) {
        String bound = Json.text(claim, "spec", "volumeName");
        return !bound.isEmpty() && !bound.equals(volume);
    }
}
