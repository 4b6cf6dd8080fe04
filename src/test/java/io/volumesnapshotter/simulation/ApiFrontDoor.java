package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.mockwebserver.dsl.HttpMethod;
import io.fabric8.mockwebserver.http.Buffer;
import io.fabric8.mockwebserver.http.Headers;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What every request passes, in this order: faults, authentication, authorization, and then the
 * strict store or, for kinds that it does not know, the mock server's CRUD mode.
 */
final class ApiFrontDoor implements ApiServer.Handler {

    /** What an address begins with that has the token, too. */
    static final String AS = "/as/";

    /** The steps of an API server that has just been started. */
    enum Phase {
        FORBIDDEN,
        INITIALIZING,
        SERVING
    }

    private final ResourceApi api;
    private final AccessRules access;
    private final Faults faults;
    private final RequestLog log;
    private final SimulatedPods pods;
    private final KubernetesCrudDispatcher others = new KubernetesCrudDispatcher();
    private volatile Phase phase = Phase.SERVING;

    /** The version in which each group of custom resources is served; one without is not. */
    private final Map<String, String> customVersions =
            new ConcurrentHashMap<>(
                    Map.of(ResourceType.SNAPSHOT.group(), ResourceType.SNAPSHOT.version()));

    ApiFrontDoor(
            ResourceApi api,
            AccessRules access,
            Faults faults,
            RequestLog log,
            SimulatedPods pods) {
        this.pods = pods;
        this.api = api;
        this.access = access;
        this.faults = faults;
        this.log = log;
    }

    void phase(Phase phase) {
        this.phase = phase;
    }

    /** Serves a group of custom resources in one version. */
    void serve(String group, String version) {
        customVersions.put(group, version);
    }

    /** Serves a group of custom resources no more. */
    void withdraw(String group) {
        customVersions.remove(group);
    }

    @Override
    public ApiServer.Reply handle(
            String method, String address, Map<String, String> headers, String body) {
        String authorization = headers.getOrDefault("authorization", "");
        String uri = address;
        if (address.startsWith(AS)) {
            int end = address.indexOf('/', AS.length());
            authorization = "Bearer " + address.substring(AS.length(), end);
            uri = address.substring(end);
        }
        String user = "";
        ApiFailure stranger = null;
        try {
            user = access.user(authorization);
            String other = headers.getOrDefault("impersonate-user", "");
            if (!other.isEmpty()) {
                access.checkMayBe(user, other);
                user = other;
            }
        } catch (ApiFailure e) {
            stranger = e;
        }
        ApiRequest request = ApiRequest.parse(user, method, uri, headers, body);
        if (user.equals(AccessRules.ADMIN)) {
            return carryOut(request, null);
        }
        int code = 0;
        try {
            ApiServer.Reply reply;
            ApiAnswer fault = faults.at(Faults.Boundary.ARRIVED, request);
            if (fault != null) {
                reply = ApiServer.Reply.of(fault, () -> {});
            } else {
                reply = carryOut(request, stranger);
            }
            code = reply.answer() == null ? 101 : reply.answer().code();
            return afterwards(request, reply);
        } catch (Faults.Cut cut) {
            return ApiServer.Reply.cut(null, cut);
        } finally {
            log.add(request, code);
        }
    }

    private ApiServer.Reply afterwards(ApiRequest request, ApiServer.Reply reply) {
        if (reply.answer() == null) {
            return reply;
        }
        ApiAnswer answer = reply.answer();
        try {
            ApiAnswer fault = faults.at(Faults.Boundary.CARRIED_OUT, request);
            answer = fault == null ? answer : fault;
        } catch (Faults.Cut cut) {
            return ApiServer.Reply.cut(answer, cut);
        }
        return ApiServer.Reply.of(answer, () -> faults.at(Faults.Boundary.ANSWERED, request));
    }

