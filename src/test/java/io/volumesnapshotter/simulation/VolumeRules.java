package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** What the API server fills in and what it refuses of claims, volumes and pods. */
final class VolumeRules {

    static final String CLAIM_PROTECTION = "kubernetes.io/pvc-protection";
    static final String VOLUME_PROTECTION = "kubernetes.io/pv-protection";

    private static final List<String> SOURCES = List.of("dataSource", "dataSourceRef");

    private VolumeRules() {}

    /** Fills in what an object gets when it is created. */
    static void fill(ResourceType type, ObjectNode object) {
        if (type.equals(ResourceType.CLAIM)) {
            ObjectNode spec = object.withObjectProperty("spec");
            Json.addFinalizer(object, CLAIM_PROTECTION);
            mode(spec);
            for (String given : SOURCES) {
                for (String other : SOURCES) {
                    if (spec.has(given) && !spec.has(other)) {
                        spec.set(other, spec.get(given).deepCopy());
                    }
                }
            }
            object.putObject("status").put("phase", "Pending");
        } else if (type.equals(ResourceType.VOLUME)) {
            Json.addFinalizer(object, VOLUME_PROTECTION);
            mode(object.withObjectProperty("spec"));
            object.putObject("status").put("phase", "Pending");
        } else if (type.equals(ResourceType.POD)) {
            object.putObject("status").put("phase", "Pending");
        }
    }

    private static void mode(ObjectNode spec) {
        if (!spec.has("volumeMode")) {
            spec.put("volumeMode", "Filesystem");
        }
    }

    /** The rules of an update; a source that is left out is silently put back. */
    static void checkUpdate(ResourceType type, ObjectNode before, ObjectNode now) {
        if (type.equals(ResourceType.CLAIM)) {
            claim(before, now);
        } else if (type.equals(ResourceType.VOLUME)
                && !before.path("spec").path("csi").equals(now.path("spec").path("csi"))) {
            throw ApiFailure.invalid(
                    type,
                    Json.name(now),
                    List.of(
                            new ApiFailure.Cause(
                                    "FieldValueForbidden",
                                    "Forbidden: spec.persistentvolumesource is immutable after"
                                            + " creation",
                                    "spec.persistentvolumesource")));
        }
    }

    private static void claim(ObjectNode before, ObjectNode now) {
        ObjectNode spec = now.withObjectProperty("spec");
        for (String source : SOURCES) {
            JsonNode old = before.path("spec").path(source);
            if (old.isObject() && !spec.has(source)) {
                spec.set(source, old.deepCopy());
            }
        }
        ObjectNode fixed = ((ObjectNode) before.path("spec")).deepCopy();
        ObjectNode wanted = spec.deepCopy();
        List<String> free = List.of("resources");
        fixed.remove(free);
        wanted.remove(free);
        if (!fixed.has("volumeName")) {
            wanted.remove("volumeName");
        }
        if (!fixed.equals(wanted)) {
            throw ApiFailure.invalid(
                    ResourceType.CLAIM,
                    Json.name(now),
                    List.of(
                            new ApiFailure.Cause(
                                    "FieldValueForbidden",
                                    "Forbidden: spec is immutable after creation except"
                                            + " resources.requests and volumeAttributesClassName"
                                            + " for bound claims",
                                    "spec")));
        }
    }

    /** Whether a volume is good for a claim: class, mode and size. */
    static boolean fits(JsonNode volume, JsonNode claim) {
        JsonNode offered = volume.path("spec");
        JsonNode wanted = claim.path("spec");
        return Json.text(offered, "storageClassName").equals(Json.text(wanted, "storageClassName"))
                && Json.text(offered, "volumeMode").equals(Json.text(wanted, "volumeMode"))
                && Quantities.bytes(Json.text(offered, "capacity", "storage"))
                        >= Quantities.bytes(Json.text(wanted, "resources", "requests", "storage"));
    }
}
