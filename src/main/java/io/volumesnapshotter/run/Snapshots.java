package io.volumesnapshotter.run;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/**
 * Lists VolumeSnapshots page by page, in one namespace or in all, and keeps of each only what the
 * program needs: fifty thousand of them fit into a small heap. Camel's own producer lists one
 * namespace, and all of it at once; and it deletes without preconditions.
 */
public final class Snapshots {

    /** A run's own snapshots are as many as its claims, and are listed again and again. */
    private static final long RUN_PAGE = 1000;

    private static final long PAGE = 500;
    private static final int NOT_FOUND = 404;
    private static final int THROTTLED = 429;

    private final KubernetesClient client;
    private final ClusterReader reader;
    private final Claims claims;
    private final InstantSource steady;

    /**
     * @param claims finds the claims that bear on deletions
     * @param steady measures how old facts are, whatever becomes of the wall clock
     */
    public Snapshots(KubernetesClient client, Claims claims, InstantSource steady) {
        this.client = client;
        reader = new ClusterReader(client);
        this.claims = claims;
        this.steady = steady;
    }

    /**
     * Lists a run's snapshots in a step of a route, unless a watch has just shown them; requests
     * are counted anew from here.
     */
    public List<Snapshot> ofRun(@Variable("run") Run run, Exchange exchange) {
        List<Snapshot> listed = run.view().takeShown(run).orElseGet(() -> ofRun(run));
        RetryPolicy.forgetTries(exchange);
        return listed;
    }

    /** Lists a run's snapshots. */
    public List<Snapshot> ofRun(Run run) {
        return list(run.listedNamespace(), run.selector(), RUN_PAGE);
    }

    /** Lists a schedule's snapshots in a step of a route; requests are counted anew from here. */
    public List<Snapshot> ofSchedule(@Variable("run") Run run, Exchange exchange) {
        List<Snapshot> listed = ofSchedule(run);
        RetryPolicy.forgetTries(exchange);
        return listed;
    }

    /** Lists the snapshots that the keep rules of a run's schedule are for, and perhaps others. */
    public List<Snapshot> ofSchedule(Run run) {
        return list(run.listedNamespace(), run.scope(), PAGE);
    }

    /**
     * All snapshots, whoever took them.
     *
     * @param namespace where; empty for all namespaces
     */
    public List<Snapshot> all(Optional<String> namespace) {
        return list(namespace, null, PAGE);
    }

    /** Reads the facts in a step of a route; requests are counted anew from here. */
    public ClusterFacts facts(@Variable("run") Run run, Exchange exchange) {
        ClusterFacts facts = facts(run);
        RetryPolicy.forgetTries(exchange);
        return facts;
    }

    /** Reads from the cluster what deletions are judged by. */
    public ClusterFacts facts(Run run) {
        // The time before the first request: nothing in the facts is older.
        Instant at = steady.instant();
        ClusterFacts facts =
                ClusterFacts.of(at, ofSchedule(run), claims.facts(run.listedNamespace()));
        run.pruning().setFacts(facts);
        return facts;
    }

    /** The facts that a run had last, unless they are too old: one list serves many deletions. */
    ClusterFacts recentFacts(Run run) {
        synchronized (run) {
            ClusterFacts recent = run.pruning().facts();
            return recent == null ? facts(run) : recent;
        }
    }

    /**
     * What room for a claim's snapshot is judged by. One whose creation was sent again may have its
     * snapshot since.
     */
    public ClusterFacts factsForRoom(
            @Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange) {
        boolean isRetried = run.progress().ask(claim, ClaimProgress::isRetried, false);
        ClusterFacts facts = isRetried ? facts(run) : recentFacts(run);
        RetryPolicy.forgetTries(exchange);
        return facts;
    }

    /**
     * Deletes a snapshot, unless it has changed since it was judged. One that is gone already is
     * deleted.
     *
     * @throws KubernetesClientException with code 409 when it has changed; it is judged by new
     *     facts when the deletion is sent again
     */
    public void delete(@Variable("run") Run run, @Body Deletion deletion) {
        Snapshot snapshot = deletion.snapshot();
        String path =
                "/apis/%s/%s/namespaces/%s/%s/%s"
                        .formatted(
                                SnapshotApi.KIND.getGroup(),
                                SnapshotApi.KIND.getVersion(),
                                snapshot.claim().namespace(),
                                SnapshotApi.KIND.getPlural(),
                                snapshot.name());
        try {
            client.raw(
                    path,
                    "DELETE",
                    new DeleteOptionsBuilder()
                            .withNewPreconditions()
                            .withUid(snapshot.uid())
                            .withResourceVersion(snapshot.resourceVersion())
                            .endPreconditions()
                            .build());
        } catch (KubernetesClientException e) {
            if (e.getCode() != THROTTLED) {
                // When it is sent again, anything may have happened meanwhile.
                run.pruning().setFacts(null);
            }
            if (e.getCode() != NOT_FOUND) {
                throw e;
            }
        }
    }

    private List<Snapshot> list(Optional<String> namespace, String selector, long limit) {
        return reader.list(
                SnapshotApi.KIND,
                namespace,
                selector,
                limit,
                SnapshotReader.FIELDS,
                object -> Optional.of(SnapshotReader.read(object)));
    }
}