    private ApiServer.Reply carryOut(ApiRequest request, ApiFailure stranger) {
        try {
            if (stranger != null) {
                throw stranger;
            }
            if (!request.user().equals(AccessRules.ADMIN)) {
                if (phase == Phase.FORBIDDEN) {
                    throw ApiFailure.forbidden(request);
                }
                access.check(request);
                if (phase == Phase.INITIALIZING) {
                    ApiAnswer wait =
                            ApiAnswer.status(429, "TooManyRequests", "storage is (re)initializing");
                    return ApiServer.Reply.of(wait.with("Retry-After", "1"), () -> {});
                }
            }
            return serve(request);
        } catch (ApiFailure failure) {
            return ApiServer.Reply.of(failure.answer(), () -> {});
        }
    }

    private ApiServer.Reply serve(ApiRequest request) {
        if (request.resource().isEmpty()) {
            return ApiServer.Reply.of(Discovery.answer(request.path(), customVersions), () -> {});
        }
        ResourceType type = ResourceType.find(request.group(), request.resource());
        ApiAnswer answer;
        if (request.resource().equals("selfsubjectaccessreviews")) {
            answer = review(request);
        } else if (type == null
                ? request.group().equals(ResourceType.SNAPSHOT.group())
                : !request.version().equals(servedVersion(type))) {
            answer = ApiFailure.pageNotFound();
        } else if (type == null) {
            return other(request);
        } else if (request.is("watch")) {
            return ApiServer.Reply.watch(api.watch(type, request));
        } else if (type.equals(ResourceType.POD) && request.subresource().equals("log")) {
            answer = ApiAnswer.of(200, "text/plain", pods.log(request.namespace(), request.name()));
        } else if (request.subresource().equals("token")) {
            answer = token(request);
        } else {
            answer = api.handle(type, request);
        }
        return ApiServer.Reply.of(answer, () -> {});
    }

    private String servedVersion(ResourceType type) {
        return type.custom() ? customVersions.get(type.group()) : type.version();
    }

    private ApiAnswer review(ApiRequest request) {
        ObjectNode review = RequestBody.parse(request, "SelfSubjectAccessReview");
        JsonNode wanted = review.path("spec").path("resourceAttributes");
        String subresource = Json.text(wanted, "subresource");
        boolean allowed =
                access.allowed(
                        request.user(),
                        Json.text(wanted, "namespace"),
                        Json.text(wanted, "group"),
                        Json.text(wanted, "resource")
                                + (subresource.isEmpty() ? "" : "/" + subresource),
                        Json.text(wanted, "name"),
                        Json.text(wanted, "verb"));
        review.putObject("status").put("allowed", allowed);
        return ApiAnswer.json(201, review);
    }

    private ApiAnswer token(ApiRequest request) {
        String token = UUID.randomUUID().toString();
        access.token(
                token,
                "system:serviceaccount:%s:%s".formatted(request.namespace(), request.name()));
        ObjectNode answer = RequestBody.parse(request, "TokenRequest");
        answer.putObject("status").put("token", token);
        return ApiAnswer.json(201, answer);
    }

    private ApiServer.Reply other(ApiRequest request) {
        Headers.Builder headers = Headers.builder();
        request.headers().forEach(headers::add);
        String query =
                request.query().entrySet().stream()
                        .map(Discovery::encode)
                        .reduce((a, b) -> a + "&" + b)
                        .map(all -> "?" + all)
                        .orElse("");
        RecordedRequest recorded =
                new RecordedRequest(
                        "HTTP/1.1",
                        HttpMethod.valueOf(request.method()),
                        request.path() + query,
                        headers.build(),
                        new Buffer(request.body().getBytes(StandardCharsets.UTF_8)));
        MockResponse response = others.dispatch(recorded);
        if (response.getWebSocketListener() != null) {
            return ApiServer.Reply.webSocket(recorded, response);
        }
        String body = response.getBody() == null ? "{}" : response.getBody().readUtf8();
        return ApiServer.Reply.of(
                ApiAnswer.of(response.code(), "application/json", body), () -> {});
    }
}
