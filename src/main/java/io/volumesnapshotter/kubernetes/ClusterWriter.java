package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.volumesnapshotter.settings.OneLine;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Sends changes of objects, each once. Camel's producers and the client's own calls read an object
 * before they change it, and know no preconditions.
 */
public final class ClusterWriter {

    private static final String JSON = "application/json";
    private static final String MERGE = "application/merge-patch+json";

    private final KubernetesClient client;

    public ClusterWriter(KubernetesClient client) {
        this.client = client;
    }

    /**
     * Sends a change.
     *
     * @return true, so that a route can show that it sent it
     * @throws KubernetesClientException when it was refused, or when nobody knows what became of it
     */
    public boolean send(Change change) {
        HttpClient http = client.getHttpClient();
        boolean creates = change.verb().equals("create");
        String path = ClusterReader.path(change.kind(), change.namespace());
        HttpRequest request =
                http.newHttpRequestBuilder()
                        .uri(
                                client.getConfiguration().getMasterUrl()
                                        + path
                                        + (creates
                                                ? ""
                                                : "/" + ClusterReader.encode(change.name())))
                        .header("Accept", JSON)
                        .method(
                                method(change),
                                change.verb().equals("patch") ? MERGE : JSON,
                                client.getKubernetesSerialization().asJson(change.body()))
                        .timeout(
                                client.getConfiguration().getRequestTimeout(),
                                TimeUnit.MILLISECONDS)
                        .build();
        try {
            HttpResponse<String> response = http.sendAsync(request, String.class).get();
            if (!response.isSuccessful()) {
                throw failure(change, request, response);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(change, new InterruptedIOException(e.getMessage()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KubernetesClientException failure) {
                throw failure.copyAsCause();
            }
            throw failed(change, new IOException(e.getCause().getMessage(), e.getCause()));
        }
    }

    private static String method(Change change) {
        return switch (change.verb()) {
            case "create" -> "POST";
            case "patch" -> "PATCH";
            case "delete" -> "DELETE";
            default -> throw new IllegalArgumentException(change.verb());
        };
    }

    private static KubernetesClientException failed(Change change, IOException cause) {
        return new KubernetesClientException(
                "Operation: [%s]  for kind: [%s]  failed."
                        .formatted(change.verb(), change.kind().getKind()),
                cause);
    }

    private KubernetesClientException failure(
            Change change, HttpRequest request, HttpResponse<String> response) {
        Status status = null;
        try {
            status = client.getKubernetesSerialization().unmarshal(response.body(), Status.class);
        } catch (RuntimeException e) {
            // It is no Status: the code has to do.
        }
        if (status == null || status.getMessage() == null && status.getReason() == null) {
            status = new StatusBuilder().withMessage(response.message()).build();
        }
        status.setCode(response.code());
        return new KubernetesClientException(
                "Failure executing: %s at: %s. Message: %s."
                        .formatted(
                                method(change),
                                request.uri(),
                                OneLine.of(Objects.toString(status.getMessage()))),
                null,
                response.code(),
                status,
                request);
    }
}
