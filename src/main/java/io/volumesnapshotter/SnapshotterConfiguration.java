package io.volumesnapshotter;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.model.Model;

/** Wires the program: what the routes refer to, and what starts and stops with them. */
public final class SnapshotterConfiguration implements CamelConfiguration {

    private final Config cluster;
    private final Map<String, String> environment;
    private RouteFiles routeFiles;

    /** Uses the cluster that {@link ClusterAccess#find} finds. */
    public SnapshotterConfiguration() {
        this(ClusterAccess.find(System.getenv()), System.getenv());
    }

    /**
     * Uses a given cluster.
     *
     * @param environment the variables that settings may come from, to find those that are misspelt
     */
    public SnapshotterConfiguration(Config cluster, Map<String, String> environment) {
        this.cluster = cluster;
        this.environment = environment;
    }

    @Override
    public void configure(CamelContext context) throws Exception {
        Settings settings =
                new Settings(
                        name -> Settings.PREFIX + name,
                        name ->
                                context.getPropertiesComponent()
                                        .resolveProperty(Settings.PREFIX + name));
        Settings.checkNames(
                environment,
                context.getPropertiesComponent()
                        .loadProperties(name -> name.startsWith(Settings.PREFIX))
                        .stringPropertyNames());
        settings.cron("schedule");
        settings.zone("time-zone");

        // What routes log is the program's own, at its level.
        context.getGlobalOptions()
                .put(Exchange.LOG_EIP_NAME, getClass().getPackageName() + ".${routeId}");

        ApiServer apiServer = new ApiServer(cluster.getMasterUrl(), InstantSource.system());
        KubernetesClient client = ClusterAccess.connect(cluster, apiServer);
        context.getRegistry().bind("kubernetesClient", KubernetesClient.class, client);
        BooleanSupplier leader = leadership(context, settings);
        Runs runs = new Runs(client, new Claims(client), leader, InstantSource.system());
        context.getRegistry().bind("runs", runs);
        context.addLifecycleStrategy(runs);
        List<String> namespaces = settings.namespaces("namespace");
        Optional<String> namespace =
                namespaces.size() == 1 && !namespaces.contains(ClaimSelection.ALL)
                        ? Optional.of(namespaces.get(0))
                        : Optional.of(client.getNamespace()).filter(own -> namespaces.isEmpty());
        context.getRegistry()
                .bind(
                        "createTurns",
                        new CreateTurns(
                                context.getExecutorServiceManager()
                                        .newCachedThreadPool(this, "create-snapshots")));
        Snapshots snapshots = new Snapshots(client);
        context.getRegistry().bind("snapshots", snapshots);
        context.getRegistry().bind("failures", new Failures(apiServer));
        context.addComponent("policy", new PolicyComponent());
        context.addService(
                new Preflight(
                        snapshots,
                        apiServer,
                        namespace,
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "preflight")));

        context.addStartupListener(
                new CatchUp(
                        runs,
                        leader,
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "fire-times"),
                        context.getExecutorServiceManager().newCachedThreadPool(this, "catch-up"),
                        InstantSource.system()));

        routeFiles = new RouteFiles(Path.of(settings.text("routes")), InstantSource.system());
        boolean reloads = settings.flag("routes-reload");
        Duration interval = settings.duration("routes-poll-interval");
        // A context that someone else made can't exchange routes.
        if (context instanceof ReloadableContext reloadable) {
            reloadable.versionRoutes();
            RouteReload reload = new RouteReload(reloadable, routeFiles);
            if (reloads) {
                context.addStartupListener(
                        reload.every(
                                interval,
                                context.getExecutorServiceManager()
                                        .newSingleThreadScheduledExecutor(this, "reload-routes")));
            }
            context.addService(reload);
        }
        routeFiles.load(context);
    }

    /** Whether this replica is the one that fires; without an election it always is. */
    private BooleanSupplier leadership(CamelContext context, Settings settings) throws Exception {
        LeaderElection.Terms terms = LeaderElection.Terms.of(settings);
        boolean elects = settings.flag("leader-election");
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
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "leader-election"),
                        InstantSource.system());
        // Not before the routes were found right.
        context.addService(election, true, false);
        return election::isLeader;
    }

    /** The route files, once {@link #configure} has read them; null before. */
    RouteFiles routeFiles() {
        return routeFiles;
    }
}
