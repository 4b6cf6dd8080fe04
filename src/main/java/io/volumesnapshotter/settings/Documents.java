package io.volumesnapshotter.settings;

import java.util.LinkedHashMap;
import java.util.Map;

/** What is written for machines; {@code docs/output.schema.json} describes it. */
public final class Documents {

    private static final String VERSION = "volume-snapshotter/v1";

    private Documents() {}

    /** The head of a document. */
    public static Map<String, Object> of(String kind) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("apiVersion", VERSION);
        document.put("kind", kind);
        return document;
    }
}
