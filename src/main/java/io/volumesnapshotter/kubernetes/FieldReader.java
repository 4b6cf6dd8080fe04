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

    private final List<Wanted> wanted;

    /**
     * @param fields JSON pointers, not into lists; a list of texts is read as one text
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
            String here = null;
            for (Wanted field : inside) {
                JsonPointer rest = field.way().matchProperty(name);
                if (rest != null && rest.matches()) {
                    here = field.field();
                } else if (rest != null) {
                    below.add(new Wanted(field.field(), rest));
                }
            }
            JsonToken value = parser.nextToken();
            if (here != null && value != JsonToken.VALUE_NULL) {
                found.put(here, value(parser, value));
            }
            if (value == JsonToken.START_OBJECT && !below.isEmpty()) {
                read(parser, below, found);
            } else {
                parser.skipChildren();
            }
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
