package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** The few JSON helpers that the simulation shares. */
final class Json {

    static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static byte[] bytes(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The text at a path of keys, or an empty string. */
    static String text(JsonNode node, String... keys) {
        JsonNode found = node;
        for (String key : keys) {
            found = found.path(key);
        }
        return found.asText("");
    }

    static ObjectNode metadata(ObjectNode object) {
        return object.withObjectProperty("metadata");
    }

    static String name(JsonNode object) {
        return text(object, "metadata", "name");
    }

    static String namespace(JsonNode object) {
        return text(object, "metadata", "namespace");
    }

    static String uid(JsonNode object) {
        return text(object, "metadata", "uid");
    }

    static boolean terminating(JsonNode object) {
        return object.path("metadata").has("deletionTimestamp");
    }

    static Map<String, String> strings(JsonNode object) {
        Map<String, String> strings = new LinkedHashMap<>();
        object.properties()
                .forEach(entry -> strings.put(entry.getKey(), entry.getValue().asText()));
        return strings;
    }

    static ObjectNode strings(Map<String, String> strings) {
        ObjectNode node = object();
        strings.forEach(node::put);
        return node;
    }

    static boolean hasFinalizers(JsonNode object) {
        return !object.path("metadata").path("finalizers").isEmpty();
    }

    static void addFinalizer(ObjectNode object, String finalizer) {
        ArrayNode finalizers = metadata(object).withArrayProperty("finalizers");
        for (JsonNode present : finalizers) {
            if (present.asText().equals(finalizer)) {
                return;
            }
        }
        finalizers.add(finalizer);
    }

    /** Removes the finalizer; the list goes with its last entry, as the API server leaves it. */
    static boolean removeFinalizer(ObjectNode object, String finalizer) {
        ArrayNode finalizers = metadata(object).withArrayProperty("finalizers");
        boolean removed = false;
        for (int i = finalizers.size() - 1; i >= 0; i--) {
            if (finalizers.get(i).asText().equals(finalizer)) {
                finalizers.remove(i);
                removed = true;
            }
        }
        if (finalizers.isEmpty()) {
            metadata(object).remove("finalizers");
        }
        return removed;
    }

    static JsonNode merge(JsonNode target, JsonNode patch) {
        if (!patch.isObject()) {
            return patch;
        }
        ObjectNode merged = target instanceof ObjectNode object ? object : object();
        patch.properties()
                .forEach(
                        entry -> {
                            if (entry.getValue().isNull()) {
                                merged.remove(entry.getKey());
                            } else {
                                JsonNode old = merged.path(entry.getKey());
                                merged.set(entry.getKey(), merge(old, entry.getValue()));
                            }
                        });
        return merged;
    }
}
