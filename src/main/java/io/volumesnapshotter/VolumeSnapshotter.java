package io.volumesnapshotter;

import io.volumesnapshotter.command.CommandEnvironment;
import io.volumesnapshotter.command.CommandLog;
import io.volumesnapshotter.command.Commands;
import io.volumesnapshotter.command.Console;
import io.volumesnapshotter.command.ExitCode;
import io.volumesnapshotter.command.Interrupts;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.observe.ManagementCheck;
import io.volumesnapshotter.observe.NegotiatedMetrics;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.settings.InvalidSettingException;
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
            "2:wrong arguments",
            "78:wrong settings or route files"
        },
        footer = {
            "%nSettings are environment variables, such as SNAPSHOTTER_CLAIMS. The cluster is found where kubectl finds it.",
            "volume-snapshotter COMMAND --help says more, and what exit codes a command has."
        })
public final class VolumeSnapshotter implements Callable<Integer> {

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
        Map<String, String> environment = System.getenv();
        boolean isCommand = args.length > 0 && !args[0].equals("serve");
        Console console = Console.ofProcess(environment);
        int code =
                line(
                                program,
                                environment,
                                Map.of(),
                                console,
                                isCommand ? Interrupts.ofProcess() : Interrupts.of(() -> {}),
                                verbose -> CommandLog.set(console, verbose))
                        .execute(args);
        program.shutdown.ended(code);
        System.exit(code);
    }

    /**
     * The command line of a program that nobody starts.
     *
     * @param environment the variables that say where the cluster is
     * @param settings settings that go before all others
     */
    public static CommandLine line(
            Map<String, String> environment,
            Map<String, String> settings,
            Console console,
            Interrupts interrupts) {
        return line(
                new VolumeSnapshotter(), environment, settings, console, interrupts, verbose -> {});
    }

    private static CommandLine line(
            VolumeSnapshotter program,
            Map<String, String> environment,
            Map<String, String> settings,
            Console console,
            Interrupts interrupts,
            Consumer<Boolean> verbose) {
        return Commands.line(
                program,
                new CommandEnvironment(
                        environment, console, interrupts, new CommandWiring(environment, settings)),
                verbose);
    }

    @Override
    public Integer call() {
        return serve();
    }

    @Command(description = "Runs the schedules until it is told to stop. The default.")
    int serve() {
        return run(SnapshotterConfiguration::new, Map.of(), shutdown::stops);
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
            return ExitCode.CONFIG;
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
