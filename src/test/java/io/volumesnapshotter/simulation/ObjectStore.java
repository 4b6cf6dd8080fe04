package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The cluster's objects, in the order in which etcd keeps them, with an index by label so that a
 * selector over a store of 50,000 snapshots costs as much as its matches.
 *
 * <p>Stored objects are never changed in place: whoever changes one copies it first. A change that
 * depends on what was read holds the store's monitor.
 */
final class ObjectStore {

    /** One version of one object, with its JSON written at most once. */
    static final class Stored {

        private final ObjectNode object;
        private final Map<String, String> labels;
        private volatile byte[] json;

        Stored(ObjectNode object) {
            this.object = object;
            labels = Json.strings(object.path("metadata").path("labels"));
        }

        ObjectNode object() {
            return object;
        }

        Map<String, String> labels() {
            return labels;
        }

        byte[] json() {
            if (json == null) {
                json = Json.bytes(object);
            }
            return json;
        }
    }

    /** Told of every change, under the store's monitor; {@code now} is null when it is gone. */
    interface Listener {
        void changed(ResourceType type, ObjectNode before, ObjectNode now);
    }

    private static final class Table {
        private final NavigableMap<String, Stored> byKey = new TreeMap<>();
        private final Map<Map.Entry<String, String>, NavigableMap<String, Stored>> byLabel =
                new HashMap<>();

        private void index(String key, Stored stored) {
            for (Map.Entry<String, String> label : stored.labels().entrySet()) {
                byLabel.computeIfAbsent(
                                Map.entry(label.getKey(), label.getValue()), l -> new TreeMap<>())
                        .put(key, stored);
            }
        }

        private void unindex(String key, Stored stored) {
            for (Map.Entry<String, String> label : stored.labels().entrySet()) {
                byLabel.computeIfPresent(
                        Map.entry(label.getKey(), label.getValue()),
                        (l, entries) -> {
                            entries.remove(key);
                            return entries.isEmpty() ? null : entries;
                        });
            }
        }
    }

    private final Map<ResourceType, Table> tables = new HashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private long revision = 1000;

    void listen(Listener listener) {
        listeners.add(listener);
    }

    void forget(Listener listener) {
        listeners.remove(listener);
    }

    synchronized long revision() {
        return revision;
    }

    static String key(String namespace, String name) {
        return namespace + "/" + name;
    }

    /** The stored object, or null; not to be changed. */
    synchronized ObjectNode get(ResourceType type, String namespace, String name) {
        Stored stored = table(type).byKey.get(key(namespace, name));
        return stored == null ? null : stored.object();
    }

    synchronized Stored stored(ResourceType type, String namespace, String name) {
        return table(type).byKey.get(key(namespace, name));
    }

    /** A copy of the stored object to change and {@link #put} back, or null. */
    synchronized ObjectNode copy(ResourceType type, String namespace, String name) {
        ObjectNode object = get(type, namespace, name);
        return object == null ? null : object.deepCopy();
    }

    /** Stores a version of the object under a new resourceVersion, unless nothing changed. */
    synchronized ObjectNode put(ResourceType type, ObjectNode object) {
        String key = key(Json.namespace(object), Json.name(object));
        Table table = table(type);
        Stored before = table.byKey.get(key);
        if (before != null && before.object().equals(object)) {
            return before.object();
        }
        Json.metadata(object).put("resourceVersion", Long.toString(++revision));
        Stored stored = new Stored(object);
        table.byKey.put(key, stored);
        if (before != null) {
            table.unindex(key, before);
        }
        table.index(key, stored);
        ObjectNode old = before == null ? null : before.object();
        listeners.forEach(listener -> listener.changed(type, old, object));
        return object;
    }

    synchronized void remove(ResourceType type, String namespace, String name) {
        String key = key(namespace, name);
        Table table = table(type);
        Stored before = table.byKey.remove(key);
        if (before != null) {
            revision++;
            table.unindex(key, before);
            listeners.forEach(listener -> listener.changed(type, before.object(), null));
        }
    }

    /**
     * The matches in key order, beginning with {@code start}.
     *
     * @param namespace empty for all
     */
    synchronized List<Stored> list(
            ResourceType type, String namespace, LabelSelector selector, String start) {
        Table table = table(type);
        NavigableMap<String, Stored> entries =
                selector.indexed()
                        .map(label -> table.byLabel.getOrDefault(label, new TreeMap<>()))
                        .orElse(table.byKey);
        if (!namespace.isEmpty()) {
            entries = entries.subMap(namespace + "/", true, namespace + "0", false);
        }
        if (!start.isEmpty()) {
            entries = entries.tailMap(start, true);
        }
        if (selector.isEmpty()) {
            return new ArrayList<>(entries.values());
        }
        List<Stored> matches = new ArrayList<>();
        for (Stored stored : entries.values()) {
            if (selector.test(stored.labels())) {
                matches.add(stored);
            }
        }
        return matches;
    }

    List<ObjectNode> all(ResourceType type, String namespace) {
        return list(type, namespace, LabelSelector.parse(""), "").stream()
                .map(Stored::object)
                .toList();
    }

    synchronized int count(ResourceType type, String namespace) {
        return table(type).byKey.subMap(namespace + "/", namespace + "0").size();
    }

    private Table table(ResourceType type) {
        return tables.computeIfAbsent(type, t -> new Table());
    }
}
