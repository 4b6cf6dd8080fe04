package io.volumesnapshotter;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;

/** Wires the program: what the routes refer to, and what starts and stops with them. */
public final class SnapshotterConfiguration implements CamelConfiguration {

    private final Config cluster;
    private final Map<String, String> environment;
    private KubernetesClient client;
    private ApiServer apiServer;
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

        apiServer = new ApiServer(cluster.getMasterUrl(), InstantSource.system());
        client = ClusterAccess.connect(cluster, apiServer);
        context.getRegistry().bind("kubernetesClient", KubernetesClient.class, client);
        Runs runs = new Runs(client, new Claims(client), InstantSource.system());
        context.getRegistry().bind("runs", runs);
        context.addLifecycleStrategy(runs);
        context.getRegistry()
                .bind(
                        "createTurns",
                        new CreateTurns(
                                context.getExecutorServiceManager()
                                        .newCachedThreadPool(this, "create-snapshots")));
        context.getRegistry().bind("snapshots", new Snapshots(client));
        context.getRegistry().bind("failures", new Failures(apiServer));
        context.addComponent("policy", new PolicyComponent());
        context.addStartupListener(
                new Preflight(
                        client,
                        apiServer,
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "preflight")));
        context.addStartupListener(
                new CatchUp(
                        context.getExecutorServiceManager().newCachedThreadPool(this, "catch-up"),
                        InstantSource.system()));

        routeFiles = new RouteFiles(Path.of(settings.text("routes")));
        routeFiles.load(context);
    }

    /** The address of the API server. */
    String server() {
        return cluster.getMasterUrl();
    }

    /** A look at the cluster for the schedules of a context that has been configured. */
    ClusterCheck check(CamelContext context) {
        return new ClusterCheck(client, apiServer, PolicyComponent.schedules(context));
    }

    /** The route files, once {@link #configure} has read them; null before. */
    RouteFiles routeFiles() {
        return routeFiles;
    }
}
