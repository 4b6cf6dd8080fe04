package io.volumesnapshotter;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.FailedToStartRouteException;
import org.apache.camel.main.Main;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the program. */
public final class VolumeSnapshotter {

    /**
     * EX_CONFIG of sysexits.h: something is configured in a way that the program cannot work with.
     */
    static final int EXIT_CONFIG = 78;

    private static final Logger LOG = LoggerFactory.getLogger(VolumeSnapshotter.class);

    private VolumeSnapshotter() {}

    public static void main(String[] args) {
        System.exit(run(SnapshotterConfiguration::new, Map.of()));
    }

    /**
     * Runs until the process is told to end.
     *
     * @param wiring makes the configuration; what it throws is told like any other bad setting
     * @param settings settings that go before all others
     * @return the exit code
     */
    static int run(Supplier<SnapshotterConfiguration> wiring, Map<String, String> settings) {
        SnapshotterConfiguration configuration = null;
        try {
            configuration = wiring.get();
            Main main = ReloadableContext.main();
            settings.forEach(main::addOverrideProperty);
            main.configure().addConfiguration(configuration);
            main.run();
            return main.getExitCode();
        } catch (Exception e) {
            LOG.error("{}", problem(e, configuration));
            LOG.debug("start failed", e);
            return EXIT_CONFIG;
        }
    }

    /** Why the program does not start, in one line. */
    static String problem(Exception failure, SnapshotterConfiguration configuration) {
        InvalidSettingException invalid =
                Causes.find(InvalidSettingException.class, failure).orElse(null);
        String words = invalid == null ? Failures.rootWords(failure) : invalid.getMessage();
        if (invalid != null && words.startsWith(Settings.PREFIX)) {
            return words;
        }
        String route = null;
        FailedToCreateRouteException create =
                Causes.find(FailedToCreateRouteException.class, failure).orElse(null);
        FailedToStartRouteException start =
                Causes.find(FailedToStartRouteException.class, failure).orElse(null);
        if (create != null) {
            route = create.getRouteId();
        } else if (start != null) {
            route = start.getRouteId();
        }
        if (route == null || configuration == null || configuration.routeFiles() == null) {
            return words;
        }
        return configuration.routeFiles().fileOf(route) + ": " + words;
    }
}
