package io.volumesnapshotter.run;

import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.AnswerCheck;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/**
 * Lists VolumeSnapshots page by page, in one namespace or in all, and keeps of each only what the
 * program needs: fifty thousand of them fit into a small heap. Camel's own producer lists one
 * namespace, and all of it at once.
 */
public final class Snapshots {

    /** A run's own snapshots are as many as its claims, and are listed again and again. */
    private static final long RUN_PAGE = 1000;

    private static final long PAGE = 500;

    private final KubernetesClient client;

    public Snapshots(KubernetesClient client) {
        this.client = client;
    }

    /** The snapshots of a run. */
    public List<Snapshot> ofRun(@Variable("run") Run run, Exchange exchange) {
        run.looks();
        return listed(run.listedNamespace(), run.selector(), RUN_PAGE, exchange);
    }

    /** The same, when it is not the run that looks. */
    List<Snapshot> ofRun(Run run) {
        return list(run.listedNamespace(), run.selector(), RUN_PAGE);
    }

    /** The snapshots that the keep rules of a run's schedule are for, and perhaps others. */
    public List<Snapshot> ofSchedule(@Variable("run") Run run, Exchange exchange) {
        return listed(run.listedNamespace(), run.scope(), PAGE, exchange);
    }

    /** The same, when it is not the run that looks. */
    public List<Snapshot> ofSchedule(Run run) {
        return list(run.listedNamespace(), run.scope(), PAGE);
    }

    /** The same to make room for a claim: one list answers for all claims until the next look. */
    public List<Snapshot> forRoom(
            @Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange) {
        return run.listForRoom(claim, () -> ofSchedule(run, exchange));
    }

    private List<Snapshot> listed(
            Optional<String> namespace, String selector, long limit, Exchange exchange) {
        List<Snapshot> snapshots = list(namespace, selector, limit);
        Failures.healed(exchange);
        return snapshots;
    }

    private List<Snapshot> list(Optional<String> namespace, String selector, long limit) {
        ListOptions options =
                new ListOptionsBuilder().withLimit(limit).withLabelSelector(selector).build();
        List<Snapshot> snapshots = new ArrayList<>();
        String next;
        do {
            GenericKubernetesResourceList page = page(namespace, options);
            snapshots.addAll(SnapshotReader.read(page.getItems()));
            next = page.getMetadata().getContinue();
            options.setContinue(next);
        } while (next != null && !next.isEmpty());
        return snapshots;
    }

    private GenericKubernetesResourceList page(Optional<String> namespace, ListOptions options) {
        var all = client.genericKubernetesResources(SnapshotApi.KIND);
        GenericKubernetesResourceList page =
                namespace.isPresent()
                        ? all.inNamespace(namespace.get()).list(options)
                        : all.inAnyNamespace().list(options);
        return AnswerCheck.list(page, page.getKind(), SnapshotApi.KIND.getKind() + "List");
    }
}
