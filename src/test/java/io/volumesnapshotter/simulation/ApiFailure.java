package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Collectors;

/** An answer of kind {@code Status}, in the words of a real API server. */
final class ApiFailure extends RuntimeException {

    /** One entry of {@code details.causes}. */
    record Cause(String reason, String message, String field) {

        static Cause invalid(String field, String message) {
            return new Cause("FieldValueInvalid", message, field);
        }
    }

    private final int code;
    private final transient ObjectNode status;

    ApiFailure(int code, String reason, String message) {
        super(message, null, false, false);
        this.code = code;
        status = Json.object().put("kind", "Status").put("apiVersion", "v1");
        status.putObject("metadata");
        status.put("status", "Failure").put("message", message).put("reason", reason);
        status.put("code", code);
    }

    ApiAnswer answer() {
        return ApiAnswer.json(code, status);
    }

    private ApiFailure about(ResourceType type, String name) {
        return about(type.group(), type.plural(), name);
    }

    private ApiFailure about(String group, String kind, String name) {
        ObjectNode details = details();
        if (!name.isEmpty()) {
            details.put("name", name);
        }
        if (!group.isEmpty()) {
            details.put("group", group);
        }
        details.put("kind", kind);
        return this;
    }

    private ApiFailure because(List<Cause> causes) {
        ArrayNode array = details().putArray("causes");
        for (Cause cause : causes) {
            array.addObject()
                    .put("reason", cause.reason())
                    .put("message", cause.message())
                    .put("field", cause.field());
        }
        return this;
    }

    private ObjectNode details() {
        return status.withObjectProperty("details");
    }

    static ApiFailure badRequest(String message) {
        return new ApiFailure(400, "BadRequest", message);
    }

    static ApiFailure unauthorized() {
        return new ApiFailure(401, "Unauthorized", "Unauthorized");
    }

    static ApiFailure forbidden(ApiRequest request) {
        if (request.resource().isEmpty()) {
            return new ApiFailure(
                    403,
                    "Forbidden",
                    "forbidden: User \"%s\" cannot %s path \"%s\""
                            .formatted(request.user(), request.verb(), request.path()));
        }
        String resource = ResourceType.qualified(request.group(), request.resource());
        String named = request.name().isEmpty() ? "" : " \"" + request.name() + "\"";
        String what =
                request.subresource().isEmpty()
                        ? request.resource()
                        : request.resource() + "/" + request.subresource();
        String where =
                request.namespace().isEmpty()
                        ? "at the cluster scope"
                        : "in the namespace \"" + request.namespace() + "\"";
        return new ApiFailure(
                        403,
                        "Forbidden",
                        "%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\" %s"
                                .formatted(
                                        resource,
                                        named,
                                        request.user(),
                                        request.verb(),
                                        what,
                                        request.group(),
                                        where))
                .about(request.group(), request.resource(), request.name());
    }

    static ApiFailure exceededQuota(
            ResourceType type, String name, String quota, long used, long limit) {
        String count = "count/" + type.qualified();
        return new ApiFailure(
                        403,
                        "Forbidden",
                        "%s \"%s\" is forbidden: exceeded quota: %s, requested: %s=1, used: %s=%d, limited: %s=%d"
                                .formatted(
                                        type.qualified(),
                                        name,
                                        quota,
                                        count,
                                        count,
                                        used,
                                        count,
                                        limit))
                .about(type, name);
    }

    static ApiFailure deniedByPolicy(ResourceType type, String name, String message) {
        String denied =
                "ValidatingAdmissionPolicy 'owners' with binding 'owners' denied request: "
                        + message;
        ApiFailure failure =
                new ApiFailure(
                                422,
                                "Invalid",
                                "%s \"%s\" is forbidden: %s"
                                        .formatted(type.qualified(), name, denied))
                        .about(type, name);
        failure.details().putArray("causes").addObject().put("message", denied);
        return failure;
    }

    static ApiFailure deniedByWebhook(int code, String webhook, String message) {
        return new ApiFailure(
                code,
                code == 400 ? "BadRequest" : code == 500 ? "InternalError" : "Forbidden",
                "admission webhook \"%s\" denied the request: %s".formatted(webhook, message));
    }

