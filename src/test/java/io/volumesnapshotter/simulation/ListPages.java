package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * LIST with selectors and pages. All pages of a list show the store as it was at the first one, as
 * etcd does; a token that was forgotten is answered with 410 and one that goes on inconsistently.
 */
final class ListPages {

    private static final int REMEMBERED = 100;

    private final ObjectStore store;
    private final Map<String, List<ObjectStore.Stored>> rests =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(
                        Map.Entry<String, List<ObjectStore.Stored>> eldest) {
                    return size() > REMEMBERED;
                }
            };

    ListPages(ObjectStore store) {
        this.store = store;
    }

    /** Forgets every list that is under way: the next page of each is a 410. */
    synchronized void expire() {
        rests.clear();
    }

    ApiAnswer list(ResourceType type, ApiRequest request) {
        LabelSelector labels = LabelSelector.parse(request.labelSelector());
        Predicate<ObjectStore.Stored> fields = fields(type, request.query("fieldSelector"));
        String namespace = type.namespaced() ? request.namespace() : "";
        int limit = request.query("limit").isEmpty() ? 0 : Integer.parseInt(request.query("limit"));
        long revision;
        List<ObjectStore.Stored> matches;
        if (request.query("continue").isEmpty()) {
            synchronized (store) {
                revision = store.revision();
                matches = store.list(type, namespace, labels, "");
            }
            matches = matches.stream().filter(fields).toList();
        } else {
            String token = request.query("continue");
            JsonNode position = decode(token);
            String start = Json.text(position, "start");
            start = namespace.isEmpty() ? start : namespace + start;
            revision = position.path("rv").asLong();
            if (revision < 0) {
                synchronized (store) {
                    revision = store.revision();
                    matches = store.list(type, namespace, labels, start);
                }
                matches = matches.stream().filter(fields).toList();
            } else {
                matches = rest(token);
            }
        }
        boolean selective = !labels.isEmpty() || !request.query("fieldSelector").isEmpty();
        return page(type, namespace, matches, revision, limit, selective);
    }

    private ApiAnswer page(
            ResourceType type,
            String namespace,
            List<ObjectStore.Stored> matches,
            long revision,
            int limit,
            boolean selective) {
        ObjectNode metadata = Json.object();
        List<ObjectStore.Stored> shown = matches;
        if (limit > 0 && matches.size() > limit) {
            shown = matches.subList(0, limit);
            List<ObjectStore.Stored> rest = matches.subList(limit, matches.size());
            ObjectNode last = shown.get(limit - 1).object();
            String key = ObjectStore.key(Json.namespace(last), Json.name(last));
            String token = token(revision, key.substring(namespace.length()) + "\0");
            synchronized (this) {
                rests.put(token, rest);
            }
            metadata.put("continue", token);
            if (!selective) {
                metadata.put("remainingItemCount", rest.size());
            }
        }
        metadata.put("resourceVersion", Long.toString(revision));
        return ApiAnswer.json(200, write(type, metadata, shown));
    }

    private static byte[] write(
            ResourceType type, ObjectNode metadata, List<ObjectStore.Stored> items) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(
                "{\"apiVersion\":\"%s\",\"kind\":\"%sList\",\"metadata\":%s,\"items\":["
                        .formatted(type.apiVersion(), type.kind(), metadata)
                        .getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                out.write(',');
            }
            out.writeBytes(items.get(i).json());
        }
        out.writeBytes(new byte[] {']', '}'});
        return out.toByteArray();
    }

    private synchronized List<ObjectStore.Stored> rest(String token) {
        List<ObjectStore.Stored> rest = rests.get(token);
        if (rest == null) {
            throw ApiFailure.expired(token(-1, Json.text(decode(token), "start")));
        }
        return rest;
    }

    private static String token(long revision, String start) {
        ObjectNode position = Json.object().put("v", "meta.k8s.io/v1");
        position.put("rv", revision).put("start", start);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Json.bytes(position));
    }

    private static JsonNode decode(String token) {
        String text;
        try {
            text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw badToken("illegal base64 data at input byte 0");
        }
        try {
            return Json.MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            String first = text.isEmpty() ? "" : text.substring(0, 1);
            throw badToken(
                    "invalid character '%s' looking for beginning of value".formatted(first));
        }
    }

    private static ApiFailure badToken(String why) {
        return ApiFailure.badRequest("invalid continue token: continue key is not valid: " + why);
    }

    private static Predicate<ObjectStore.Stored> fields(ResourceType type, String selector) {
        Predicate<ObjectStore.Stored> all = stored -> true;
        for (String part : selector.split(",")) {
            if (part.isBlank()) {
                continue;
            }
            boolean unequal = part.contains("!=");
            String[] sides = part.split("!=|==?", 2);
            String field = sides[0];
            boolean supported =
                    field.equals("metadata.name")
                            || field.equals("metadata.namespace")
                            || type.equals(ResourceType.EVENT)
                                    && (field.startsWith("involvedObject.")
                                            || field.equals("reason")
                                            || field.equals("type"));
            if (!supported || sides.length < 2) {
                throw ApiFailure.badRequest("field label not supported: " + field);
            }
            String[] path = field.split("\\.");
            all = all.and(stored -> Json.text(stored.object(), path).equals(sides[1]) != unequal);
        }
        return all;
    }
}
