package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.zjsonpatch.JsonPatch;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** The verbs on the objects of the store, as strict as the API server is about them. */
final class ResourceApi {

    private static final String RANDOM = "bcdfghjklmnpqrstvwxz2456789";
    private static final int GENERATED_BASE = 58;
    private static final int GENERATED_SUFFIX = 5;

    private final ObjectStore store;
    private final ListPages pages;
    private volatile Clock clock = Clock.systemUTC();

    ResourceApi(ObjectStore store) {
        this.store = store;
        pages = new ListPages(store);
    }

    ListPages pages() {
        return pages;
    }

    void clock(Clock clock) {
        this.clock = clock;
    }

    /** The cluster's time as the API writes it: full seconds. */
    String now() {
        return Instant.now(clock).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    ApiAnswer handle(ResourceType type, ApiRequest request) {
        return switch (request.verb()) {
            case "list" -> pages.list(type, request);
            case "get" -> ApiAnswer.json(200, find(type, request).json());
            case "create" -> create(type, request);
            case "update" -> update(type, request);
            case "patch" -> patch(type, request);
            case "delete" -> delete(type, request);
            case "deletecollection" -> deleteCollection(type, request);
            default ->
                    ApiAnswer.status(
                            405,
                            "MethodNotAllowed",
                            "the server does not allow this method on the requested resource");
        };
    }

    /** A watch over the objects that a request is about. */
    ObjectWatch watch(ResourceType type, ApiRequest request) {
        return new ObjectWatch(store, type, namespace(type, request), request);
    }

    private static String namespace(ResourceType type, ApiRequest request) {
        return type.namespaced() ? request.namespace() : "";
    }

    private static boolean dryRun(ApiRequest request) {
        return request.query("dryRun").equals("All");
    }

    private ObjectStore.Stored find(ResourceType type, ApiRequest request) {
        ObjectStore.Stored stored = store.stored(type, namespace(type, request), request.name());
        if (stored == null) {
            throw ApiFailure.notFound(type, request.name());
        }
        return stored;
    }

    private ApiAnswer create(ResourceType type, ApiRequest request) {
        ObjectNode object = RequestBody.decode(request, type);
        List<String> warnings =
                SnapshotFields.prune(type, object, request.query("fieldValidation"));
        object.remove("status");
        ObjectNode metadata = Json.metadata(object);
        if (type.namespaced()) {
            metadata.put("namespace", request.namespace());
        }
        String base = Json.text(object, "metadata", "generateName");
        if (Json.name(object).isEmpty() && !base.isEmpty()) {
            metadata.put("name", generate(base));
        }
        metadata.remove(
                List.of(
                        "resourceVersion",
                        "deletionTimestamp",
                        "deletionGracePeriodSeconds",
                        "managedFields"));
        metadata.put("uid", UUID.randomUUID().toString());
        metadata.put("creationTimestamp", now());
        metadata.put("generation", 1);
        VolumeRules.fill(type, object);
        synchronized (store) {
            admit(type, object);
            ObjectRules.check(type, object);
            checkQuota(type, object);
            ObjectNode present = store.get(type, namespace(type, request), Json.name(object));
            if (present != null) {
                throw ApiFailure.alreadyExists(type, Json.name(object), Json.terminating(present));
            }
            if (!dryRun(request)) {
                store.put(type, object);
            }
        }
        ApiAnswer answer = ApiAnswer.json(201, object);
        for (String warning : warnings) {
            answer = answer.with("Warning", "299 - \"" + warning.replace("\"", "\\\"") + "\"");
        }
        return answer;
    }

    private static String generate(String base) {
        StringBuilder name =
                new StringBuilder(base.substring(0, Math.min(base.length(), GENERATED_BASE)));
        for (int i = 0; i < GENERATED_SUFFIX; i++) {
            name.append(RANDOM.charAt(ThreadLocalRandom.current().nextInt(RANDOM.length())));
        }
        return name.toString();
    }

    private void admit(ResourceType type, ObjectNode object) {
        if (!type.namespaced()) {
            return;
        }
        String namespace = Json.namespace(object);
        ObjectNode found = store.get(ResourceType.NAMESPACE, "", namespace);
        if (found == null) {
            throw ApiFailure.notFound(ResourceType.NAMESPACE, namespace);
        }
        if (Json.terminating(found)) {
            throw ApiFailure.namespaceTerminating(type, Json.name(object), namespace);
        }
    }

    private void checkQuota(ResourceType type, ObjectNode object) {
        String namespace = Json.namespace(object);
        for (ObjectNode quota :
                namespace.isEmpty()
                        ? List.<ObjectNode>of()
                        : store.all(ResourceType.QUOTA, namespace)) {
            JsonNode hard = quota.path("spec").path("hard").path("count/" + type.qualified());
            long used = store.count(type, namespace);
            if (!hard.isMissingNode() && used >= hard.asLong()) {
                throw ApiFailure.exceededQuota(
                        type, Json.name(object), Json.name(quota), used, hard.asLong());
            }
        }
    }

    private ApiAnswer update(ResourceType type, ApiRequest request) {
        ObjectNode body = RequestBody.decode(request, type);
        List<String> warnings = SnapshotFields.prune(type, body, request.query("fieldValidation"));
        synchronized (store) {
            ObjectNode before = find(type, request).object();
            if (Json.text(body, "metadata", "resourceVersion").isEmpty()) {
                throw ApiFailure.noResourceVersion(type, request.name());
            }
            ApiAnswer answer = ApiAnswer.json(200, replace(type, request, before, body));
            for (String warning : warnings) {
                answer = answer.with("Warning", "299 - \"" + warning.replace("\"", "\\\"") + "\"");
            }
            return answer;
        }
    }

    private ApiAnswer patch(ResourceType type, ApiRequest request) {
        JsonNode patch;
        try {
            patch = Json.MAPPER.readTree(request.body());
        } catch (JsonProcessingException e) {
            throw ApiFailure.badRequest("error decoding patch: " + e.getOriginalMessage());
        }
        synchronized (store) {
            ObjectNode before = store.get(type, namespace(type, request), request.name());
            boolean apply = request.header("Content-Type").startsWith("application/apply-patch");
            if (before == null && apply) {
                return create(type, request);
            }
            find(type, request);
            ObjectNode body = before.deepCopy();
            if (patch.isArray()) {
                body = (ObjectNode) JsonPatch.apply(patch, body);
            } else {
                Json.merge(body, patch);
            }
            return ApiAnswer.json(200, replace(type, request, before, body));
        }
    }

    private ObjectNode replace(
            ResourceType type, ApiRequest request, ObjectNode before, ObjectNode body) {
        String version = Json.text(body, "metadata", "resourceVersion");
        if (!version.equals(Json.text(before, "metadata", "resourceVersion"))) {
            throw ApiFailure.modified(type, request.name());
        }
        if (!Json.uid(body).isEmpty() && !Json.uid(body).equals(Json.uid(before))) {
            throw ApiFailure.precondition(
                    type, request.name(), "UID", Json.uid(body), Json.uid(before));
        }
        ObjectNode now = before.deepCopy();
        if (request.subresource().equals("status")) {
            set(now, "status", body.get("status"));
        } else {
            body.fieldNames()
                    .forEachRemaining(
                            field -> {
                                if (!field.equals("metadata") && !field.equals("status")) {
                                    now.set(field, body.get(field));
                                }
                            });
            ObjectNode metadata = Json.metadata(now);
            for (String field : List.of("labels", "annotations", "finalizers", "ownerReferences")) {
                set(metadata, field, body.path("metadata").get(field));
            }
            if (!now.path("spec").equals(before.path("spec"))) {
                metadata.put("generation", metadata.path("generation").asInt() + 1);
            }
            VolumeRules.checkUpdate(type, before, now);
            ObjectRules.checkUpdate(type, before, now);
        }
        if (dryRun(request)) {
            return now;
        }
        ObjectNode stored = store.put(type, now);
        if (Json.terminating(now) && !Json.hasFinalizers(now)) {
            store.remove(type, Json.namespace(now), Json.name(now));
        }
        return stored;
    }

    private static void set(ObjectNode object, String field, JsonNode value) {
        if (value == null || value.isEmpty()) {
            object.remove(field);
        } else {
            object.set(field, value);
        }
    }

    private ApiAnswer delete(ResourceType type, ApiRequest request) {
        synchronized (store) {
            ObjectNode found = find(type, request).object();
            checkPreconditions(type, request, found);
            if (dryRun(request)) {
                return ApiAnswer.json(200, found);
            }
            return markDeleted(type, found);
        }
    }

    private static void checkPreconditions(
            ResourceType type, ApiRequest request, ObjectNode found) {
        JsonNode wanted = Json.object();
        try {
            wanted = Json.MAPPER.readTree(request.body()).path("preconditions");
        } catch (JsonProcessingException e) {
            throw ApiFailure.badRequest("error decoding body: " + e.getOriginalMessage());
        }
        String uid = Json.text(wanted, "uid");
        if (!uid.isEmpty() && !uid.equals(Json.uid(found))) {
            throw ApiFailure.precondition(type, Json.name(found), "UID", uid, Json.uid(found));
        }
        String version = Json.text(wanted, "resourceVersion");
        String present = Json.text(found, "metadata", "resourceVersion");
        if (!version.isEmpty() && !version.equals(present)) {
            throw ApiFailure.precondition(
                    type, Json.name(found), "ResourceVersion", version, present);
        }
    }

    /** The object with its deletionTimestamp, or a Status when nothing held it. */
    ApiAnswer markDeleted(ResourceType type, ObjectNode found) {
        ObjectNode object = found.deepCopy();
        boolean held =
                Json.hasFinalizers(object)
                        || type.equals(ResourceType.NAMESPACE)
                        || type.equals(ResourceType.POD);
        if (!held) {
            store.remove(type, Json.namespace(object), Json.name(object));
            ObjectNode success = Json.object().put("kind", "Status").put("apiVersion", "v1");
            success.putObject("metadata");
            success.put("status", "Success");
            ObjectNode details = success.putObject("details").put("name", Json.name(object));
            if (!type.group().isEmpty()) {
                details.put("group", type.group());
            }
            details.put("kind", type.plural()).put("uid", Json.uid(object));
            return ApiAnswer.json(200, success);
        }
        if (!Json.terminating(object)) {
            ObjectNode metadata = Json.metadata(object);
            metadata.put("deletionTimestamp", now());
            metadata.put("deletionGracePeriodSeconds", 0);
            metadata.put("generation", metadata.path("generation").asInt() + 1);
            if (type.equals(ResourceType.NAMESPACE)) {
                object.withObjectProperty("status").put("phase", "Terminating");
            }
        }
        return ApiAnswer.json(200, store.put(type, object));
    }

    private ApiAnswer deleteCollection(ResourceType type, ApiRequest request) {
        synchronized (store) {
            ApiAnswer listed = pages.list(type, request);
            LabelSelector selector = LabelSelector.parse(request.labelSelector());
            store.list(type, namespace(type, request), selector, "")
                    .forEach(stored -> markDeleted(type, stored.object()));
            return listed;
        }
    }
}
