package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Decodes a body and refuses the ones that the API server cannot make an object of. */
final class RequestBody {

    private static final int QUOTED = 30;

    private RequestBody() {}

    static ObjectNode decode(ApiRequest request, ResourceType type) {
        ObjectNode object = parse(request, type.kind());
        if (Json.text(object, "kind").isEmpty()) {
            throw unrecognized(
                    type.kind(),
                    "Object 'Kind' is missing in '" + request.body() + "'",
                    request.body());
        }
        String apiVersion = Json.text(object, "apiVersion");
        String expected = type.in(request.version()).apiVersion();
        if (!apiVersion.equals(expected)) {
            throw ApiFailure.badRequest(
                    "the API version in the data (%s) does not match the expected API version (%s)"
                            .formatted(apiVersion, expected));
        }
        String namespace = Json.namespace(object);
        if (type.namespaced() && !namespace.isEmpty() && !namespace.equals(request.namespace())) {
            throw ApiFailure.badRequest(
                    "the namespace of the provided object does not match the namespace sent on the"
                            + " request");
        }
        if (!request.name().isEmpty()
                && request.is("update")
                && !Json.name(object).equals(request.name())) {
            throw ApiFailure.badRequest(
                    "the name of the object (%s) does not match the name on the URL (%s)"
                            .formatted(Json.name(object), request.name()));
        }
        return object;
    }

    static ObjectNode parse(ApiRequest request, String kind) {
        try {
            if (Json.MAPPER.readTree(request.body()) instanceof ObjectNode object) {
                return object;
            }
            throw noJson(kind, request.body(), "unexpected end of JSON input");
        } catch (JsonEOFException e) {
            throw noJson(kind, request.body(), "unexpected end of JSON input");
        } catch (JsonProcessingException e) {
            throw noJson(kind, request.body(), "invalid character in JSON input");
        }
    }

    static String nameIn(String body) {
        try {
            JsonNode node = Json.MAPPER.readTree(body);
            return node == null ? "" : Json.name(node);
        } catch (JsonProcessingException e) {
            return "";
        }
    }

    private static ApiFailure noJson(String kind, String body, String error) {
        return unrecognized(kind, "couldn't get version/kind; json parse error: " + error, body);
    }

    private static ApiFailure unrecognized(String kind, String error, String body) {
        String start = body.length() > QUOTED ? body.substring(0, QUOTED) + " ..." : body;
        return ApiFailure.badRequest(
                "the object provided is unrecognized (must be of type %s): %s (%s)"
                        .formatted(kind, error, start));
    }
}
