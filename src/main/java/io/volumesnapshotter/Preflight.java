package io.volumesnapshotter;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the start whether the cluster lets the program work: whether it answers, whether
 * VolumeSnapshots are known to it, whether they may be listed. What is missing may come, so the
 * program goes on, looks again until all is there, and tells each finding once.
 */
public final class Preflight extends ServiceSupport {

    private static final Logger LOG = LoggerFactory.getLogger(Preflight.class);

    private static final long FIRST_DELAY = 1;
    private static final long LAST_DELAY = 30;

    private final Snapshots snapshots;
    private final ApiServer apiServer;
    private final Optional<String> namespace;
    private final ScheduledExecutorService executor;
    private String lastFinding = "";

    /**
     * @param namespace namespace of the claims; empty for several
     * @param executor where to look; it ends with this service
     */
    public Preflight(
            Snapshots snapshots,
            ApiServer apiServer,
            Optional<String> namespace,
            ScheduledExecutorService executor) {
        this.snapshots = snapshots;
        this.apiServer = apiServer;
        this.namespace = namespace;
        this.executor = executor;
    }

    @Override
    protected void doStart() {
        executor.execute(() -> look(FIRST_DELAY));
    }

    @Override
    protected void doStop() {
        executor.shutdownNow();
    }

    private void look(long delay) {
        try {
            snapshots.probe(namespace);
            LOG.info("ready: VolumeSnapshots of {} can be listed", where());
        } catch (KubernetesClientException e) {
            if (!executor.isShutdown()) {
                tell(e);
                executor.schedule(
                        () -> look(Math.min(2 * delay, LAST_DELAY)), delay, TimeUnit.SECONDS);
            }
        }
    }

    /** A server that does not serve is told by {@link ApiServer}, for all requests. */
    private void tell(KubernetesClientException answer) {
        boolean unreadable = Causes.has(JacksonException.class, answer);
        if (answer.getCode() <= 0 && !unreadable) {
            apiServer.unreachable(Failures.rootWords(answer));
        }
        String finding =
                switch (answer.getCode()) {
                    case 401, 403, 404 -> Failures.words(answer) + " -> " + Failures.remedy(answer);
                    default ->
                            unreadable
                                    ? "what answers is not a Kubernetes API -> check the server's"
                                            + " address in the kubeconfig"
                                    : "";
                };
        if (!finding.isEmpty() && !finding.equals(lastFinding)) {
            LOG.error("VolumeSnapshots of {}: {}", where(), finding);
        }
        lastFinding = finding;
    }

    private String where() {
        return namespace.map(name -> "namespace " + name).orElse("all namespaces");
    }
}
