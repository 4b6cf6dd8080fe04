package io.volumesnapshotter;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.InstantSource;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;

/** Wires the program: what the routes refer to, and what starts and stops with them. */
public final class SnapshotterConfiguration implements CamelConfiguration {

    private final Config cluster;
    private RouteFiles routeFiles;

    /** Uses the cluster that {@link ClusterAccess#find} finds. */
    public SnapshotterConfiguration() {
        this(ClusterAccess.find(System.getenv()));
    }

    /** Uses a given cluster. */
    public SnapshotterConfiguration(Config cluster) {
        this.cluster = cluster;
    }

    @Override
    public void configure(CamelContext context) throws Exception {
        Settings settings =
                new Settings(
                        Settings.PREFIX,
                        name ->
                                context.getPropertiesComponent()
                                        .resolveProperty(Settings.PREFIX + name));
        Policy policy = Policy.of(settings);
        settings.cron("schedule");

        // What routes log is the program's own, at its level.
        context.getGlobalOptions()
                .put(Exchange.LOG_EIP_NAME, getClass().getPackageName() + ".${routeId}");

        ApiServer apiServer = new ApiServer(cluster.getMasterUrl(), InstantSource.system());
        KubernetesClient client = ClusterAccess.connect(cluster, apiServer);
        context.getRegistry().bind("kubernetesClient", KubernetesClient.class, client);
        Runs runs = new Runs(client, InstantSource.system());
        context.getRegistry().bind("runs", runs);
        context.addLifecycleStrategy(runs);
        context.getRegistry().bind("failures", new Failures(apiServer));
        context.addComponent("policy", new PolicyComponent());
        context.addService(
                new Preflight(
                        client,
                        apiServer,
                        policy.namespace().orElseGet(client::getNamespace),
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "preflight")));

        routeFiles = new RouteFiles(Path.of(settings.text("routes")));
        routeFiles.load(context);
    }

    /** The route files, once {@link #configure} has read them; null before. */
    RouteFiles routeFiles() {
        return routeFiles;
    }
}
