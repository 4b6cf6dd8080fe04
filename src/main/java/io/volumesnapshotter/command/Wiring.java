package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.ClusterChoice;
import io.volumesnapshotter.preflight.Finding;
import io.volumesnapshotter.run.RunListener;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.run.Snapshots;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import java.util.List;
import java.util.Map;
import org.apache.camel.CamelContext;

/** Makes the program for commands, as the root wires it for serving. */
public interface Wiring {

    /**
     * How the program is to be loaded.
     *
     * @param cluster what the user says of the cluster
     * @param settings settings that go before all others
     * @param listener is told what happens in runs
     * @param needsClaims whether it matters which claims the settings name; else they may name none
     */
    record Request(
            ClusterChoice cluster,
            Map<String, String> settings,
            RunListener listener,
            boolean needsClaims) {}

    /**
     * The program with its settings and route files. Its schedules are there and never fire by
     * themselves; nothing is sent to the cluster that nobody asks for.
     *
     * @param installation identity of the installation
     * @param wrongFiles what is wrong with route files that were left out
     */
    record Loaded(
            CamelContext context,
            KubernetesClient client,
            ScheduleRegistry schedules,
            RunStart starts,
            Claims claims,
            Snapshots snapshots,
            String installation,
            List<String> wrongFiles,
            Runnable end)
            implements AutoCloseable {

        @Override
        public void close() {
            end.run();
        }
    }

    /**
     * What preflight found.
     *
     * @param isConfigured whether all route files are right
     * @param isAway whether the API server does not serve
     */
    record Look(List<Finding> findings, boolean isConfigured, boolean isAway) {}

    /** A client of the cluster, for commands that need no schedules. */
    KubernetesClient connect(ClusterChoice cluster);

    /**
     * Loads the program and starts it without its triggers.
     *
     * @throws CommandException when settings, route files or the kubeconfig are wrong
     */
    Loaded load(Request request);

    /**
     * Looks whether the cluster lets the schedules work.
     *
     * @throws CommandException when settings, route files or the kubeconfig are wrong
     */
    Look look(ClusterChoice cluster);
}
