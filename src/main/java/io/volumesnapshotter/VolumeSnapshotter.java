package io.volumesnapshotter;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.kubernetes.NoCredentialException;
import io.volumesnapshotter.observe.ManagementCheck;
import io.volumesnapshotter.observe.NegotiatedMetrics;
import io.volumesnapshotter.preflight.Finding;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.main.Main;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line. Without a command it serves. */
@Command(
        name = "volume-snapshotter",
        description = "Takes CSI VolumeSnapshots of persistent volume claims on a schedule.",
        mixinStandardHelpOptions = true,
        versionProvider = VolumeSnapshotter.Version.class,
        commandListHeading = "%nCommands:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:fine, or told to stop",
            "1:preflight found what makes runs fail",
            "2:wrong arguments",
            "78:wrong settings or route files"
        },
        footer =
                "%nSettings are environment variables, such as SNAPSHOTTER_CLAIMS. The cluster is found where kubectl finds it.")
public final class VolumeSnapshotter implements Callable<Integer> {

    /** Preflight found what makes runs fail. */
    static final int EXIT_PROBLEM = 1;

    /**
     * EX_CONFIG of sysexits.h: something is configured in a way that the program cannot work with.
     */
    public static final int EXIT_CONFIG = 78;

    private static final Logger LOG = LoggerFactory.getLogger(VolumeSnapshotter.class);

    /** What a command does with the program once that is configured. */
    private interface Work {
        public int run(Main main, SnapshotterConfiguration configuration) throws Exception;
    }

    private final Shutdown shutdown = new Shutdown();

    public static void main(String[] args) {
        VolumeSnapshotter program = new VolumeSnapshotter();
        if (args.length == 0 || args[0].equals("serve")) {
            // As early as can be: before this, a signal ends the JVM with its own code.
            Runtime.getRuntime().addShutdownHook(program.shutdown);
        }
        int code = new CommandLine(program).execute(args);
        program.shutdown.ended(code);
        System.exit(code);
    }

    @Override
    public Integer call() {
        return serve();
    }

    @Command(description = "Runs the schedules until it is told to stop. The default.")
    int serve() {
        return run(SnapshotterConfiguration::new, Map.of(), shutdown::stops);
    }

    @Command(
            description = "Looks whether the cluster lets the schedules work, and changes nothing.")
    public int preflight() {
        // It says that it tries again, which this does not.
        ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger(ApiServerMonitor.class))
                .setLevel(ch.qos.logback.classic.Level.OFF);
        return preflight(SnapshotterConfiguration::new, Map.of(), System.out::println);
    }

    /** Serves as {@link #run(Supplier, Map, Consumer)} does, and does nothing about signals. */
    public static int run(Supplier<SnapshotterConfiguration> wiring, Map<String, String> settings) {
        return run(wiring, settings, main -> {});
    }

    /**
     * Serves until the process is told to end.
     *
     * @param wiring makes the configuration; what it throws is told like any other bad setting
     * @param settings settings that go before all others
     * @param started is handed the program before it starts
     * @return the exit code
     */
    public static int run(
            Supplier<SnapshotterConfiguration> wiring,
            Map<String, String> settings,
            Consumer<Main> started) {
        return with(
                wiring,
                settings,
                (main, configuration) -> {
                    started.accept(main);
                    main.run();
                    return main.getExitCode();
                });
    }

    /**
     * Loads settings and routes as for serving, starts none of them, and looks at the cluster.
     *
     * @param out takes a line for each finding
     * @return the exit code
     */
    public static int preflight(
            Supplier<SnapshotterConfiguration> wiring,
            Map<String, String> settings,
            Consumer<String> out) {
        return with(
                wiring,
                settings,
                (main, configuration) -> {
                    // In the pod, the program that serves has the port.
                    main.addOverrideProperty("camel.management.enabled", "false");
                    main.init();
                    try {
                        List<Finding> findings = look(main, configuration);
                        findings.forEach(finding -> out.accept(finding.toString()));
                        if (configuration.routeFiles().status().wrong() > 0) {
                            return EXIT_CONFIG;
                        }
                        return findings.stream().anyMatch(f -> f.weight() == Finding.Weight.ERROR)
                                ? EXIT_PROBLEM
                                : CommandLine.ExitCode.OK;
                    } finally {
                        main.stop();
                    }
                });
    }

    private static List<Finding> look(Main main, SnapshotterConfiguration configuration) {
        try {
            return configuration.check(main.getCamelContext()).look();
        } catch (KubernetesClientException e) {
            String what = "API server " + configuration.server();
            return List.of(
                    e instanceof NoCredentialException
                            ? Finding.essential(what, ErrorText.words(e), ApiErrors.remedy(e))
                            : Finding.essential(
                                    what,
                                    "it does not serve: " + ErrorText.words(e),
                                    "look at the API server, and at its address in the"
                                            + " kubeconfig"));
        }
    }

    private static int with(
            Supplier<SnapshotterConfiguration> wiring, Map<String, String> settings, Work work) {
        SnapshotterConfiguration configuration = null;
        Main main = ReloadableContext.main();
        // Camel looks for it before the configuration is asked.
        main.bind("metricsPage", new NegotiatedMetrics());
        try {
            configuration = wiring.get();
            main.addMainListener(new ManagementCheck());
            settings.forEach(main::addOverrideProperty);
            main.configure().addConfiguration(configuration);
            return work.run(main, configuration);
        } catch (Exception e) {
            LOG.error("{}", problem(e, main.getCamelContext(), configuration));
            LOG.debug("start failed", e);
            return EXIT_CONFIG;
        }
    }

    /** Why the program does not start, in one line. */
    static String problem(
            Exception failure, CamelContext context, SnapshotterConfiguration configuration) {
        RouteFiles files = configuration == null ? null : configuration.routeFiles();
        return Optional.ofNullable(files)
                .flatMap(f -> f.mistake(context, failure))
                .or(() -> Causes.find(InvalidSettingException.class, failure))
                .map(Throwable::getMessage)
                .orElseGet(() -> ErrorText.rootWords(failure));
    }

    /** The version that the jar was built with. */
    static final class Version implements CommandLine.IVersionProvider {

        @Override
        public String[] getVersion() {
            String version = VolumeSnapshotter.class.getPackage().getImplementationVersion();
            return new String[] {
                "volume-snapshotter " + (version == null ? "(not packaged)" : version)
            };
        }
    }
}
