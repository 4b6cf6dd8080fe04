package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Requests whose answers are read as they come, through the client's own HTTP client, with its
 * credentials, interceptors and time-outs; what fails is told by the client's exception.
 */
final class AnswerStream {

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

    AnswerStream(KubernetesClient client) {
        this.client = client;
    }

    /** Reads an answer that is no error. */
    interface Reading<T> {
        T read(JsonParser parser) throws IOException;
    }

    /**
     * Sends a request, and reads its answer as far as the reading wants it.
     *
     * @param limit how long to wait for more of it
     * @throws KubernetesClientException when it is an error, or breaks
     */
    <T> T read(
            String verb,
            ResourceDefinitionContext kind,
            String path,
            Duration limit,
            Reading<T> reading) {
        HttpClient http = client.getHttpClient();
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
                return reading.read(parser);
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
