package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A watch as an API server serves it: first what is there, as ADDED, and then each change. One that
 * names a resource version begins with the changes.
 */
final class ObjectWatch implements ObjectStore.Listener, AutoCloseable {

    private static final String DEFAULT_TIMEOUT = "1800";
    private static final String BY_NAME = "metadata.name=";

    private final ObjectStore store;
    private final ResourceType type;
    private final String namespace;
    private final String name;
    private final LabelSelector selector;
    private final boolean beginsWithContent;
    private final Duration timeout;
    private Consumer<byte[]> client;

    ObjectWatch(ObjectStore store, ResourceType type, String namespace, ApiRequest request) {
        this.store = store;
        this.type = type;
        this.namespace = namespace;
        String field = request.query("fieldSelector");
        name = field.startsWith(BY_NAME) ? field.substring(BY_NAME.length()) : "";
        selector = LabelSelector.parse(request.labelSelector());
        beginsWithContent = request.query("resourceVersion").isEmpty();
        String seconds = request.query("timeoutSeconds");
        timeout = Duration.ofSeconds(Long.parseLong(seconds.isEmpty() ? DEFAULT_TIMEOUT : seconds));
    }

    /** How long the client wants it at most. */
    Duration timeout() {
        return timeout;
    }

    /** Sends what is there and what changes from now on, a line for each. */
    void begin(Consumer<byte[]> lines) {
        synchronized (store) {
            client = lines;
            if (beginsWithContent) {
                store.all(type, namespace).forEach(object -> changed(type, null, object));
            }
            store.listen(this);
        }
    }

    @Override
    public void changed(ResourceType of, ObjectNode before, ObjectNode now) {
        if (!of.equals(type)) {
            return;
        }
        boolean was = before != null && concerns(before);
        boolean is = now != null && concerns(now);
        if (is) {
            send(was ? "MODIFIED" : "ADDED", now);
        } else if (was) {
            send("DELETED", before);
        }
    }

    private boolean concerns(ObjectNode object) {
        return (namespace.isEmpty() || Json.namespace(object).equals(namespace))
                && (name.isEmpty() || Json.name(object).equals(name))
                && selector.test(Json.strings(object.path("metadata").path("labels")));
    }

    private void send(String change, ObjectNode object) {
        ObjectNode event = Json.object().put("type", change);
        event.set("object", object);
        client.accept(
                (new String(Json.bytes(event), StandardCharsets.UTF_8) + "\n")
                        .getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        store.forget(this);
    }
}
