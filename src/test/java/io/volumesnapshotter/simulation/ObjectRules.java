package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What the API server refuses as invalid (422): metadata of any object, and VolumeSnapshots. */
final class ObjectRules {

    private static final int NAME_BYTES = 253;
    private static final int LABEL_BYTES = 63;
    private static final int ANNOTATIONS_BYTES = 256 * 1024;
    private static final String LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private static final String SUBDOMAIN = LABEL + "(\\." + LABEL + ")*";
    private static final Pattern NAME = Pattern.compile(SUBDOMAIN);
    private static final String QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private static final String LABEL_VALUE = "((" + "[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";

    private ObjectRules() {}

    static void check(ResourceType type, ObjectNode object) {
        List<ApiFailure.Cause> causes = new ArrayList<>();
        name(Json.name(object), causes);
        labels(object.path("metadata").path("labels"), causes);
        boolean blocked = annotations(object.path("metadata").path("annotations"), causes);
        if (type.equals(ResourceType.SNAPSHOT)) {
            if (blocked) {
                causes.add(
                        ApiFailure.Cause.invalid(
                                "<nil>",
                                "Invalid value: null: some validation rules were not checked"
                                        + " because the object was invalid; correct the existing"
                                        + " errors to complete validation"));
            } else {
                snapshot(object.path("spec"), causes);
            }
        }
        if (!causes.isEmpty()) {
            throw ApiFailure.invalid(type, Json.name(object), causes);
        }
    }

    /** The rules of an update: the source of a snapshot never changes. */
    static void checkUpdate(ResourceType type, ObjectNode before, ObjectNode now) {
        check(type, now);
        if (!type.equals(ResourceType.SNAPSHOT)) {
            return;
        }
        List<ApiFailure.Cause> causes = new ArrayList<>();
        for (String field : List.of("persistentVolumeClaimName", "volumeSnapshotContentName")) {
            String old = Json.text(before, "spec", "source", field);
            String value = Json.text(now, "spec", "source", field);
            if (!old.isEmpty() && !value.isEmpty() && !old.equals(value)) {
                causes.add(
                        ApiFailure.Cause.invalid(
                                "spec.source." + field,
                                "Invalid value: \"%s\": %s is immutable".formatted(value, field)));
            } else if (old.isEmpty() != value.isEmpty()) {
                causes.add(
                        ApiFailure.Cause.invalid(
                                "spec.source",
                                "Invalid value: %s is required once set".formatted(field)));
            }
        }
        if (!causes.isEmpty()) {
            throw ApiFailure.invalid(type, Json.name(now), causes);
        }
    }

    private static void name(String name, List<ApiFailure.Cause> causes) {
        if (name.isEmpty()) {
            causes.add(
                    new ApiFailure.Cause(
                            "FieldValueRequired",
                            "Required value: name or generateName is required",
                            "metadata.name"));
            return;
        }
        if (name.length() > NAME_BYTES) {
            causes.add(
                    ApiFailure.Cause.invalid(
                            "metadata.name",
                            "Invalid value: \"%s\": must be no more than %d bytes"
                                    .formatted(name, NAME_BYTES)));
        }
        if (!NAME.matcher(name).matches()) {
            causes.add(
                    ApiFailure.Cause.invalid(
                            "metadata.name",
                            ("Invalid value: \"%s\": a lowercase RFC 1123 subdomain must consist of"
                                            + " lower case alphanumeric characters, '-' or '.', and must start"
                                            + " and end with an alphanumeric character (e.g. 'example.com',"
                                            + " regex used for validation is '%s')")
                                    .formatted(name, SUBDOMAIN)));
        }
    }

    private static void labels(JsonNode labels, List<ApiFailure.Cause> causes) {
        for (Map.Entry<String, String> label : Json.strings(labels).entrySet()) {
            String key = label.getKey().substring(label.getKey().indexOf('/') + 1);
            if (key.length() > LABEL_BYTES) {
                causes.add(label(label.getKey(), "name part must be no more than 63 bytes"));
            } else if (!key.matches(QUALIFIED)) {
                causes.add(
                        label(
                                label.getKey(),
                                "name part must consist of alphanumeric characters, '-', '_' or"
                                        + " '.', and must start and end with an alphanumeric character"
                                        + " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used"
                                        + " for validation is '"
                                        + QUALIFIED
                                        + "')"));
            }
            if (label.getValue().length() > LABEL_BYTES) {
                causes.add(label(label.getValue(), "must be no more than 63 bytes"));
            } else if (!label.getValue().matches(LABEL_VALUE)) {
                causes.add(
                        label(
                                label.getValue(),
                                "a valid label must be an empty string or consist of alphanumeric"
                                        + " characters, '-', '_' or '.', and must start and end"
                                        + " with an alphanumeric character (e.g. 'MyValue',  or"
                                        + " 'my_value',  or '12345', regex used for validation is '"
                                        + LABEL_VALUE
                                        + "')"));
            }
        }
    }

    private static ApiFailure.Cause label(String value, String message) {
        return ApiFailure.Cause.invalid(
                "metadata.labels", "Invalid value: \"%s\": %s".formatted(value, message));
    }

    private static boolean annotations(JsonNode annotations, List<ApiFailure.Cause> causes) {
        long size = 0;
        for (Map.Entry<String, String> annotation : Json.strings(annotations).entrySet()) {
            size += annotation.getKey().getBytes(StandardCharsets.UTF_8).length;
            size += annotation.getValue().getBytes(StandardCharsets.UTF_8).length;
        }
        if (size <= ANNOTATIONS_BYTES) {
            return false;
        }
        causes.add(
                new ApiFailure.Cause(
                        "FieldValueTooLong",
                        "Too long: may not be more than " + ANNOTATIONS_BYTES + " bytes",
                        "metadata.annotations"));
        return true;
    }

    private static void snapshot(JsonNode spec, List<ApiFailure.Cause> causes) {
        JsonNode source = spec.path("source");
        if (!spec.isObject() || !source.isObject()) {
            String field = spec.isObject() ? "spec.source" : "spec";
            causes.add(new ApiFailure.Cause("FieldValueRequired", "Required value", field));
            return;
        }
        if (source.has("persistentVolumeClaimName") == source.has("volumeSnapshotContentName")) {
            causes.add(
                    ApiFailure.Cause.invalid(
                            "spec.source",
                            "Invalid value: exactly one of volumeSnapshotContentName and"
                                    + " persistentVolumeClaimName must be set"));
        }
        JsonNode className = spec.path("volumeSnapshotClassName");
        if (className.isTextual() && className.asText().isEmpty()) {
            causes.add(
                    ApiFailure.Cause.invalid(
                            "spec.volumeSnapshotClassName",
                            "Invalid value: \"\": volumeSnapshotClassName must not be the empty"
                                    + " string when set"));
        }
    }
}
