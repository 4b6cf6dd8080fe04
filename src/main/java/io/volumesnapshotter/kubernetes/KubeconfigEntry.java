package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.StreamSupport;

/**
 * A cluster, user or context of a kubeconfig, or a part of one: its fields, and how to name the
 * place of one that is wrong. What may be a secret is named and never shown.
 *
 * @param file where it stands; relative paths in it start there
 * @param place how messages name it
 */
record KubeconfigEntry(Path file, String place, JsonNode body) {

    /** Stands in messages for a value that may be a secret. */
    static final String HIDDEN = "…";

    private static final Set<String> TRUE = Set.of("true", "yes", "on", "y");

    /** A text, or an empty one. */
    String text(String field) {
        JsonNode value = body.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (value.isContainerNode()) {
            throw invalid(field, HIDDEN, "give a text");
        }
        return value.asText();
    }

    /** Whether it is on. YAML 1.1, which kubectl reads, has more words for that than true. */
    boolean flag(String field) {
        return TRUE.contains(text(field).toLowerCase(Locale.ROOT));
    }

    /** What base64 hides. */
    Optional<byte[]> data(String field) {
        String value = text(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Base64.getMimeDecoder().decode(value));
        } catch (IllegalArgumentException e) {
            throw invalid(field, HIDDEN, "it is no base64");
        }
    }

    /** A file that has to be there. */
    Optional<Path> path(String field) {
        String value = text(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        Path path = resolve(value);
        if (!Files.isReadable(path) || Files.isDirectory(path)) {
            throw invalid(field, path.toString(), "there is no such readable file");
        }
        return Optional.of(path);
    }

    /** A path as it is meant from the file's directory. */
    Path resolve(String path) {
        return file.toAbsolutePath().resolveSibling(path);
    }

    /** Texts, in their order. */
    List<String> texts(String field) {
        return texts(field, body.path(field));
    }

    /** Texts by name. */
    Map<String, List<String>> textsByName(String field) {
        Map<String, List<String>> all = new TreeMap<>();
        body.path(field)
                .properties()
                .forEach(
                        property ->
                                all.put(
                                        property.getKey(),
                                        texts(
                                                field + "." + property.getKey(),
                                                property.getValue())));
        return all;
    }

    private List<String> texts(String field, JsonNode values) {
        if (values.isMissingNode() || values.isNull()) {
            return List.of();
        }
        if (!values.isArray()) {
            throw invalid(field, values.asText(), "give a list");
        }
        return StreamSupport.stream(values.spliterator(), false).map(JsonNode::asText).toList();
    }

    boolean has(String field) {
        return body.hasNonNull(field);
    }

    /** A part of this. */
    KubeconfigEntry part(String field) {
        return new KubeconfigEntry(file, place + ", " + field, body.path(field));
    }

    /** The parts of a list in this. */
    List<KubeconfigEntry> parts(String field) {
        List<KubeconfigEntry> parts = new ArrayList<>();
        for (JsonNode part : body.path(field)) {
            parts.add(
                    new KubeconfigEntry(
                            file, place + ", %s[%d]".formatted(field, parts.size()), part));
        }
        return parts;
    }

    /** The fields that it has beside these. */
    List<String> others(Set<String> known) {
        return body.properties().stream()
                .map(Map.Entry::getKey)
                .filter(field -> !known.contains(field))
                .toList();
    }

    /** That a field is wrong. */
    InvalidSettingException invalid(String field, String value, String remedy) {
        return new InvalidSettingException(placeOf(field), value, remedy);
    }

    String placeOf(String field) {
        return file + ", " + place + ", " + field;
    }
}
