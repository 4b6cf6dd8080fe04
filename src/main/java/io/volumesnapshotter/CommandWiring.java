package io.volumesnapshotter;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.command.CommandException;
import io.volumesnapshotter.command.Wiring;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.kubernetes.ClusterAccess;
import io.volumesnapshotter.kubernetes.ClusterChoice;
import io.volumesnapshotter.observe.NegotiatedMetrics;
import io.volumesnapshotter.preflight.Components;
import io.volumesnapshotter.preflight.Finding;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.run.RunListeners;
import io.volumesnapshotter.settings.Settings;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.main.Main;

/** Makes the program for commands: settings and routes as for serving, and nothing fires. */
final class CommandWiring implements Wiring {

    /** What is for a program that serves. */
    private static final Map<String, String> SETTINGS =
            Map.of(
                    "camel.main.jmx-enabled",
                    "false",
                    // In the pod, the program that serves has the port and leads.
                    "camel.management.enabled",
                    "false",
                    "camel.metrics.enabled",
                    "false",
                    Settings.PREFIX + "leader-election",
                    "false",
                    Settings.PREFIX + "routes-reload",
                    "false",
                    Settings.PREFIX + "jolokia-tls",
                    "",
                    // Triggers are there to be asked when they are due, and never fire.
                    "camel.component.quartz.auto-start-scheduler",
                    "false",
                    "camel.component.quartz.properties[org.quartz.threadPool.threadCount]",
                    "1");

    /** Settings one of which says which claims. */
    private static final List<String> WHICH_CLAIMS =
            List.of("claims", "claim-selector", "storage-class", "opt-in", "namespace-selector");

    private final Map<String, String> environment;
    private final Map<String, String> settings;

    /**
     * @param environment the variables that say where the cluster is
     * @param settings settings that go before all others
     */
    CommandWiring(Map<String, String> environment, Map<String, String> settings) {
        this.environment = environment;
        this.settings = settings;
    }

    @Override
    public KubernetesClient connect(ClusterChoice choice) {
        Cluster cluster = Cluster.find(environment, choice);
        return ClusterAccess.connect(
                cluster, new ApiServerMonitor(cluster.server(), InstantSource.system()));
    }

    @Override
    public Loaded load(Request request) {
        SnapshotterConfiguration configuration =
                SnapshotterConfiguration.forCommand(
                        Cluster.find(environment, request.cluster()),
                        environment,
                        request.listener());
        Main main = main(configuration, request.settings());
        if (!request.needsClaims() && WHICH_CLAIMS.stream().noneMatch(this::isSet)) {
            main.addOverrideProperty(Settings.PREFIX + "claims", Settings.ALL);
        }
        return with(
                main,
                configuration,
                () -> {
                    main.start();
                    return configuration.loaded(main.getCamelContext(), main::stop);
                });
    }

    private boolean isSet(String setting) {
        String name = Settings.PREFIX + setting;
        return Stream.of(
                        settings.get(name),
                        environment.get(name.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_")),
                        System.getProperty(name))
                .anyMatch(value -> value != null && !value.isBlank());
    }

    @Override
    public Look look(ClusterChoice choice) {
        SnapshotterConfiguration configuration =
                SnapshotterConfiguration.forCommand(
                        Cluster.find(environment, choice),
                        environment,
                        new RunListeners(List.of()));
        Main main = main(configuration, Map.of());
        return with(
                main,
                configuration,
                () -> {
                    main.init();
                    try {
                        return look(main.getCamelContext(), configuration);
                    } finally {
                        main.stop();
                    }
                });
    }

    private static Look look(CamelContext context, SnapshotterConfiguration configuration) {
        boolean isConfigured = configuration.routeFiles().status().wrong() == 0;
        try {
            List<Finding> findings = new ArrayList<>(configuration.check(context).look());
            if (findings.stream().noneMatch(Finding::essential)) {
                findings.add(Components.look());
            }
            return new Look(findings, isConfigured, false);
        } catch (KubernetesClientException e) {
            return new Look(
                    List.of(Finding.ofServer(configuration.server(), e)),
                    isConfigured,
                    ApiErrors.isPassing(e));
        }
    }

    private Main main(SnapshotterConfiguration configuration, Map<String, String> ofCommand) {
        Main main = ReloadableContext.main();
        // Camel looks for it before the configuration is asked.
        main.bind("metricsPage", new NegotiatedMetrics());
        settings.forEach(main::addOverrideProperty);
        SETTINGS.forEach(main::addOverrideProperty);
        ofCommand.forEach(main::addOverrideProperty);
        main.configure().addConfiguration(configuration);
        return main;
    }

    private static <T> T with(Main main, SnapshotterConfiguration configuration, Supplier<T> work) {
        try {
            return work.get();
        } catch (Exception e) {
            String words = VolumeSnapshotter.problem(e, main.getCamelContext(), configuration);
            main.stop();
            CommandException told = CommandException.config(words, "");
            told.initCause(e);
            throw told;
        }
    }
}
