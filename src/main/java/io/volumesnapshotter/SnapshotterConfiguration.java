package io.volumesnapshotter;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Cluster;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.model.Model;
import org.apache.camel.spi.ExecutorServiceManager;
import org.apache.camel.spi.PropertiesComponent;
import org.apache.camel.spi.Registry;
import org.apache.camel.spi.ThreadPoolProfile;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Wires the program: what the routes refer to, and what starts and stops with them. */
public final class SnapshotterConfiguration implements CamelConfiguration {

    private static final int MAX_NOTIFICATIONS = 1000;
    private static final int MAX_CLAIMS = 1_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotterConfiguration.class);

    private final InstantSource clock = InstantSource.system();
    private final Cluster cluster;
    private final Map<String, String> environment;
    private KubernetesClient client;
    private ApiServer apiServer;
    private RouteFiles routeFiles;

    /** Uses the cluster that {@link Cluster#find} finds. */
    public SnapshotterConfiguration() {
        this(Cluster.find(System.getenv()), System.getenv());
    }

    /** Uses the cluster and the token of a configuration. */
    public SnapshotterConfiguration(Config config, Map<String, String> environment) {
        this(Cluster.of(config), environment);
    }

    /**
     * Uses a given cluster.
     *
     * @param environment the variables that settings may come from, to find those that are misspelt
     */
    SnapshotterConfiguration(Cluster cluster, Map<String, String> environment) {
        this.cluster = cluster;
        this.environment = environment;
    }

    @Override
    public void configure(CamelContext context) throws Exception {
        Settings settings = settings(context);
        logs(context, settings);

        apiServer = new ApiServer(cluster.server(), clock);
        client = ClusterAccess.connect(cluster, apiServer);
        Metrics metrics = new Metrics(PrometheusPage.of(context));
        Journal journal = new Journal(metrics, clock);
        Failures failures = new Failures(apiServer, journal, clock);
        Snapshots snapshots = new Snapshots(client);
        BooleanSupplier leader = leadership(context, settings);
        Runs runs =
                new Runs(client, new Claims(client), snapshots, failures, leader, journal, clock);
        Events events = new Events(client, apiServer, environment, clock);
        ExecutorService notifications = notifications(context);
        ExecutorService fires = threads(context).newCachedThreadPool(this, "fires");

        // What the routes refer to.
        Registry registry = context.getRegistry();
        registry.bind("kubernetesClient", KubernetesClient.class, client);
        registry.bind("runs", runs);
        registry.bind("snapshots", snapshots);
        registry.bind(
                "createTurns",
                new CreateTurns(threads(context).newCachedThreadPool(this, "create-snapshots")));
        registry.bind("failures", failures);
        registry.bind("events", events);
        registry.bind("notifications", ExecutorService.class, notifications);
        context.addComponent("policy", new PolicyComponent());

        model(context).addModelLifecycleStrategy(new DrawnRoutes());

        // What works beside them.
        context.addLifecycleStrategy(runs);
        context.addStartupListener(new Preflight(client, apiServer, timer(context, "preflight")));
        CatchUp catchUp = new CatchUp(runs, leader, timer(context, "fire-times"), fires, clock);
        context.addStartupListener(catchUp);

        // What shows them.
        metrics.show(leader, apiServer);
        PrometheusPage.showBuild(context, version());
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
                                        name, context, runs, journal, snapshots, leader, fires,
                                        clock),
                        timer(context, "schedules"),
                        clock);
        context.addStartupListener(schedules);
        Management.show(
                context, "Failures", new Replay(context, failures.open(), leader, fires, clock));
        registry.bind(
                "livenessCheck",
                HealthCheck.class,
                new Liveness(() -> isShutDown(context), catchUp::isStuck, runs::stuck));
        registry.bind(
                "schedulesCheck",
                HealthCheck.class,
                new ScheduleHealth(schedules, journal, failures.open(), clock));

        String certificates = settings.text("jolokia-tls");
        if (!certificates.isEmpty()) {
            context.addService(JolokiaTls.of(Path.of(certificates), settings), true, false);
        }

        routeFiles = new RouteFiles(Path.of(settings.text("routes")), clock);
        metrics.show(routeFiles);
        reload(context, settings, events, notifications);
        routeFiles.load(context);
    }

    private Settings settings(CamelContext context) {
        PropertiesComponent properties = context.getPropertiesComponent();
        Settings settings =
                new Settings(
                        name -> Settings.PREFIX + name,
                        name -> properties.resolveProperty(Settings.PREFIX + name));
        Settings.checkNames(
                environment,
                properties
                        .loadProperties(name -> name.startsWith(Settings.PREFIX))
                        .stringPropertyNames());
        settings.cron("schedule");
        settings.zone("time-zone");
        return settings;
    }

    private void logs(CamelContext context, Settings settings) throws Exception {
        Management.show(context, "Logging", new Logging(settings));
        context.getCamelContextExtension().addInterceptStrategy(new LogKeys());
        // What routes log is the program's own, at its level.
        context.getGlobalOptions()
                .put(Exchange.LOG_EIP_NAME, getClass().getPackageName() + ".${routeId}");
    }

    /** Takes edits of the route files, which a context that someone else made can't. */
    private void reload(
            CamelContext context, Settings settings, Events events, Executor notifications)
            throws Exception {
        boolean reloads = settings.flag("routes-reload");
        Duration interval = settings.duration("routes-poll-interval");
        if (context instanceof ReloadableContext reloadable) {
            reloadable.versionRoutes();
            RouteReload reload = new RouteReload(reloadable, routeFiles, events, notifications);
            if (reloads) {
                context.addStartupListener(reload.every(interval, timer(context, "reload-routes")));
            }
            Management.show(context, "RouteFiles", reload);
            context.getRegistry().bind("routeFilesCheck", HealthCheck.class, reload.check());
        }
    }

    private static Model model(CamelContext context) {
        return context.getCamelContextExtension().getContextPlugin(Model.class);
    }

    private static ExecutorServiceManager threads(CamelContext context) {
        return context.getExecutorServiceManager();
    }

    /** A thread for what is done again and again; at the stop nothing waits for the next time. */
    private ScheduledExecutorService timer(CamelContext context, String name) {
        ScheduledExecutorService timer =
                threads(context).newSingleThreadScheduledExecutor(this, name);
        if (timer instanceof SizedScheduledExecutorService sized) {
            sized.getScheduledThreadPoolExecutor()
                    .setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        }
        return timer;
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
        AtomicLong dropped = new AtomicLong();
        ((ThreadPoolExecutor) executor)
                .setRejectedExecutionHandler(
                        (task, full) -> {
                            if (dropped.getAndIncrement() % MAX_NOTIFICATIONS == 0) {
                                LOG.warn(
                                        "notifications are dropped: {} wait already; look at route"
                                                + " notify",
                                        MAX_NOTIFICATIONS);
                            }
                        });
        return executor;
    }

    /** Whether this replica is the one that fires; without an election it always is. */
    private BooleanSupplier leadership(CamelContext context, Settings settings) throws Exception {
        LeaderElection.Terms terms = LeaderElection.Terms.of(settings);
        boolean elects = settings.flag("leader-election");
        model(context).addModelLifecycleStrategy(new LeaderRoutes(context, elects));
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
                        timer(context, "leader-election"),
                        clock);
        // Not before the routes were found right.
        context.addService(election, true, false);
        return election::isLeader;
    }

    /** The address of the API server. */
    String server() {
        return cluster.server();
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
