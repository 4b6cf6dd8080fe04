package io.volumesnapshotter.kubernetes;

import java.util.HashMap;
import java.util.Map;

/**
 * What was kept of an object that the API server sent: some of its fields, by their JSON pointers.
 *
 * @param fields texts and flags; of an object or a list that was kept only that it is there, as
 *     {@code true}. Numbers are texts. What is null in the answer is not there.
 */
public record ApiObject(Map<String, Object> fields) {

    public static final String NAME = field("metadata", "name");
    public static final String NAMESPACE = field("metadata", "namespace");
    public static final String UID = field("metadata", "uid");
    public static final String CREATED = field("metadata", "creationTimestamp");
    public static final String DELETED = field("metadata", "deletionTimestamp");

    /** The pointer to a field, from the name of the outermost to that of the innermost. */
    public static String field(String... path) {
        StringBuilder pointer = new StringBuilder();
        for (String name : path) {
            pointer.append('/').append(name.replace("~", "~0").replace("/", "~1"));
        }
        return pointer.toString();
    }

    /** The pointer to an annotation. */
    public static String annotation(String key) {
        return field("metadata", "annotations", key);
    }

    /** The pointer to a label. */
    public static String label(String key) {
        return field("metadata", "labels", key);
    }

    /** An object that this one contains, as an object of its own. */
    public ApiObject within(String field) {
        Map<String, Object> inner = new HashMap<>();
        fields.forEach(
                (pointer, value) -> {
                    if (pointer.startsWith(field + "/")) {
                        inner.put(pointer.substring(field.length()), value);
                    }
                });
        return new ApiObject(inner);
    }

    /** A text, or null. */
    public String text(String field) {
        return fields.get(field) instanceof String text ? text : null;
    }

    /** A text, or another one where there is none. */
    public String text(String field, String otherwise) {
        return fields.get(field) instanceof String text ? text : otherwise;
    }

    public boolean isTrue(String field) {
        return Boolean.TRUE.equals(fields.get(field));
    }

    public boolean has(String field) {
        return fields.containsKey(field);
    }
}
