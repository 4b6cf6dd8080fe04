package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.ClusterChoice;
import io.volumesnapshotter.run.RunListeners;
import java.util.List;
import java.util.Map;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;

/** The program, loaded for a command that changes objects: each change goes through its route. */
final class Changing implements AutoCloseable {

    private static final String ROUTE = "change-object";

    private final Wiring.Loaded loaded;
    private final ProducerTemplate template;

    private Changing(Wiring.Loaded loaded) {
        this.loaded = loaded;
        template = loaded.context().createProducerTemplate();
    }

    /**
     * Loads it.
     *
     * @throws CommandException when settings, route files or the kubeconfig are wrong
     */
    static Changing load(Wiring wiring, ClusterChoice cluster) {
        Wiring.Loaded loaded =
                wiring.load(
                        new Wiring.Request(cluster, Map.of(), new RunListeners(List.of()), false));
        if (loaded.context().getRoute(ROUTE) == null) {
            loaded.close();
            throw CommandException.config(
                    "the routes have no route " + ROUTE,
                    "add routes/" + ROUTE + ".camel.yaml of this release to them");
        }
        return new Changing(loaded);
    }

    KubernetesClient client() {
        return loaded.client();
    }

    /** The namespace to work in. */
    String namespace() {
        return loaded.client().getNamespace();
    }

    /** Has a change carried out by its route; what fails is thrown as it was. */
    void send(Change change) {
        try {
            if (!Boolean.TRUE.equals(template.requestBody("direct:" + ROUTE, change))) {
                throw CommandException.config(
                        "route %s does not %s".formatted(ROUTE, change),
                        "its last step has to be bean changes.send, as in this release's routes");
            }
        } catch (CamelExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        loaded.close();
    }
}
