package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.UUID;
import java.util.function.Supplier;

/** Leaves the Events of the controllers; the same one twice is counted. */
final class EventRecorder {

    private final ObjectStore store;
    private final Supplier<String> now;

    EventRecorder(ObjectStore store, Supplier<String> now) {
        this.store = store;
        this.now = now;
    }

    void normal(JsonNode object, String component, String reason, String message) {
        write(object, "Normal", component, reason, message);
    }

    void warning(JsonNode object, String component, String reason, String message) {
        write(object, "Warning", component, reason, message);
    }

    private void write(
            JsonNode object, String type, String component, String reason, String message) {
        String time = now.get();
        synchronized (store) {
            String name =
                    Json.name(object)
                            + "."
                            + Long.toHexString(
                                    (Json.uid(object) + reason + message).hashCode() & 0xffffffffL);
            String namespace =
                    Json.namespace(object).isEmpty() ? "default" : Json.namespace(object);
            ObjectNode event = store.copy(ResourceType.EVENT, namespace, name);
            if (event == null) {
                event = Json.object().put("apiVersion", "v1").put("kind", "Event");
                event.putObject("metadata")
                        .put("name", name)
                        .put("namespace", namespace)
                        .put("uid", UUID.randomUUID().toString())
                        .put("creationTimestamp", time);
                event.putObject("involvedObject")
                        .put("apiVersion", Json.text(object, "apiVersion"))
                        .put("kind", Json.text(object, "kind"))
                        .put("namespace", Json.namespace(object))
                        .put("name", Json.name(object))
                        .put("uid", Json.uid(object));
                event.put("type", type).put("reason", reason).put("message", message);
                event.put("firstTimestamp", time);
                event.putObject("source").put("component", component);
            }
            event.put("lastTimestamp", time).put("count", event.path("count").asInt() + 1);
            store.put(ResourceType.EVENT, event);
        }
    }
}
