package io.volumesnapshotter;

import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens to all traffic with the API server, so that its being away is told once and not once per
 * try, and so that a 403 from a server that is just starting is not taken for missing rights.
 */
public final class ApiServer implements Interceptor {

    /**
     * How long after the last sign of a restart a 403 may still come from it. A restarting server
     * refuses connections, then answers 403 for about a second, then 429.
     */
    static final Duration RESTART = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);

    private final String url;
    private final InstantSource clock;
    private Instant lastTrouble = Instant.MIN;
    private Instant downSince;
    private boolean answered;

    /**
     * @param url its address, for messages
     */
    public ApiServer(String url, InstantSource clock) {
        this.url = url;
        this.clock = clock;
    }

    @Override
    public void after(
            HttpRequest request,
            HttpResponse<?> response,
            AsyncBody.Consumer<List<ByteBuffer>> consumer) {
        if (response.code() == 429 || response.code() >= 500) {
            unreachable("HTTP " + response.code());
        } else if (response.isSuccessful()) {
            success();
        }
    }

    /**
     * Takes note that a request got no answer. The client tells an interceptor of that only when it
     * retries by itself.
     */
    public synchronized void unreachable(String words) {
        lastTrouble = clock.instant();
        if (downSince == null) {
            downSince = lastTrouble;
            LOG.warn(
                    "the Kubernetes API at {} does not serve: {}; trying again until it does",
                    url,
                    words);
        }
    }

    private synchronized void success() {
        answered = true;
        if (downSince != null) {
            LOG.info(
                    "the Kubernetes API serves again after {} s",
                    Duration.between(downSince, clock.instant()).toSeconds());
            downSince = null;
        }
    }

    /** Whether a refusal may come from a server that is still starting. */
    public synchronized boolean isRestarting() {
        return lastTrouble.isAfter(clock.instant().minus(RESTART));
    }

    /** Whether it ever carried out a request of this program. */
    public synchronized boolean hasAnswered() {
        return answered;
    }
}
