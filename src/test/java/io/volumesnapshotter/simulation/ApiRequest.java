package io.volumesnapshotter.simulation;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A request in the terms of the API: who wants to do what with which resource.
 *
 * @param verb as RBAC names it: create, get, list, watch, update, patch, delete, deletecollection
 * @param namespace empty at the cluster scope
 * @param name empty for a collection, except for a create: there it is the name in the body
 */
public record ApiRequest(
        String user,
        String method,
        String path,
        String verb,
        String group,
        String version,
        String resource,
        String subresource,
        String namespace,
        String name,
        Map<String, String> query,
        Map<String, String> headers,
        String body) {

    /** True for a request with this verb. */
    public boolean is(String verb) {
        return this.verb.equals(verb);
    }

    /** True for a request with this verb for this resource (plural). */
    public boolean is(String verb, String resource) {
        return is(verb) && this.resource.equals(resource);
    }

    /** The label selector of a list, or an empty string. */
    public String labelSelector() {
        return query("labelSelector");
    }

    /** The name of the object: from the path or, for a create, from the body. */
    public String objectName() {
        return name.isEmpty() && is("create") ? RequestBody.nameIn(body) : name;
    }

    String query(String key) {
        return query.getOrDefault(key, "");
    }

    String header(String name) {
        return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
    }

    static ApiRequest parse(
            String user, String method, String uri, Map<String, String> headers, String body) {
        int mark = uri.indexOf('?');
        String path = mark < 0 ? uri : uri.substring(0, mark);
        Map<String, String> query = mark < 0 ? Map.of() : parseQuery(uri.substring(mark + 1));
        List<String> parts =
                Arrays.stream(path.split("/"))
                        .filter(part -> !part.isEmpty())
                        .map(ApiRequest::decode)
                        .toList();
        String group = "";
        String version = "";
        List<String> rest = List.of();
        if (parts.size() > 2 && parts.get(0).equals("api")) {
            version = parts.get(1);
            rest = parts.subList(2, parts.size());
        } else if (parts.size() > 3 && parts.get(0).equals("apis")) {
            group = parts.get(1);
            version = parts.get(2);
            rest = parts.subList(3, parts.size());
        }
        String namespace = "";
        if (rest.size() > 1 && rest.get(0).equals("namespaces")) {
            namespace = rest.get(1);
            if (rest.size() > 2) {
                rest = rest.subList(2, rest.size());
            }
        }
        String name = part(rest, 1);
        return new ApiRequest(
                user,
                method,
                path,
                verb(method, !rest.isEmpty(), !name.isEmpty(), query),
                group,
                version,
                part(rest, 0),
                part(rest, 2),
                namespace,
                name,
                query,
                headers,
                body);
    }

    private static String part(List<String> parts, int index) {
        return parts.size() > index ? parts.get(index) : "";
    }

    private static String verb(
            String method, boolean resource, boolean named, Map<String, String> query) {
        if (!resource) {
            return method.toLowerCase(Locale.ROOT);
        }
        return switch (method) {
            case "POST" -> "create";
            case "PUT" -> "update";
            case "PATCH" -> "patch";
            case "DELETE" -> named ? "delete" : "deletecollection";
            default -> {
                boolean watch = List.of("true", "1").contains(query.getOrDefault("watch", ""));
                yield watch ? "watch" : named ? "get" : "list";
            }
        };
    }

    private static Map<String, String> parseQuery(String text) {
        Map<String, String> query = new LinkedHashMap<>();
        for (String pair : text.split("&")) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals);
            query.put(decode(key), equals < 0 ? "" : decode(pair.substring(equals + 1)));
        }
        return query;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
