package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one gate that each deletion passes right before it is sent, whatever asked for it and
 * whatever number of the try it is. Nothing else in the program can destroy data.
 *
 * <p>A deletion goes through only if
 *
 * <ul>
 *   <li>this replica leads, and the schedule is neither suspended nor gone;
 *   <li>the facts it is judged by are at most {@link ClusterFacts#MAX_AGE} old;
 *   <li>the run's own snapshot of the claim is still a good one, where the deletion rests on it;
 *   <li>{@link Pruning} still says by these facts that the snapshot may go, which spares what is
 *       held, what a claim is being restored from, what a later run took, and the last good copy.
 * </ul>
 *
 * <p>The request itself carries uid and resource version of what was judged, so that the API server
 * refuses what has changed since.
 */
public final class DeletionGate {

    private static final Logger LOG = LoggerFactory.getLogger(DeletionGate.class);

    private final Brake brake;
    private final Snapshots snapshots;
    private final StorageLimits storage;
    private final RunListener listener;
    private final InstantSource clock;

    public DeletionGate(
            Brake brake,
            Snapshots snapshots,
            StorageLimits storage,
            RunListener listener,
            InstantSource clock) {
        this.brake = brake;
        this.storage = storage;
        this.snapshots = snapshots;
        this.listener = listener;
        this.clock = clock;
    }

    /**
     * Judges the deletion in the body. The body is the deletion by the present facts afterwards;
     * one that must not be sent ends the exchange.
     *
     * @throws SnapshotFailedException when the run's own snapshot, on which it rests, is none any
     *     more
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when the facts cannot be had
     * @throws InterruptedException when it waited for room
     */
    public void check(@Variable("run") Run run, @Body Deletion deletion, Exchange exchange)
            throws SnapshotFailedException, InterruptedException {
        Optional<Deletion> judged = judge(run, deletion);
        if (judged.isPresent()) {
            exchange.getIn().setBody(judged.get());
        } else {
            exchange.setRouteStop(true);
        }
    }

    private Optional<Deletion> judge(Run run, Deletion deletion)
            throws SnapshotFailedException, InterruptedException {
        if (isStopped(run)
                || !storage.awaitDeletion(run, deletion.snapshot(), () -> isStopped(run))) {
            return Optional.empty();
        }
        ClusterFacts facts = snapshots.recentFacts(run);
        // Waiting and getting them take a while, and anything may have happened meanwhile.
        if (isStopped(run)) {
            return Optional.empty();
        }
        Claim claim = deletion.snapshot().claim();
        String name = deletion.snapshot().name();
        if (deletion.occasion() == Pruning.Occasion.NEWER_IS_READY) {
            Optional<SnapshotFailedException> lost = run.markIfLost(claim, facts.of(claim));
            if (lost.isPresent()) {
                listener.lost(run, claim);
                listener.listed(run, facts.all());
                LOG.warn("{} {}: left {}: {}", run.name(), claim, name, lost.get().getMessage());
                throw lost.get();
            }
        }
        Instant now = clock.instant();
        List<Decision> decisions = run.pruning().decide(claim, facts, deletion.occasion(), now);
        Optional<Decision> decision =
                decisions.stream().filter(any -> any.snapshot().name().equals(name)).findFirst();
        if (decision.map(Decision::snapshot).filter(s -> !s.terminating()).isEmpty()) {
            return Optional.empty();
        }
        if (!decision.get().stale()) {
            LOG.warn("{} {}: left {}: {}", run.name(), claim, name, decision.get().reason());
            return Optional.empty();
        }
        Snapshot snapshot = decision.get().snapshot();
        return Optional.of(new Deletion(snapshot, decision.get().reason(), deletion.occasion()));
    }

    private boolean isStopped(Run run) {
        Optional<String> reason = brake.reasonNotToDelete(run);
        reason.filter(words -> run.markTold("no deletion: " + words))
                .ifPresent(words -> LOG.warn("{}: nothing more is deleted: {}", run.name(), words));
        return reason.isPresent();
    }
}
