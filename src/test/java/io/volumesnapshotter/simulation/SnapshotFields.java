package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The fields that the schema of VolumeSnapshot knows. Others are pruned, and the client hears of
 * them as its {@code fieldValidation} asks.
 */
final class SnapshotFields {

    private static final Map<String, Set<String>> KNOWN =
            Map.of(
                    "",
                    Set.of("apiVersion", "kind", "metadata", "spec", "status"),
                    "metadata",
                    Set.of(
                            "annotations",
                            "creationTimestamp",
                            "deletionGracePeriodSeconds",
                            "deletionTimestamp",
                            "finalizers",
                            "generateName",
                            "generation",
                            "labels",
                            "managedFields",
                            "name",
                            "namespace",
                            "ownerReferences",
                            "resourceVersion",
                            "selfLink",
                            "uid"),
                    "spec",
                    Set.of("source", "volumeSnapshotClassName"),
                    "spec.source",
                    Set.of("persistentVolumeClaimName", "volumeSnapshotContentName"));

    private SnapshotFields() {}

    /** Takes the unknown fields out of the object and returns the warnings for the answer. */
    static List<String> prune(ResourceType type, ObjectNode object, String fieldValidation) {
        if (!type.equals(ResourceType.SNAPSHOT)) {
            return List.of();
        }
        texts(type, object, "labels");
        texts(type, object, "annotations");
        List<String> unknown = new ArrayList<>();
        prune("", object, unknown);
        if (!unknown.isEmpty() && fieldValidation.equals("Strict")) {
            throw undecodable(type, "strict decoding error: " + String.join(", ", unknown));
        }
        return fieldValidation.equals("Ignore") ? List.of() : unknown;
    }

    private static void prune(String path, JsonNode node, List<String> unknown) {
        if (!(node instanceof ObjectNode object) || !KNOWN.containsKey(path)) {
            return;
        }
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            String field = path.isEmpty() ? name : path + "." + name;
            if (KNOWN.get(path).contains(name)) {
                prune(field, object.get(name), unknown);
            } else {
                object.remove(name);
                unknown.add("unknown field \"" + field + "\"");
            }
        }
    }

    private static void texts(ResourceType type, ObjectNode object, String field) {
        for (JsonNode value : object.path("metadata").path(field)) {
            if (!value.isTextual()) {
                throw undecodable(
                        type,
                        "json: cannot unmarshal %s into Go struct field ObjectMeta.metadata.%s of type string"
                                .formatted(value.isNumber() ? "number" : "value", field));
            }
        }
    }

    private static ApiFailure undecodable(ResourceType type, String error) {
        return ApiFailure.badRequest(
                "%1$s in version \"%2$s\" cannot be handled as a %1$s: %3$s"
                        .formatted(type.kind(), type.version(), error));
    }
}
