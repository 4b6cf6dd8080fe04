package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Executor;

/** Lets deleted namespaces go, with all that is in them. */
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
        if (type.equals(ResourceType.NAMESPACE) && now != null && Json.terminating(now)) {
            thread.execute(() -> empty(Json.name(now)));
        } else if (now == null && !Json.namespace(before).isEmpty()) {
            thread.execute(() -> removeIfEmpty(Json.namespace(before)));
        }
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
