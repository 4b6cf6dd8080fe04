package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * Who may do what: exactly what was granted here, or by a Role and a RoleBinding in the store, so
 * that manifests can be tried as they ship.
 */
public final class AccessRules {

    /** Stands for every namespace and the cluster scope. */
    public static final String EVERYWHERE = "*";

    static final String ADMIN = "system:admin";
    static final String ANONYMOUS = "system:anonymous";
    private static final Set<String> OPEN_TO_ALL =
            Set.of("/version", "/healthz", "/livez", "/readyz");
    private static final Set<String> SELF_REVIEWS =
            Set.of("selfsubjectaccessreviews", "selfsubjectrulesreviews");

    private record Grant(String user, String namespace, String resource, String verb) {

        boolean allows(String user, String namespace, String resource, String verb) {
            return this.user.equals(user)
                    && (this.namespace.equals(EVERYWHERE) || this.namespace.equals(namespace))
                    && this.resource.equals(resource)
                    && this.verb.equals(verb);
        }
    }

    private final ObjectStore store;
    private final String program;
    private final List<Grant> grants = new CopyOnWriteArrayList<>();
    private final Map<String, String> users = new ConcurrentHashMap<>();
    private volatile boolean reviews = true;

    AccessRules(ObjectStore store, String program) {
        this.store = store;
        this.program = program;
    }

    /**
     * Lets the program do this.
     *
     * @param namespace a namespace or {@link #EVERYWHERE}
     * @param resource plural and group as in {@code volumesnapshots.snapshot.storage.k8s.io}, with
     *     a subresource after a slash
     */
    public AccessRules grant(String namespace, String resource, String... verbs) {
        for (String verb : verbs) {
            grants.add(new Grant(program, namespace, resource, verb));
        }
        return this;
    }

    /** Takes back what {@link #grant} gave. */
    public AccessRules revoke(String namespace, String resource, String... verbs) {
        for (String verb : verbs) {
            grants.remove(new Grant(program, namespace, resource, verb));
        }
        return this;
    }

    /** Leaves the program without any grant. */
    public AccessRules revokeAll() {
        grants.clear();
        return this;
    }

    /** Refuses questions about one's own rights, as a cluster without system:basic-user does. */
    public AccessRules withoutReviews() {
        reviews = false;
        return this;
    }

    void token(String token, String user) {
        users.put(token, user);
    }

    void forget(String token) {
        users.remove(token);
    }

    /** The user of an Authorization header: anonymous without one, 401 for an unknown token. */
    String user(String authorization) {
        if (!authorization.startsWith("Bearer ")) {
            return ANONYMOUS;
        }
        String user = users.get(authorization.substring("Bearer ".length()).strip());
        if (user == null) {
            throw ApiFailure.unauthorized();
        }
        return user;
    }

    void check(ApiRequest request) {
        if (!allowed(request)) {
            throw ApiFailure.forbidden(request);
        }
    }

    /** Whether a user may send requests as another. */
    void checkMayBe(String user, String other) {
        check(
                new ApiRequest(
                        user,
                        "",
                        "",
                        "impersonate",
                        "",
                        "",
                        "users",
                        "",
                        "",
                        other,
                        Map.of(),
                        Map.of(),
                        ""));
    }

    private boolean allowed(ApiRequest request) {
        boolean authenticated = !request.user().equals(ANONYMOUS);
        if (request.resource().isEmpty()) {
            return authenticated || OPEN_TO_ALL.contains(request.path());
        }
        if (authenticated && reviews && SELF_REVIEWS.contains(request.resource())) {
            return true;
        }
        String resource =
                request.subresource().isEmpty()
                        ? request.resource()
                        : request.resource() + "/" + request.subresource();
        return allowed(
                request.user(),
                request.namespace(),
                request.group(),
                resource,
                request.name(),
                request.verb());
    }

    boolean allowed(
            String user,
            String namespace,
            String group,
            String resource,
            String name,
            String verb) {
        if (user.equals(ADMIN)) {
            return true;
        }
        int slash = resource.indexOf('/');
        String plural = slash < 0 ? resource : resource.substring(0, slash);
        String sub = slash < 0 ? "" : resource.substring(slash);
        String qualified = ResourceType.qualified(group, plural) + sub;
        return grants.stream().anyMatch(g -> g.allows(user, namespace, qualified, verb))
                || boundRules(user, namespace)
                        .anyMatch(
                                rule ->
                                        contains(rule.path("apiGroups"), group)
                                                && contains(rule.path("resources"), resource)
                                                && contains(rule.path("verbs"), verb)
                                                && (rule.path("resourceNames").isEmpty()
                                                        || contains(
                                                                rule.path("resourceNames"), name)));
    }

    private Stream<JsonNode> boundRules(String user, String namespace) {
        Stream<ObjectNode> local =
                namespace.isEmpty()
                        ? Stream.empty()
                        : store.all(ResourceType.ROLE_BINDING, namespace).stream();
        return Stream.concat(local, store.all(ResourceType.CLUSTER_ROLE_BINDING, "").stream())
                .filter(binding -> binds(binding, user))
                .flatMap(binding -> rules(binding.path("roleRef"), namespace));
    }

    private static boolean binds(JsonNode binding, String user) {
        for (JsonNode subject : binding.path("subjects")) {
            String name = Json.text(subject, "name");
            String account =
                    "system:serviceaccount:" + Json.text(subject, "namespace") + ":" + name;
            if (user.equals(Json.text(subject, "kind").equals("ServiceAccount") ? account : name)) {
                return true;
            }
        }
        return false;
    }

    private Stream<JsonNode> rules(JsonNode roleRef, String namespace) {
        boolean local = Json.text(roleRef, "kind").equals("Role");
        JsonNode role =
                store.get(
                        local ? ResourceType.ROLE : ResourceType.CLUSTER_ROLE,
                        local ? namespace : "",
                        Json.text(roleRef, "name"));
        return role == null ? Stream.empty() : role.path("rules").valueStream();
    }

    private static boolean contains(JsonNode list, String value) {
        return list.valueStream()
                .anyMatch(entry -> entry.asText().equals(value) || entry.asText().equals("*"));
    }
}
