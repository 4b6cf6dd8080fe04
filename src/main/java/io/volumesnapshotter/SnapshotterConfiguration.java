package io.volumesnapshotter;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.model.Model;
import org.apache.camel.spi.ThreadPoolProfile;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Wires the program: what the routes refer to, and what starts and stops with them. */
public final class SnapshotterConfiguration implements CamelConfiguration {

    private static final int MAX_NOTIFICATIONS = 1000;
    private static final int MAX_CLAIMS = 1_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotterConfiguration.class);

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
        Logging logging = new Logging(settings);
        settings.cron("schedule");
        settings.zone("time-zone");

        Management.show(context, "Logging", logging);
        context.getCamelContextExtension().addInterceptStrategy(new LogKeys());
        // What routes log is the program's own, at its level.
        context.getGlobalOptions()
                .put(Exchange.LOG_EIP_NAME, getClass().getPackageName() + ".${routeId}");
        context.getCamelContextExtension()
                .getContextPlugin(Model.class)
                .addModelLifecycleStrategy(new DrawnRoutes());

        apiServer = new ApiServer(cluster.getMasterUrl(), InstantSource.system());
        client = ClusterAccess.connect(cluster, apiServer);
        context.getRegistry().bind("kubernetesClient", KubernetesClient.class, client);
        Metrics metrics = new Metrics(PrometheusPage.of(context));
        Journal journal = new Journal(metrics, InstantSource.system());
        Failures failures = new Failures(apiServer, journal, InstantSource.system());
        context.getRegistry().bind("failures", failures);
        BooleanSupplier leader = leadership(context, settings);
        metrics.show(leader, apiServer);
        PrometheusPage.showBuild(context, version());
        Runs runs =
                new Runs(
                        client,
                        new Claims(client),
                        failures,
                        leader,
                        journal,
                        InstantSource.system());
        context.getRegistry().bind("runs", runs);
        context.addLifecycleStrategy(runs);
        context.getRegistry()
                .bind(
                        "createTurns",
                        new CreateTurns(
                                context.getExecutorServiceManager()
                                        .newCachedThreadPool(this, "create-snapshots")));
        Snapshots snapshots = new Snapshots(client);
        context.getRegistry().bind("snapshots", snapshots);
        context.getRegistry().bind("notifications", ExecutorService.class, notifications(context));
        context.getRegistry().bind("events", new Events(client, apiServer, InstantSource.system()));
        context.addComponent("policy", new PolicyComponent());
        context.addStartupListener(
                new Preflight(
                        client,
                        apiServer,
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "preflight")));

        ExecutorService fires =
                context.getExecutorServiceManager().newCachedThreadPool(this, "fires");
        CatchUp catchUp =
                new CatchUp(
                        runs,
                        leader,
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "fire-times"),
                        fires,
                        InstantSource.system());
        context.addStartupListener(catchUp);
        Schedules schedules =
                new Schedules(
                        runs,
                        snapshots,
                        journal,
                        failures.open(),
                        metrics,
                        leader,
                        settings.wholeNumber("metrics-claims", 0, MAX_CLAIMS),
                        isOn(context, "camel.management.enabled"),
                        name ->
                                new ShownSchedule(
                                        name,
                                        context,
                                        runs,
                                        journal,
                                        snapshots,
                                        leader,
                                        fires,
                                        InstantSource.system()),
                        context.getExecutorServiceManager()
                                .newSingleThreadScheduledExecutor(this, "schedules"),
                        InstantSource.system());
        context.addStartupListener(schedules);
        context.getRegistry()
                .bind(
                        "livenessCheck",
                        HealthCheck.class,
                        new Liveness(() -> isShutDown(context), catchUp::isStuck, runs::stuck));
        context.getRegistry()
                .bind(
                        "schedulesCheck",
                        HealthCheck.class,
                        new ScheduleHealth(
                                schedules, journal, failures.open(), InstantSource.system()));
        Management.show(
                context,
                "Failures",
                new Replay(context, failures.open(), leader, fires, InstantSource.system()));

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
            Management.show(context, "RouteFiles", reload);
            context.getRegistry().bind("routeFilesCheck", HealthCheck.class, reload.check());
        }
        metrics.show(routeFiles);
        routeFiles.load(context);
    }

    private static boolean isShutDown(CamelContext context) {
        try {
            return context.hasComponent("quartz") instanceof QuartzComponent quartz
                    && quartz.getScheduler() != null
                    && quartz.getScheduler().isShutdown();
        } catch (SchedulerException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isOn(CamelContext context, String setting) {
        return context.getPropertiesComponent()
                .resolveProperty(setting)
                .map(Boolean::parseBoolean)
                .orElse(false);
    }

    private static String version() {
        String version = SnapshotterConfiguration.class.getPackage().getImplementationVersion();
        return version == null ? "unpackaged" : version;
    }

    /**
     * Where Events are written and notifications sent, one after the other. Nothing waits for
     * either, so when they take too long, further ones are dropped and told.
     */
    private ExecutorService notifications(CamelContext context) {
        ThreadPoolProfile profile = new ThreadPoolProfile("notifications");
        profile.setPoolSize(1);
        profile.setMaxPoolSize(1);
        profile.setMaxQueueSize(MAX_NOTIFICATIONS);
        profile.setKeepAliveTime(0L);
        profile.setAllowCoreThreadTimeOut(false);
        ExecutorService executor =
                context.getExecutorServiceManager().newThreadPool(this, "notifications", profile);
        ((ThreadPoolExecutor) executor)
                .setRejectedExecutionHandler(
                        (task, full) ->
                                LOG.warn(
                                        "a notification was dropped: {} wait already, look at route"
                                                + " notify",
                                        MAX_NOTIFICATIONS));
        return executor;
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

    /** The address of the API server. */
    String server() {
        return cluster.getMasterUrl();
    }

    /** A look at the cluster for the schedules of a context that has been configured. */
    ClusterCheck check(CamelContext context) {
        return new ClusterCheck(client, apiServer, RouteSet.schedules(context));
    }

    /** The route files, once {@link #configure} has read them; null before. */
    RouteFiles routeFiles() {
        return routeFiles;
    }
}
