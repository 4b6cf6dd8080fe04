package io.volumesnapshotter;

import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.kubernetes.ClusterAccess;
import io.volumesnapshotter.kubernetes.LeaderElection;
import io.volumesnapshotter.kubernetes.LeaseTerms;
import io.volumesnapshotter.routes.LeaderRoutes;
import io.volumesnapshotter.settings.ProgramSettings;
import io.volumesnapshotter.settings.Settings;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;

/** Sets up the election of a leader, where there is one. */
final class Leadership {

    private Leadership() {}

    /**
     * Whether this replica is the one that fires; without an election it always is.
     *
     * @param environment has the pod's name as HOSTNAME
     * @param clock the present
     * @param nanoTime the monotonic clock, in nanoseconds
     */
    static BooleanSupplier of(
            CamelContext context,
            Settings settings,
            Cluster cluster,
            Map<String, String> environment,
            InstantSource clock,
            LongSupplier nanoTime)
            throws Exception {
        LeaseTerms terms = LeaseTerms.of(settings);
        boolean elects = settings.get(ProgramSettings.LEADER_ELECTION);
        context.getCamelContextExtension()
                .getContextPlugin(Model.class)
                .addModelLifecycleStrategy(new LeaderRoutes(context, elects));
        if (!elects) {
            return () -> true;
        }
        LeaderElection election =
                new LeaderElection(
                        ClusterAccess.connect(cluster, terms.longestRequest()),
                        terms,
                        // The pod's name.
                        Optional.ofNullable(environment.get("HOSTNAME"))
                                .filter(Predicate.not(String::isBlank))
                                .orElseGet(() -> "volume-snapshotter-" + UUID.randomUUID()),
                        new Threads(context).timer("leader-election", 2),
                        clock,
                        nanoTime);
        // Not before the routes were found right.
        context.addService(election, true, false);
        return election::isLeader;
    }
}