    /** As a server says it that names the object first, of a webhook that gives no reason. */
    static ApiFailure deniedByWebhook(ResourceType type, String name, String webhook) {
        return new ApiFailure(
                        403,
                        "Forbidden",
                        ("%s \"%s\" is forbidden: admission webhook \"%s\" denied the request"
                                        + " without explanation")
                                .formatted(type.qualified(), name, webhook))
                .about(type, name);
    }

    static ApiFailure namespaceTerminating(ResourceType type, String name, String namespace) {
        return new ApiFailure(
                        403,
                        "Forbidden",
                        "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being terminated"
                                .formatted(type.qualified(), name, namespace))
                .about(type, name)
                .because(
                        List.of(
                                new Cause(
                                        "NamespaceTerminating",
                                        "namespace " + namespace + " is being terminated",
                                        "metadata.namespace")));
    }

    static ApiFailure notFound(ResourceType type, String name) {
        return new ApiFailure(
                        404, "NotFound", "%s \"%s\" not found".formatted(type.qualified(), name))
                .about(type, name);
    }

    static ApiFailure alreadyExists(ResourceType type, String name, boolean beingDeleted) {
        return new ApiFailure(
                        409,
                        "AlreadyExists",
                        (beingDeleted ? "object is being deleted: " : "")
                                + "%s \"%s\" already exists".formatted(type.qualified(), name))
                .about(type, name);
    }

    static ApiFailure modified(ResourceType type, String name) {
        return conflict(
                type,
                name,
                type.qualified(),
                "the object has been modified; please apply your changes to the latest version and"
                        + " try again");
    }

    static ApiFailure precondition(
            ResourceType type, String name, String what, String wanted, String found) {
        return conflict(
                type,
                name,
                type.qualifiedKind(),
                ("the %1$s in the precondition (%2$s) does not match the %1$s in record (%3$s). The"
                                + " object might have been %4$s")
                        .formatted(
                                what,
                                wanted,
                                found,
                                what.equals("UID") ? "deleted and then recreated" : "modified"));
    }

    private static ApiFailure conflict(
            ResourceType type, String name, String named, String message) {
        return new ApiFailure(
                        409,
                        "Conflict",
                        "Operation cannot be fulfilled on %s \"%s\": %s"
                                .formatted(named, name, message))
                .about(type, name);
    }

    static ApiFailure invalid(ResourceType type, String name, List<Cause> causes) {
        return invalid(type.qualifiedKind(), type, name, causes);
    }

    static ApiFailure noResourceVersion(ResourceType type, String name) {
        Cause cause =
                Cause.invalid(
                        "metadata.resourceVersion",
                        "Invalid value: 0: must be specified for an update");
        return invalid(type.qualified(), type, name, List.of(cause));
    }

    private static ApiFailure invalid(
            String named, ResourceType type, String name, List<Cause> causes) {
        String all =
                causes.stream()
                        .map(cause -> cause.field() + ": " + cause.message())
                        .collect(Collectors.joining(", "));
        return new ApiFailure(
                        422,
                        "Invalid",
                        "%s \"%s\" is invalid: %s"
                                .formatted(named, name, causes.size() > 1 ? "[" + all + "]" : all))
                .about(type.group(), type.kind(), name)
                .because(causes);
    }

    static ApiFailure expired() {
        return new ApiFailure(
                410,
                "Expired",
                "The provided continue parameter is too old to display a consistent list result."
                        + " You can start a new list without the continue parameter, or use the"
                        + " continue token in this response to retrieve the remainder of the"
                        + " results. Continuing with the provided token results in an inconsistent"
                        + " list - objects that were created, modified, or deleted between the time"
                        + " the first chunk was returned and now may show up in the list.");
    }

    static ApiFailure expired(String continueToken) {
        ApiFailure failure = expired();
        failure.status.withObjectProperty("metadata").put("continue", continueToken);
        return failure;
    }

    /** What a path gets that is not served: plain text, not a Status. */
    static ApiAnswer pageNotFound() {
        return ApiAnswer.of(404, "text/plain; charset=utf-8", "404 page not found\n")
                .with("X-Content-Type-Options", "nosniff");
    }
}
