package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonToken;
import io.volumesnapshotter.settings.OneLine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads some fields of JSON objects and skips all others, which then take no memory however big
 * they are. Texts are cut and cleaned: who may write objects of the cluster may write anything into
 * them.
 */
final class FieldReader {

    /** A field that is wanted, and what is left of the way to it. */
    private record Wanted(String field, JsonPointer way) {}

    private static final String TYPE = "/type";

    private final List<Wanted> wanted;

    /**
     * @param fields JSON pointers; the way into a list of objects is the {@code type} of one of
     *     them, as conditions have it, and a list of texts is read as one text
     */
    FieldReader(Collection<String> fields) {
        wanted =
                fields.stream()
                        .map(field -> new Wanted(field, JsonPointer.compile(field)))
                        .toList();
    }

    /** Reads the object at whose beginning the parser is, to its end. */
    ApiObject read(JsonParser parser) throws IOException {
        Map<String, Object> found = new HashMap<>();
        read(parser, wanted, found);
        return new ApiObject(found);
    }

    private static void read(JsonParser parser, List<Wanted> inside, Map<String, Object> found)
            throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            List<Wanted> below = new ArrayList<>();
            List<String> here = new ArrayList<>();
            for (Wanted field : inside) {
                JsonPointer rest = field.way().matchProperty(name);
                if (rest != null && rest.matches()) {
                    here.add(field.field());
                } else if (rest != null) {
                    below.add(new Wanted(field.field(), rest));
                }
            }
            JsonToken value = parser.nextToken();
            if (!here.isEmpty() && value != JsonToken.VALUE_NULL) {
                Object read = value(parser, value);
                here.forEach(field -> found.put(field, read));
            }
            if (value == JsonToken.START_OBJECT && !below.isEmpty()) {
                read(parser, below, found);
            } else if (value == JsonToken.START_ARRAY && !below.isEmpty()) {
                readByType(parser, below, found);
            } else {
                parser.skipChildren();
            }
        }
    }

    /** Reads those objects of a list whose {@code type} is on the way to a field. */
    private static void readByType(JsonParser parser, List<Wanted> below, Map<String, Object> found)
            throws IOException {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren();
                continue;
            }
            List<Wanted> inside =
                    new ArrayList<>(List.of(new Wanted(TYPE, JsonPointer.compile(TYPE))));
            below.forEach(field -> inside.add(new Wanted(field.field(), field.way().tail())));
            Map<String, Object> one = new HashMap<>();
            read(parser, inside, one);
            String type = String.valueOf(one.remove(TYPE));
            below.stream()
                    .filter(field -> field.way().matchProperty(type) != null)
                    .map(Wanted::field)
                    .filter(one::containsKey)
                    .forEach(field -> found.put(field, one.get(field)));
        }
    }

    private static Object value(JsonParser parser, JsonToken token) throws IOException {
        if (token == JsonToken.START_ARRAY) {
            return texts(parser);
        }
        if (token.isStructStart()) {
            return true;
        }
        if (token.isBoolean()) {
            return token == JsonToken.VALUE_TRUE;
        }
        int length = Math.min(parser.getTextLength(), OneLine.MAX_READ + 1);
        return OneLine.of(new String(parser.getTextCharacters(), parser.getTextOffset(), length));
    }

    /** The texts of a list, with commas between them; what else is in it is left out. */
    private static String texts(JsonParser parser) throws IOException {
        StringBuilder all = new StringBuilder();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() == JsonToken.VALUE_STRING
                    && all.length() + parser.getTextLength() < OneLine.MAX_READ) {
                all.append(all.isEmpty() ? "" : ",").append(parser.getText());
            } else {
                parser.skipChildren();
            }
        }
        return OneLine.of(all.toString());
    }
}
