package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.volumesnapshotter.settings.OneLine;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

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

    /** How much of an answer is read that is an error, in bytes; it says why in its first ones. */
    private static final int MAX_ERROR = 256 * 1024;

    /**
     * Names are not put into a table: whoever writes annotations could fill it, or let all fall
     * into one place of it.
     */
    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNameLength(Integer.MAX_VALUE)
                                    .build())
                    .build();

    private final KubernetesClient client;

    public ClusterReader(KubernetesClient client) {
        this.client = client;
    }

    /** Reads an answer that is no error. */
    private interface Reading<T> {
        T read(JsonParser parser) throws IOException;
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

    private <T> T send(
            String verb, ResourceDefinitionContext kind, String path, Reading<T> reading) {
        HttpClient http = client.getHttpClient();
        Duration limit = Duration.ofMillis(client.getConfiguration().getRequestTimeout());
        HttpRequest request =
                http.newHttpRequestBuilder()
                        .uri(client.getConfiguration().getMasterUrl() + path)
                        .header("Accept", "application/json")
                        .timeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                        .build();
        try (BodyStream body = new BodyStream(limit)) {
            CompletableFuture<HttpResponse<AsyncBody>> sent = http.consumeBytes(request, body);
            HttpResponse<AsyncBody> response = await(sent);
            body.begin(response.body());
            if (!response.isSuccessful()) {
                throw failure(request, response, body);
            }
            try (JsonParser parser = JSON.createParser((InputStream) body)) {
                T read = reading.read(parser);
                // To the end, so that the connection serves another request.
                while (parser.nextToken() != null) {
                    parser.skipChildren();
                }
                return read;
            }
        } catch (IOException e) {
            throw new KubernetesClientException(
                    "Operation: [%s]  for kind: [%s]  failed.".formatted(verb, kind.getKind()), e);
        }
    }

    private static <T> T await(CompletableFuture<T> sent) throws IOException {
        try {
            return sent.get();
        } catch (InterruptedException e) {
            sent.cancel(true);
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException().initCause(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KubernetesClientException failure) {
                throw failure.copyAsCause();
            }
            throw new IOException(e.getCause().getMessage(), e.getCause());
        }
    }

    /** An error as the client tells it, with the server's status. */
    private KubernetesClientException failure(
            HttpRequest request, HttpResponse<?> response, InputStream body) {
        Status status = null;
        try {
            String text = new String(body.readNBytes(MAX_ERROR), StandardCharsets.UTF_8);
            status = client.getKubernetesSerialization().unmarshal(text, Status.class);
        } catch (IOException | RuntimeException e) {
            // It is no Status: the code has to do.
        }
        if (status == null || status.getMessage() == null && status.getReason() == null) {
            status = new StatusBuilder().withMessage(response.message()).build();
        }
        status.setCode(response.code());
        return new KubernetesClientException(
                "Failure executing: GET at: %s. Message: %s."
                        .formatted(
                                request.uri(), OneLine.of(Objects.toString(status.getMessage()))),
                null,
                response.code(),
                status,
                request);
    }
}
