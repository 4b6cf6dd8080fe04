package io.volumesnapshotter;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.command.Wiring;
import io.volumesnapshotter.drill.DrillStart;
import io.volumesnapshotter.drill.Drills;
import io.volumesnapshotter.drill.Proofs;
import io.volumesnapshotter.hook.Freezes;
import io.volumesnapshotter.hook.Sessions;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.kubernetes.ClusterAccess;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.ClusterWriter;
import io.volumesnapshotter.observe.Events;
import io.volumesnapshotter.observe.FailureManagement;
import io.volumesnapshotter.observe.FlowDumper;
import io.volumesnapshotter.observe.JolokiaTls;
import io.volumesnapshotter.observe.Liveness;
import io.volumesnapshotter.observe.Logging;
import io.volumesnapshotter.observe.Management;
import io.volumesnapshotter.observe.Metrics;
import io.volumesnapshotter.observe.PrometheusPage;
import io.volumesnapshotter.observe.RouteLogKeys;
import io.volumesnapshotter.observe.RunHistory;
import io.volumesnapshotter.observe.ScheduleHealth;
import io.volumesnapshotter.observe.ScheduleManagement;
import io.volumesnapshotter.observe.ScheduleMonitor;
import io.volumesnapshotter.preflight.ClusterCheck;
import io.volumesnapshotter.preflight.Preflight;
import io.volumesnapshotter.restore.ChangeRoute;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.routes.RouteReload;
import io.volumesnapshotter.run.Brake;
import io.volumesnapshotter.run.CreationLimiter;
import io.volumesnapshotter.run.DeletionGate;
import io.volumesnapshotter.run.Failures;
import io.volumesnapshotter.run.FireTimes;
import io.volumesnapshotter.run.MissedFires;
import io.volumesnapshotter.run.RetryPolicy;
import io.volumesnapshotter.run.RunListener;
import io.volumesnapshotter.run.RunListeners;
import io.volumesnapshotter.run.RunSigns;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.run.Runs;
import io.volumesnapshotter.run.SnapshotWarnings;
import io.volumesnapshotter.run.Snapshots;
import io.volumesnapshotter.run.SteadyClock;
import io.volumesnapshotter.run.StorageLimits;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.schedule.HeldBySchedule;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.settings.ProgramSettings;
import io.volumesnapshotter.settings.SettingNames;
import io.volumesnapshotter.settings.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.spi.ModelToXMLDumper;
import org.apache.camel.spi.Registry;

/**
 * Wires the program: what the routes refer to, and what starts and stops with them. It is as long
 * as the list of them: each is made here, and nowhere else.
 */
public final class SnapshotterConfiguration implements CamelConfiguration {

    private final InstantSource clock;
    private final LongSupplier nanoTime;
    private final InstantSource steady;
    private final Cluster cluster;
    private final Map<String, String> environment;
    private final boolean serves;
    private final RunListener listener;
    private KubernetesClient client;
    private ApiServerMonitor apiServer;
    private Preflight preflight;
    private RouteFiles routeFiles;
    private Claims claims;
    private Snapshots snapshots;
    private ScheduleRegistry schedules;
    private RunStart start;
    private String installation;

    /** Uses the cluster that {@link Cluster#find} finds. */
    public SnapshotterConfiguration() {
        this(Cluster.find(System.getenv()), System.getenv());
    }

    /**
     * Uses a given cluster.
     *
     * @param environment the variables that settings may come from, to find those that are misspelt
     */
    public SnapshotterConfiguration(Cluster cluster, Map<String, String> environment) {
        this(cluster, environment, InstantSource.system(), System::nanoTime);
    }

    /**
     * Uses a given cluster and given clocks.
     *
     * @param environment the variables that settings may come from, to find those that are misspelt
     * @param clock the present, by a clock that somebody may set; triggers and waits go by the real
     *     one all the same
     * @param nanoTime the monotonic clock, in nanoseconds
     */
    public SnapshotterConfiguration(
            Cluster cluster,
            Map<String, String> environment,
            InstantSource clock,
            LongSupplier nanoTime) {
        this(cluster, environment, clock, nanoTime, true, new RunListeners(List.of()));
    }

    /**
     * For a command: what the routes refer to is there, and nothing works beside them, so that
     * nothing is sent that the command does not ask for.
     *
     * @param listener is told what happens in runs
     */
    static SnapshotterConfiguration forCommand(
            Cluster cluster, Map<String, String> environment, RunListener listener) {
        return new SnapshotterConfiguration(
                cluster, environment, InstantSource.system(), System::nanoTime, false, listener);
    }

