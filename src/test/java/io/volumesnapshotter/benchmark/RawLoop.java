package io.volumesnapshotter.benchmark;

import io.fabric8.kubernetes.client.utils.Serialization;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Creates snapshots and does nothing else, with a client that does nothing else: what is the limit.
 */
final class RawLoop {

    private RawLoop() {}

    /**
     * Creates one snapshot of each claim.
     *
     * @param claims how many, named {@code claim-0} and so on
     * @param concurrency how many requests are under way at once
     * @return creations per second
     */
    static double creationsPerSecond(SimulatedCluster cluster, int claims, int concurrency)
            throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        ExecutorService threads = Executors.newFixedThreadPool(concurrency);
        try {
            Instant begin = Instant.now();
            List<Future<Integer>> answers = new ArrayList<>();
            for (int claim = 0; claim < claims; claim++) {
                HttpRequest request = request(cluster, "claim-" + claim);
                answers.add(
                        threads.submit(
                                () ->
                                        client.send(
                                                        request,
                                                        HttpResponse.BodyHandlers.ofByteArray())
                                                .statusCode()));
            }
            for (Future<Integer> answer : answers) {
                if (answer.get() != 201) {
                    throw new IllegalStateException("answered with " + answer.get());
                }
            }
            return claims / (Duration.between(begin, Instant.now()).toNanos() / 1e9);
        } finally {
            threads.shutdownNow();
        }
    }

    private static HttpRequest request(SimulatedCluster cluster, String claim) {
        String body =
                Serialization.asJson(
                        Map.of(
                                "apiVersion",
                                "snapshot.storage.k8s.io/v1",
                                "kind",
                                "VolumeSnapshot",
                                "metadata",
                                Map.of("name", claim + "-raw"),
                                "spec",
                                Map.of("source", Map.of("persistentVolumeClaimName", claim))));
        return HttpRequest.newBuilder(
                        URI.create(
                                cluster.url()
                                        + "/apis/snapshot.storage.k8s.io/v1/namespaces/"
                                        + SimulatedCluster.NAMESPACE
                                        + "/volumesnapshots"))
                .header("Authorization", "Bearer " + cluster.token())
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }
}
