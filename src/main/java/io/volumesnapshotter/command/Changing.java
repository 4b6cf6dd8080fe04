package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.ClusterChoice;
import io.volumesnapshotter.restore.ChangeRoute;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.run.RunListeners;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The program, loaded for a command that changes objects: each change goes through its route. */
final class Changing implements AutoCloseable {

    private final Wiring.Loaded loaded;
    private final ChangeRoute route;

    private Changing(Wiring.Loaded loaded) {
        this.loaded = loaded;
        route = new ChangeRoute(loaded.context().createProducerTemplate());
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
        if (loaded.context().getRoute(ChangeRoute.ROUTE) == null) {
            loaded.close();
            throw CommandException.config(
                    "the routes have no route " + ChangeRoute.ROUTE,
                    "add routes/" + ChangeRoute.ROUTE + ".camel.yaml of this release to them");
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

    /**
     * The first claim of the namespace that a schedule takes.
     *
     * @param name of this name; empty for any
     */
    Optional<Target> taken(Optional<String> name) {
        return loaded.schedules().entries().stream()
                .map(ScheduleEntry::schedule)
                .filter(schedule -> schedule.policy().takes())
                .flatMap(schedule -> loaded.claims().of(schedule).stream())
                .filter(target -> target.claim().namespace().equals(namespace()))
                .filter(target -> name.isEmpty() || target.claim().name().equals(name.get()))
                .findFirst();
    }

    /** Has a change carried out by its route; what fails is thrown as it was. */
    void send(Change change) {
        try {
            route.accept(change);
        } catch (RefusedException e) {
            throw CommandException.config(e.getMessage(), e.remedy());
        }
    }

    @Override
    public void close() {
        loaded.close();
    }
}