    private SnapshotterConfiguration(
            Cluster cluster,
            Map<String, String> environment,
            InstantSource clock,
            LongSupplier nanoTime,
            boolean serves,
            RunListener listener) {
        this.serves = serves;
        this.listener = listener;
        this.cluster = cluster;
        this.environment = environment;
        this.clock = clock;
        this.nanoTime = nanoTime;
        steady = new SteadyClock(clock, nanoTime);
    }

    @Override
    public void configure(CamelContext context) throws Exception {
        Settings settings = settings(context);
        Threads threads = new Threads(context);
        logs(context, settings);

        apiServer = new ApiServerMonitor(cluster.server(), steady);
        client = ClusterAccess.connect(cluster, apiServer);
        Metrics metrics = new Metrics(PrometheusPage.of(context));
        schedules = new ScheduleRegistry(clock, steady);
        context.addLifecycleStrategy(schedules);
        RunHistory history = new RunHistory(metrics, clock, schedules::isThere);
        RunListener listeners = new RunListeners(List.of(history, listener));
        Failures failures = new Failures(listeners, clock);
        claims = new Claims(client, steady);
        snapshots = new Snapshots(client, claims, steady);
        BooleanSupplier leader =
                Leadership.of(context, settings, cluster, environment, clock, nanoTime);
        BooleanSupplier ends = () -> context.isStopping() || context.isStopped();
        Brake brake = new Brake(leader, ends, schedules::isStopped);
        FireTimes fireTimes = new FireTimes(steady);
        installation =
                Installation.of(
                        settings,
                        environment,
                        cluster.podNamespace().orElse(client.getNamespace()));
        start =
                new RunStart(
                        client,
                        claims,
                        snapshots,
                        installation,
                        brake,
                        ends,
                        fireTimes,
                        clock,
                        steady);
        SnapshotWarnings warnings = new SnapshotWarnings(clock);
        Runs runs = new Runs(start, brake, claims, failures, listeners, warnings);
        for (HeldBySchedule held : List.of(claims, fireTimes, failures.log(), history, warnings)) {
            schedules.clear(held);
        }
        Events events = new Events(client, apiServer, environment, clock, steady);
        ExecutorService notifications = threads.notifications();
        ExecutorService fires = threads.pool("fires");

        // What the routes refer to.
        Registry registry = context.getRegistry();
        registry.bind("kubernetesClient", KubernetesClient.class, client);
        registry.bind("runs", runs);
        registry.bind("snapshots", snapshots);
        registry.bind(
                "signs",
                new RunSigns(
                        serves ? Optional.empty() : Optional.of(new ClusterReader(client)),
                        threads.pool("signs")));
        registry.bind("changes", new ClusterWriter(client));
        registry.bind("retryPolicy", new RetryPolicy(apiServer));
        StorageLimits storage =
                new StorageLimits(
                        settings.get(ProgramSettings.CREATIONS_PER_STORAGE_CLASS),
                        settings.get(ProgramSettings.DELETIONS_PER_STORAGE_CLASS),
                        new ClusterReader(client));
        registry.bind(
                "deletionGate", new DeletionGate(brake, snapshots, storage, listeners, clock));
        registry.bind(
                "creationLimiter",
                new CreationLimiter(
                        storage,
                        brake,
                        threads.pool("create-snapshots"),
                        threads.timer("storage-limits")));
        registry.bind("freezes", new Freezes(context, client, threads.timer("freezes")));
        registry.bind(
                "session",
                new Sessions(
                        Path.of(settings.get(ProgramSettings.DATA_SOURCES)),
                        threads.pool("sessions")));
        registry.bind("failures", failures);
        registry.bind("events", events);
        registry.bind("notifications", ExecutorService.class, notifications);
        for (PolicyComponent.Kind kind : PolicyComponent.Kind.values()) {
            context.addComponent(kind.scheme(), new PolicyComponent(kind, schedules));
        }
        Drills drills =
                new Drills(
                        client,
                        new ChangeRoute(context.createProducerTemplate()),
                        start,
                        runs,
                        brake,
                        claims,
                        new Proofs(
                                client,
                                new ChangeRoute(context.createProducerTemplate()),
                                settings.get(ProgramSettings.PROOFS).orElseThrow()),
                        history,
                        installation,
                        clock,
                        steady);
        registry.bind("drills", drills);

        context.getCamelContextExtension()
                .addContextPlugin(ModelToXMLDumper.class, new FlowDumper());
        context.addLifecycleStrategy(runs);

        if (serves) {
            // What works beside them.
            preflight = new Preflight(client, apiServer, claims, threads.timer("preflight"));
            context.addStartupListener(preflight);
            MissedFires catchUp =
                    new MissedFires(
                            schedules,
                            start,
                            fireTimes,
                            failures.log(),
                            leader,
                            threads.timer("fire-times"),
                            fires,
                            clock,
                            steady);
            context.addStartupListener(catchUp);

            context.addStartupListener(
                    new DrillStart(schedules, drills, leader, threads.timer("drills"), steady));

            // What shows them.
            metrics.show(leader, apiServer);
            PrometheusPage.showBuild(context);
            context.addStartupListener(
                    new ScheduleMonitor(
                            schedules,
                            start,
                            snapshots,
                            history,
                            failures.log(),
                            metrics,
                            leader,
                            settings.get(ProgramSettings.METRICS_CLAIMS),
                            Management.isOn(context),
                            name ->
                                    new ScheduleManagement(
                                            name, schedules, start, history, snapshots, leader,
                                            fires, clock),
                            threads.timer("schedules"),
                            clock,
                            steady));
            Management.show(
                    context,
                    "Failures",
                    new FailureManagement(schedules, failures.log(), leader, fires, clock));
            registry.bind(
                    "livenessCheck",
                    HealthCheck.class,
                    new Liveness(
                            () -> Liveness.isShutDown(context), catchUp::isStuck, runs::stuck));
            registry.bind(
                    "schedulesCheck",
                    HealthCheck.class,
                    new ScheduleHealth(schedules, history, failures.log(), clock));
        }

        String certificates = settings.get(ProgramSettings.JOLOKIA_TLS);
        if (!certificates.isEmpty()) {
            context.addService(JolokiaTls.of(Path.of(certificates), settings), true, false);
        }

        routeFiles = new RouteFiles(Path.of(settings.get(ProgramSettings.ROUTES)), clock);
        metrics.show(routeFiles);
        reload(context, settings, events, notifications, threads);
        routeFiles.load(context);
    }

