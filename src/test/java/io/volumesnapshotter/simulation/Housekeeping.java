package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Executor;

/** The other controllers that a client relies on: claims are bound, deleted namespaces go. */
final class Housekeeping implements ObjectStore.Listener {

    private final ObjectStore store;
    private final ResourceApi api;
    private final Executor thread;

    Housekeeping(ObjectStore store, ResourceApi api, Executor thread) {
        this.store = store;
        this.api = api;
        this.thread = thread;
        store.listen(this);
    }

    @Override
    public void changed(ResourceType type, ObjectNode before, ObjectNode now) {
        if (type.equals(ResourceType.CLAIM) && before == null && !now.has("status")) {
            thread.execute(() -> bind(now));
        } else if (type.equals(ResourceType.NAMESPACE) && now != null && Json.terminating(now)) {
            thread.execute(() -> empty(Json.name(now)));
        } else if (now == null && !Json.namespace(before).isEmpty()) {
            thread.execute(() -> removeIfEmpty(Json.namespace(before)));
        }
    }

    private void bind(ObjectNode created) {
        synchronized (store) {
            ObjectNode claim =
                    store.copy(ResourceType.CLAIM, Json.namespace(created), Json.name(created));
            if (claim == null) {
                return;
            }
            ObjectNode storageClass =
                    store.get(
                            ResourceType.STORAGE_CLASS,
                            "",
                            Json.text(claim, "spec", "storageClassName"));
            if (storageClass != null) {
                bound(claim, Json.text(storageClass, "provisioner"));
                store.put(ResourceType.CLAIM, claim);
            }
        }
    }

    /** Makes a claim look as one that a provisioner has bound. */
    static void bound(ObjectNode claim, String provisioner) {
        Json.addFinalizer(claim, "kubernetes.io/pvc-protection");
        Json.metadata(claim)
                .withObjectProperty("annotations")
                .put("pv.kubernetes.io/bind-completed", "yes")
                .put("pv.kubernetes.io/bound-by-controller", "yes")
                .put(SnapshotSources.PROVISIONER, provisioner);
        claim.withObjectProperty("spec").put("volumeName", "pvc-" + Json.uid(claim));
        ObjectNode status = claim.withObjectProperty("status").put("phase", "Bound");
        status.set("accessModes", claim.path("spec").path("accessModes"));
        status.withObjectProperty("capacity")
                .put("storage", Json.text(claim, "spec", "resources", "requests", "storage"));
    }

    private void empty(String namespace) {
        synchronized (store) {
            ObjectNode found = store.get(ResourceType.NAMESPACE, "", namespace);
            if (found == null || Json.hasFinalizers(found)) {
                return;
            }
            for (ResourceType type : ResourceType.ALL) {
                for (ObjectNode object : store.all(type, namespace)) {
                    if (type.namespaced() && !Json.terminating(object)) {
                        api.markDeleted(type, object);
                    }
                }
            }
            removeIfEmpty(namespace);
        }
    }

    private void removeIfEmpty(String namespace) {
        synchronized (store) {
            ObjectNode found = store.get(ResourceType.NAMESPACE, "", namespace);
            boolean deleted =
                    found != null && Json.terminating(found) && !Json.hasFinalizers(found);
            if (deleted
                    && ResourceType.ALL.stream().allMatch(t -> store.count(t, namespace) == 0)) {
                store.remove(ResourceType.NAMESPACE, "", namespace);
            }
        }
    }
}
