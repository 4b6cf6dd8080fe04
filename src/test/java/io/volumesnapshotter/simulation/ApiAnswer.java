package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the simulated API server sends back; tests also make their own ones for {@link Faults}. */
public record ApiAnswer(int code, List<Map.Entry<String, String>> headers, byte[] body) {

    static ApiAnswer json(int code, JsonNode body) {
        return json(code, Json.bytes(body));
    }

    static ApiAnswer json(int code, byte[] body) {
        return new ApiAnswer(code, List.of(Map.entry("Content-Type", "application/json")), body);
    }

    /** Any text with any content type, for answers that are not what they should be. */
    public static ApiAnswer of(int code, String contentType, String body) {
        return new ApiAnswer(
                code,
                List.of(Map.entry("Content-Type", contentType)),
                body.getBytes(StandardCharsets.UTF_8));
    }

    /** A {@code Status} object of kind Failure, as the API server writes it. */
    public static ApiAnswer status(int code, String reason, String message) {
        return new ApiFailure(code, reason, message).answer();
    }

    /** 429 as API priority and fairness sends it, with a Retry-After in seconds. */
    public static ApiAnswer tooManyRequests(int retryAfter) {
        return tooManyRequests().with("Retry-After", Integer.toString(retryAfter));
    }

    /** 429 without a Retry-After. */
    public static ApiAnswer tooManyRequests() {
        return status(429, "TooManyRequests", "Too many requests, please try again later.");
    }

    /** 410 as an expired list or watch token gets it. */
    public static ApiAnswer expired() {
        return ApiFailure.expired().answer();
    }

    /** 403 as one gets it who lacks the right for this request. */
    public static ApiAnswer forbidden(ApiRequest request) {
        return ApiFailure.forbidden(request).answer();
    }

    /** 403 as a snapshot gets it for which a quota has no room. */
    public static ApiAnswer exceededQuota(ApiRequest request) {
        return ApiFailure.exceededQuota(ResourceType.SNAPSHOT, request.objectName(), "q", 7, 7)
                .answer();
    }

    /** 422 as a snapshot gets it that a ValidatingAdmissionPolicy denies with this message. */
    public static ApiAnswer deniedByPolicy(ApiRequest request, String message) {
        return ApiFailure.deniedByPolicy(ResourceType.SNAPSHOT, request.objectName(), message)
                .answer();
    }

    /**
     * What an admission webhook answers that denies.
     *
     * @param code the code that it chose
     */
    public static ApiAnswer deniedByWebhook(int code, String webhook, String message) {
        return ApiFailure.deniedByWebhook(code, webhook, message).answer();
    }

    /** 403 of a webhook that denies without a message, as newer API servers put it. */
    public static ApiAnswer deniedByWebhookOfNewerServer(ApiRequest request, String webhook) {
        return ApiFailure.deniedByWebhook(ResourceType.SNAPSHOT, request.objectName(), webhook)
                .answer();
    }

    /** 403 as a snapshot gets it in a namespace that is going away. */
    public static ApiAnswer namespaceTerminating(ApiRequest request) {
        return ApiFailure.namespaceTerminating(
                        ResourceType.SNAPSHOT, request.objectName(), request.namespace())
                .answer();
    }

    /** 404 as a namespace gets it that is not there. */
    public static ApiAnswer noNamespace(ApiRequest request) {
        return ApiFailure.notFound(ResourceType.NAMESPACE, request.namespace()).answer();
    }

    /** 404 as a path gets it that is not served: plain text. */
    public static ApiAnswer pageNotFound() {
        return ApiFailure.pageNotFound();
    }

    /**
     * 409 AlreadyExists.
     *
     * @param beingDeleted whether the one that exists is terminating
     */
    public static ApiAnswer alreadyExists(ApiRequest request, boolean beingDeleted) {
        return ApiFailure.alreadyExists(ResourceType.SNAPSHOT, request.objectName(), beingDeleted)
                .answer();
    }

    /** 409 Conflict. */
    public static ApiAnswer conflict(ApiRequest request) {
        return ApiFailure.modified(ResourceType.SNAPSHOT, request.objectName()).answer();
    }

    /** 422 for a source that is none. */
    public static ApiAnswer invalid(ApiRequest request) {
        ApiFailure.Cause cause =
                ApiFailure.Cause.invalid(
                        "spec.source",
                        "Invalid value: exactly one of volumeSnapshotContentName and"
                                + " persistentVolumeClaimName must be set");
        return ApiFailure.invalid(ResourceType.SNAPSHOT, request.objectName(), List.of(cause))
                .answer();
    }

    /** JSON that ends in the middle, under a 200. */
    public static ApiAnswer brokenJson() {
        return of(200, "application/json", "{\"kind\":\"VolumeSnapshot\",\"metadata\":{\"na");
    }

    /** A well-formed object of a kind that nobody asked for, under a 200. */
    public static ApiAnswer wrongKind() {
        return of(
                200,
                "application/json",
                "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"other\"}}");
    }

    /** This answer with one more header. */
    public ApiAnswer with(String header, String value) {
        List<Map.Entry<String, String>> more = new ArrayList<>(headers);
        more.add(Map.entry(header, value));
        return new ApiAnswer(code, List.copyOf(more), body);
    }
}
