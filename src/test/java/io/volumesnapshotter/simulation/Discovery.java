package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** The paths that are no resources: version, health, and which groups and resources there are. */
final class Discovery {

    private static final Map<String, String> SHORT_NAMES =
            Map.of(
                    "volumegroupsnapshots", "vgs",
                    "volumegroupsnapshotclasses", "vgsclass",
                    "persistentvolumeclaims", "pvc",
                    "persistentvolumes", "pv",
                    "pods", "po",
                    "volumesnapshots", "vs",
                    "volumesnapshotclasses", "vsclass",
                    "events", "ev");

    private Discovery() {}

    /**
     * What is at a path.
     *
     * @param customVersions the versions in which groups of custom resources are served
     */
    static ApiAnswer answer(String path, Map<String, String> customVersions) {
        List<ResourceType> types =
                ResourceType.ALL.stream()
                        .filter(type -> !type.custom() || customVersions.containsKey(type.group()))
                        .map(
                                type ->
                                        type.custom()
                                                ? type.in(customVersions.get(type.group()))
                                                : type)
                        .toList();
        return switch (path) {
            case "/healthz", "/livez", "/readyz" -> ApiAnswer.of(200, "text/plain", "ok");
            case "/version" ->
                    ApiAnswer.json(
                            200,
                            Json.object()
                                    .put("major", "1")
                                    .put("minor", "36")
                                    .put("gitVersion", "v1.36.2"));
            case "/api" -> {
                ObjectNode versions = Json.object().put("kind", "APIVersions");
                versions.putArray("versions").add("v1");
                yield ApiAnswer.json(200, versions);
            }
            case "/apis" -> ApiAnswer.json(200, groups(types));
            default -> {
                if (path.matches("/apis/[^/]+")) {
                    yield groupAnswer(path.substring("/apis/".length()), types);
                }
                yield resources(path, types);
            }
        };
    }

    private static ObjectNode groups(List<ResourceType> types) {
        ObjectNode list = Json.object().put("kind", "APIGroupList").put("apiVersion", "v1");
        ArrayNode groups = list.putArray("groups");
        TreeSet<String> names = new TreeSet<>();
        types.forEach(type -> names.add(type.group()));
        names.remove("");
        names.forEach(name -> groups.add(group(name, types)));
        return list;
    }

    private static ObjectNode group(String name, List<ResourceType> types) {
        ObjectNode group = Json.object().put("name", name);
        ArrayNode versions = group.putArray("versions");
        types.stream()
                .filter(type -> type.group().equals(name))
                .map(ResourceType::version)
                .distinct()
                .forEach(
                        version ->
                                versions.addObject()
                                        .put("groupVersion", name + "/" + version)
                                        .put("version", version));
        group.set("preferredVersion", versions.get(0));
        return group;
    }

    private static ApiAnswer groupAnswer(String name, List<ResourceType> types) {
        if (types.stream().noneMatch(type -> type.group().equals(name))) {
            return ApiFailure.pageNotFound();
        }
        return ApiAnswer.json(
                200, group(name, types).put("kind", "APIGroup").put("apiVersion", "v1"));
    }

    private static ApiAnswer resources(String path, List<ResourceType> types) {
        List<ResourceType> served = types.stream().filter(type -> path.equals(root(type))).toList();
        if (served.isEmpty()) {
            return ApiFailure.pageNotFound();
        }
        ObjectNode list = Json.object().put("kind", "APIResourceList").put("apiVersion", "v1");
        list.put("groupVersion", served.get(0).apiVersion());
        ArrayNode resources = list.putArray("resources");
        for (ResourceType type : served) {
            ObjectNode resource =
                    resources
                            .addObject()
                            .put("name", type.plural())
                            .put("singularName", type.kind().toLowerCase(Locale.ROOT))
                            .put("namespaced", type.namespaced())
                            .put("kind", type.kind());
            if (SHORT_NAMES.containsKey(type.plural())) {
                resource.putArray("shortNames").add(SHORT_NAMES.get(type.plural()));
            }
            ArrayNode verbs = resource.putArray("verbs");
            List.of("delete", "deletecollection", "get", "list", "patch", "create", "update")
                    .forEach(verbs::add);
        }
        return ApiAnswer.json(200, list);
    }

    private static String root(ResourceType type) {
        return (type.group().isEmpty() ? "/api/" : "/apis/") + type.apiVersion();
    }

    static String encode(Map.Entry<String, String> parameter) {
        return URLEncoder.encode(parameter.getKey(), StandardCharsets.UTF_8)
                + "="
                + URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8);
    }
}