    private Settings settings(CamelContext context) {
        SettingNames.checkEnvironment(environment);
        Settings settings = Settings.of(context.getPropertiesComponent());
        Cron.toQuartz(
                Settings.PREFIX + ProgramSettings.SCHEDULE.name(),
                settings.get(ProgramSettings.SCHEDULE));
        settings.get(ProgramSettings.TIME_ZONE);
        return settings;
    }

    private void logs(CamelContext context, Settings settings) throws Exception {
        Management.show(context, "Logging", new Logging(settings));
        context.getCamelContextExtension().addInterceptStrategy(new RouteLogKeys());
        // What routes log is the program's own, at its level.
        context.getGlobalOptions().put(Exchange.LOG_EIP_NAME, Settings.PROGRAM + ".${routeId}");
    }

    /** Takes edits of the route files, which a context that someone else made can't. */
    private void reload(
            CamelContext context,
            Settings settings,
            Events events,
            Executor notifications,
            Threads threads)
            throws Exception {
        boolean reloads = settings.get(ProgramSettings.ROUTES_RELOAD);
        Duration interval = settings.get(ProgramSettings.ROUTES_POLL_INTERVAL);
        if (context instanceof ReloadableContext reloadable) {
            reloadable.versionRoutes();
            RouteReload reload =
                    new RouteReload(reloadable, routeFiles, events::write, notifications);
            if (reloads) {
                context.addStartupListener(reload.every(interval, threads.timer("reload-routes")));
            }
            Management.show(context, "RouteFiles", reload);
            context.getRegistry().bind("routeFilesCheck", HealthCheck.class, reload.check());
        }
    }

    /** The address of the API server. */
    String server() {
        return cluster.server();
    }

    /** A look at the cluster for the schedules of a context that has been configured. */
    ClusterCheck check(CamelContext context) {
        return new ClusterCheck(
                client, apiServer, new Claims(client, clock), PolicyComponent.schedules(context));
    }

    /** What a command works with, once the context has been started. */
    Wiring.Loaded loaded(CamelContext context, Runnable end) {
        return new Wiring.Loaded(
                context,
                client,
                schedules,
                start,
                claims,
                snapshots,
                installation,
                routeFiles.status().files().values().stream()
                        .flatMap(file -> file.error().stream())
                        .toList(),
                () -> {
                    end.run();
                    client.close();
                });
    }

    /** The look at the cluster after the start, once {@link #configure} was called; null before. */
    public Preflight preflight() {
        return preflight;
    }

    /** The route files, once {@link #configure} has read them; null before. */
    RouteFiles routeFiles() {
        return routeFiles;
    }
}
