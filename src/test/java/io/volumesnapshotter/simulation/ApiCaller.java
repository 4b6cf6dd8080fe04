package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.net.URI;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls the API as one user and shows the bare answer: code, headers and body. */
final class ApiCaller implements AutoCloseable {

    static final String SNAPSHOT_API = "/apis/snapshot.storage.k8s.io/v1";
    private static final int TIMEOUT = 30;

    /** An answer of the API server. */
    record Answer(int code, String contentType, String warning, String retryAfter, String body) {

        JsonNode json() {
            try {
                return Json.MAPPER.readTree(body);
            } catch (JsonProcessingException e) {
                throw new AssertionError("no JSON: " + body, e);
            }
        }

        String reason() {
            return Json.text(json(), "reason");
        }

        String message() {
            return Json.text(json(), "message");
        }

        /** The code and the words of a refusal. */
        String refusal() {
            return code + " " + reason() + ": " + message();
        }

        /** The field of the first cause. */
        String field() {
            return json().path("details").path("causes").path(0).path("field").asText();
        }
    }

    private final KubernetesClient client;

    /**
     * Speaks HTTP/1.1 as the program does. On HTTP/2 an API server ends the connection with GOAWAY
     * after it refused an unknown user, and the JDK's client may lose the refusal by that.
     */
    ApiCaller(Config config) {
        client =
                new KubernetesClientBuilder()
                        .withConfig(new ConfigBuilder(config).withHttp2Disable(true).build())
                        .build();
    }

    Answer get(String path) {
        return call("GET", path, null, null);
    }

    Answer post(String path, String body) {
        return call("POST", path, "application/json", body);
    }

    Answer put(String path, String body) {
        return call("PUT", path, "application/json", body);
    }

    Answer mergePatch(String path, String body) {
        return call("PATCH", path, "application/merge-patch+json", body);
    }

    Answer delete(String path) {
        return delete(path, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\"}");
    }

    Answer delete(String path, String body) {
        return call("DELETE", path, "application/json", body);
    }

    Answer call(String method, String path, String contentType, String body) {
        URI uri = URI.create(client.getMasterUrl().toString().replaceFirst("/$", "") + path);
        HttpRequest.Builder request = client.getHttpClient().newHttpRequestBuilder().uri(uri);
        request.method(method, contentType, body);
        try {
            HttpResponse<String> response =
                    client.getHttpClient()
                            .sendAsync(request.build(), String.class)
                            .get(TIMEOUT, TimeUnit.SECONDS);
            return new Answer(
                    response.code(),
                    header(response, "Content-Type"),
                    header(response, "Warning"),
                    header(response, "Retry-After"),
                    response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(method + " " + path, e);
        }
    }

    private static String header(HttpResponse<String> response, String name) {
        String value = response.header(name);
        return value == null ? "" : value;
    }

    @Override
    public void close() {
        client.close();
    }
}
