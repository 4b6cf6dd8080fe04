package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpClient;
import java.time.Duration;
import java.util.function.Consumer;

/** Makes the clients that the program uses. */
public final class ClusterAccess {

    /** How long to wait for a connection, in milliseconds. */
    private static final int CONNECTION_TIMEOUT = 5_000;

    /** How long to wait for an answer, in milliseconds. */
    private static final int REQUEST_TIMEOUT = 15_000;

    private ClusterAccess() {}

    /**
     * The client. It sends each request once, because retrying is the routes' business, and speaks
     * HTTP/1.1, because a request that timed out then takes its dead connection with it. It logs
     * none at any level, because fabric8 would log the token with it.
     */
    public static KubernetesClient connect(Cluster cluster, ApiServerMonitor apiServer) {
        return connect(
                cluster,
                CONNECTION_TIMEOUT,
                cluster.requestTimeout()
                        .map(limit -> Math.toIntExact(limit.toMillis()))
                        .orElse(REQUEST_TIMEOUT),
                http -> http.addOrReplaceInterceptor("api-server", apiServer));
    }

    /** Connects to the cluster, and with the token, of a configuration. */
    public static KubernetesClient connect(Config config, ApiServerMonitor apiServer) {
        return connect(Cluster.of(config), apiServer);
    }

    /**
     * A client for requests that are worth nothing when they come late. What becomes of them says
     * nothing about others: it tells no {@link ApiServerMonitor}.
     *
     * @param limit how long to wait for a connection, and for an answer
     */
    public static KubernetesClient connect(Cluster cluster, Duration limit) {
        int millis = Math.toIntExact(limit.toMillis());
        return connect(cluster, millis, millis, http -> {});
    }

    /** Connects to the cluster, and with the token, of a configuration. */
    public static KubernetesClient connect(Config config, Duration limit) {
        return connect(Cluster.of(config), limit);
    }

    private static KubernetesClient connect(
            Cluster cluster,
            int connectionTimeout,
            int requestTimeout,
            Consumer<HttpClient.Builder> http) {
        return cluster.connect(
                connectionTimeout,
                requestTimeout,
                http.andThen(builder -> builder.addOrReplaceInterceptor("HttpLogging", null)));
    }
}
