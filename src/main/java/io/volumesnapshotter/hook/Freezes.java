package io.volumesnapshotter.hook;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.SnapshotFailedException;
import io.volumesnapshotter.run.SnapshotJudge;
import io.volumesnapshotter.schedule.Quiesce;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Body;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.Variable;
import org.apache.camel.support.ExchangeHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps around the creation of a snapshot whose application is to be frozen: they call the
 * routes {@code freeze-<kind>} and {@code thaw-<kind>}, which users write. Nothing is sent, and no
 * route called, for a schedule without {@code quiesce}.
 *
 * <p>A freeze ends in one of three ways, and none of them rests on a second command that has to
 * reach the application: the route thaws it as soon as storage has cut, whatever failed before; at
 * its bound its session is cut off; and if the program dies, the session dies with it.
 */
public final class Freezes {

    private static final Logger LOG = LoggerFactory.getLogger(Freezes.class);

    private final CamelContext context;
    private final KubernetesClient client;
    private final ScheduledExecutorService timer;
    private final CutWatch cuts;
    private ProducerTemplate template;

    /**
     * @param timer ends freezes whose time is over
     */
    public Freezes(CamelContext context, KubernetesClient client, ScheduledExecutorService timer) {
        this.context = context;
        this.client = client;
        this.timer = timer;
        cuts = new CutWatch(client);
    }

    /**
     * Freezes the application of the claim, if the schedule wants that.
     *
     * @throws SnapshotFailedException when it could not be frozen
     */
    public void freeze(@Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange)
            throws SnapshotFailedException {
        exchange.removeVariable(Freeze.VARIABLE);
        Optional<Quiesce> quiesce = run.quiesce();
        if (quiesce.isEmpty()) {
            return;
        }
        Freeze freeze = new Freeze(claim, run.snapshotOf(claim), quiesce.get(), System.nanoTime());
        exchange.setVariable(Freeze.VARIABLE, freeze);
        timer.schedule(freeze::cutOff, freeze.timeout().toMillis(), TimeUnit.MILLISECONDS);
        try {
            call("freeze", freeze, exchange);
        } catch (HookException e) {
            freeze.markTrouble(e.getMessage(), e.remedy());
            throw failed(claim, "no snapshot is taken: ", e);
        }
        LOG.info("{} {}: frozen by {}", run.name(), claim, freeze.kind());
    }

    private static SnapshotFailedException failed(Claim claim, String what, HookException why) {
        return new SnapshotFailedException(claim, what + why.getMessage(), why.remedy());
    }

    /** Waits until storage has cut the snapshot in the answer, or the freeze's time is over. */
    public void awaitCut(
            @Variable("claim") Claim claim,
            @Body GenericKubernetesResource answer,
            Exchange exchange)
            throws InterruptedException {
        Freeze freeze = exchange.getVariable(Freeze.VARIABLE, Freeze.class);
        if (freeze == null) {
            return;
        }
        if (answer.getMetadata() == null || answer.getMetadata().getUid() == null) {
            freeze.markAlreadyThere();
            return;
        }
        switch (cuts.await(
                claim, freeze.snapshot(), answer.getMetadata().getUid(), freeze.left())) {
            case CUT -> freeze.markCut();
            case GONE ->
                    freeze.markTrouble(
                            "the snapshot was deleted before storage had cut",
                            "find out who deletes snapshots of this run");
            case REFUSED ->
                    freeze.markTrouble(
                            "the driver refused the snapshot", "look at it with kubectl describe");
            case LATE -> {
                // The freeze says so itself.
            }
        }
    }

    /** Thaws the application, whatever failed before. */
    public void thaw(@Variable("run") Run run, Exchange exchange) {
        Freeze freeze = exchange.getVariable(Freeze.VARIABLE, Freeze.class);
        if (freeze == null) {
            return;
        }
        try {
            call("thaw", freeze, exchange);
            LOG.info(
                    "{} {}: thawed after {} ms",
                    run.name(),
                    freeze.claim(),
                    freeze.lasted().toMillis());
        } catch (HookException e) {
            freeze.markTrouble("it could not be thawed: " + e.getMessage(), e.remedy());
        } finally {
            freeze.end();
        }
    }

    /**
     * Writes on the snapshot that it is consistent, with what the freeze noted.
     *
     * @throws SnapshotFailedException when it is not
     */
    public void markConsistent(@Variable("claim") Claim claim, Exchange exchange)
            throws SnapshotFailedException {
        Freeze freeze = exchange.getVariable(Freeze.VARIABLE, Freeze.class);
        if (freeze == null || freeze.isAlreadyThere()) {
            return;
        }
        Optional<HookException> trouble = freeze.trouble();
        if (trouble.isPresent()) {
            throw failed(claim, SnapshotJudge.NOT_CONSISTENT, trouble.get());
        }
        Map<String, String> annotations = new HashMap<>(freeze.notes());
        annotations.put(Snapshot.CONSISTENT, "true");
        client.genericKubernetesResources(SnapshotApi.KIND)
                .inNamespace(claim.namespace())
                .withName(freeze.snapshot())
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        client.getKubernetesSerialization()
                                .asJson(Map.of("metadata", Map.of("annotations", annotations))));
        exchange.removeVariable(Freeze.VARIABLE);
    }

    /** Calls one of the user's routes, on the versions of routes on which the exchange ends. */
    private void call(String step, Freeze freeze, Exchange exchange) throws HookException {
        String route = step + "-" + freeze.kind();
        if (!entrances().contains("direct:" + route)) {
            throw new HookException(
                    "quiesce: \"" + freeze.kind() + "\": no route begins at direct:" + route,
                    "add one, as in examples/hooks; there are " + kinds());
        }
        Exchange copy = ExchangeHelper.createCopy(exchange, true);
        copy.getIn().setBody(null);
        // Of an earlier try of the creation.
        copy.removeProperty(Exchange.EXCEPTION_CAUGHT);
        copy.setException(null);
        template().send("direct:" + route, copy);
        Throwable failure =
                copy.getException() != null
                        ? copy.getException()
                        : copy.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        if (failure instanceof HookException known) {
            throw known;
        }
        if (failure != null) {
            throw new HookException(
                    "route " + route + " failed: " + ErrorText.words(failure),
                    "correct the route, or what it calls");
        }
    }

    private synchronized ProducerTemplate template() {
        if (template == null) {
            template = context.createProducerTemplate();
        }
        return template;
    }

    private TreeSet<String> entrances() {
        TreeSet<String> entrances = new TreeSet<>();
        context.getRoutes()
                .forEach(
                        route ->
                                entrances.add(
                                        route.getEndpoint()
                                                .getEndpointUri()
                                                .replaceFirst("^direct:(//)?", "direct:")));
        return entrances;
    }

    private String kinds() {
        String prefix = "direct:freeze-";
        String kinds =
                entrances().stream()
                        .filter(uri -> uri.startsWith(prefix))
                        .map(uri -> uri.substring(prefix.length()))
                        .reduce((a, b) -> a + ", " + b)
                        .orElse("none");
        return kinds;
    }
}
