package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Reads objects of the cluster as a stream, and keeps only the fields that are asked for: whoever
 * may create objects may make each of them more than a megabyte big, and a list has hundreds on a
 * page. Requests go through the client's own HTTP client, with its credentials, interceptors and
 * time-outs; what fails is told by the client's exception.
 */
public final class ClusterReader {

    /** How often a list is begun anew because its pages are too old to go on with. */
    private static final int MAX_RESTARTS = 3;

    private static final int GONE = 410;
    private static final int NOT_FOUND = 404;

    private final KubernetesClient client;
    private final AnswerStream stream;

    public ClusterReader(KubernetesClient client) {
        this.client = client;
        stream = new AnswerStream(client);
    }

    private record Page(List<ApiObject> items, String next) {}

    /**
     * Lists objects page by page.
     *
     * @param namespace where; empty for all namespaces, and for what is in none
     * @param selector which, by label; null or empty for all
     * @param limit how many on a page
     * @param fields what is kept of each, as JSON pointers
     * @param use what to make of each; empty to leave it out
     * @throws KubernetesClientException when the list fails
     */
    public <T> List<T> list(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String selector,
            long limit,
            Collection<String> fields,
            Function<ApiObject, Optional<T>> use) {
        FieldReader items = new FieldReader(fields);
        for (int restarts = 0; ; restarts++) {
            List<T> found = new ArrayList<>();
            String next = "";
            try {
                do {
                    Page page = page(kind, namespace, selector, limit, next, items);
                    page.items().forEach(item -> use.apply(item).ifPresent(found::add));
                    next = page.next();
                } while (!next.isEmpty());
                return found;
            } catch (KubernetesClientException e) {
                if (e.getCode() != GONE || next.isEmpty() || restarts == MAX_RESTARTS) {
                    throw e;
                }
            }
        }
    }

    /**
     * Lists one object of a kind, to see that they may be listed.
     *
     * @throws KubernetesClientException when they may not
     */
    public void probe(ResourceDefinitionContext kind, Optional<String> namespace) {
        page(kind, namespace, null, 1, "", new FieldReader(List.of()));
    }

    /**
     * Reads one object.
     *
     * @return what is kept of it; empty when there is none
     * @throws KubernetesClientException when that fails
     */
    public Optional<ApiObject> get(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String name,
            Collection<String> fields) {
        List<String> kept = new ArrayList<>(fields);
        kept.addAll(List.of("/kind", "/metadata"));
        FieldReader reader = new FieldReader(kept);
        try {
            ApiObject found =
                    send(
                            "get",
                            kind,
                            path(kind, namespace) + "/" + encode(name),
                            parser -> reader.read(atObject(parser, kind.getKind())));
            AnswerCheck.kind(found.text("/kind"), found.has("/metadata"), kind.getKind());
            return Optional.of(found);
        } catch (KubernetesClientException e) {
            if (e.getCode() != NOT_FOUND) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /**
     * Waits by a watch until one object is as it is wanted.
     *
     * @param fields what is kept of each event, as JSON pointers below {@code /type} and {@code
     *     /object}
     * @param limit how long the server is asked to watch; the answer may take a second longer
     * @param until whether an event is the one that is waited for
     * @return that event; empty when the server ended the watch before it
     * @throws KubernetesClientException when it is refused, or breaks
     */
    public Optional<ApiObject> watch(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String name,
            Collection<String> fields,
            Duration limit,
            Predicate<ApiObject> until) {
        String which = "fieldSelector=" + encode("metadata.name=" + name);
        return watching(kind, namespace, which, fields, limit, until);
    }

    /**
     * Waits by a watch until one of several objects is as it is wanted.
     *
     * @param selector their labels
     * @param fields as for one object, and so is all else
     */
    public Optional<ApiObject> watchSelected(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String selector,
            Collection<String> fields,
            Duration limit,
            Predicate<ApiObject> until) {
        String which = "labelSelector=" + encode(selector);
        return watching(kind, namespace, which, fields, limit, until);
    }

    private Optional<ApiObject> watching(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String which,
            Collection<String> fields,
            Duration limit,
            Predicate<ApiObject> until) {
        FieldReader events = new FieldReader(fields);
        String path =
                "%s?watch=1&%s&timeoutSeconds=%d"
                        .formatted(path(kind, namespace), which, limit.plusMillis(999).toSeconds());
        return stream.read(
                "watch",
                kind,
                path,
                limit.plusSeconds(1),
                parser -> {
                    while (parser.nextToken() == JsonToken.START_OBJECT) {
                        ApiObject event = events.read(parser);
                        if (until.test(event)) {
                            return Optional.of(event);
                        }
                    }
                    return Optional.empty();
                });
    }

    private Page page(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String selector,
            long limit,
            String next,
            FieldReader items) {
        StringBuilder path =
                new StringBuilder(path(kind, namespace)).append("?limit=").append(limit);
        if (selector != null && !selector.isEmpty()) {
            path.append("&labelSelector=").append(encode(selector));
        }
        if (!next.isEmpty()) {
            path.append("&continue=").append(encode(next));
        }
        return send(
                "list",
                kind,
                path.toString(),
                parser -> page(parser, kind.getKind() + "List", items));
    }

    private static Page page(JsonParser parser, String kind, FieldReader reader)
            throws IOException {
        List<ApiObject> items = new ArrayList<>();
        String found = null;
        String next = "";
        boolean hasMetadata = false;
        atObject(parser, kind);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            if (name.equals("items") && value == JsonToken.START_ARRAY) {
                while (parser.nextToken() == JsonToken.START_OBJECT) {
                    items.add(reader.read(parser));
                }
            } else if (name.equals("kind") && value == JsonToken.VALUE_STRING) {
                found = parser.getText();
            } else if (name.equals("metadata") && value == JsonToken.START_OBJECT) {
                hasMetadata = true;
                next = next(parser);
            } else {
                parser.skipChildren();
            }
        }
        AnswerCheck.kind(found, hasMetadata, kind);
        return new Page(items, next);
    }

    /** The token for the next page, which is passed on as it is. */
    private static String next(JsonParser metadata) throws IOException {
        String next = "";
        while (metadata.nextToken() == JsonToken.FIELD_NAME) {
            String name = metadata.currentName();
            if (metadata.nextToken() == JsonToken.VALUE_STRING && name.equals("continue")) {
                next = metadata.getText();
            } else {
                metadata.skipChildren();
            }
        }
        return next;
    }

    private static JsonParser atObject(JsonParser parser, String kind) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            AnswerCheck.kind(null, false, kind);
        }
        return parser;
    }

    static String path(ResourceDefinitionContext kind, Optional<String> namespace) {
        String group = Objects.toString(kind.getGroup(), "");
        return (group.isEmpty() ? "api/" : "apis/" + group + "/")
                + kind.getVersion()
                + namespace.map(name -> "/namespaces/" + encode(name)).orElse("")
                + "/"
                + kind.getPlural();
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Reads a whole answer. */
    private <T> T send(
            String verb,
            ResourceDefinitionContext kind,
            String path,
            AnswerStream.Reading<T> reading) {
        return stream.read(
                verb,
                kind,
                path,
                Duration.ofMillis(client.getConfiguration().getRequestTimeout()),
                parser -> {
                    T read = reading.read(parser);
                    // To the end, so that the connection serves another request.
                    while (parser.nextToken() != null) {
                        parser.skipChildren();
                    }
                    return read;
                });
    }
}
