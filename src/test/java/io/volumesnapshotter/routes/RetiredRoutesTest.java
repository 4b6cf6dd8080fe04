package io.volumesnapshotter.routes;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.ConfigMapMount;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.apache.camel.Route;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.xml.LwModelToXMLDumper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of routes that were exchanged: nothing, with all that shows routes switched on. */
class RetiredRoutesTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final int EDITS = Scale.of(8, 24);

    /** The last step of an {@code onException} in a diagram; it has one. */
    private static final Pattern HANDLING_STEP =
            Pattern.compile("<\\w+ id=\"([^\"]+)\"[^>]*/>\\s*</onException>");

    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    @TempDir private Path directory;
    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private Map<String, String> files;
    private Program program;

    /** All routes that there were. */
    private final List<WeakReference<Route>> all = new CopyOnWriteArrayList<>();

    @BeforeEach
    void setUp() throws IOException {
        files = new HashMap<>();
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path file :
                    routes.filter(f -> f.toString().endsWith(RouteFiles.SUFFIX)).toList()) {
                files.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        // Fires for the first time long after the test.
        schedule("nightly", "0 0 3 1 1 ? 2098");
        ConfigMapMount.write(directory, files);
        program =
                Program.of(cluster)
                        .with("claims", "data")
                        .routes(directory)
                        .with("routes-poll-interval", "20ms")
                        .shownByJmx()
                        .managed()
                        .start();
        program.context().getRoutes().forEach(this::note);
        program.context().addLifecycleStrategy(new Noting());
    }

    private void note(Route route) {
        all.add(new WeakReference<>(route));
    }

    private final class Noting extends LifecycleStrategySupport {

        @Override
        public void onRouteContextCreate(Route route) {
            note(route);
        }
    }

    @AfterEach
    void tearDown() {
        program.close();
    }

    private void schedule(String name, String cron) {
        files.put(
                name + RouteFiles.SUFFIX,
                files.get("hourly.camel.yaml")
                        .replace("hourly", name)
                        .replace("{{cron:{{snapshotter.schedule}}}}", cron));
    }

    private void edit(String route) throws IOException {
        files.computeIfPresent(
                route + RouteFiles.SUFFIX,
                (name, text) -> text.replaceFirst("description: ", "description: Oh, "));
        mount();
    }

    /** Takes the files, and waits until they are in force. */
    private void mount() throws IOException {
        long before = told();
        ConfigMapMount.write(directory, files);
        await().until(() -> told() > before);
    }

    private long told() {
        return program.told(Level.INFO).stream()
                .filter(line -> line.endsWith("in force") || line.contains(": removed"))
                .count();
    }

    /** Waits until there are only those routes that run. */
    private void awaitOnlyRunningRoutes() {
        await().pollInterval(Duration.ofMillis(200))
                .untilAsserted(
                        () -> {
                            System.gc();
                            assertThat(alive()).hasSameSizeAs(program.context().getRoutes());
                        });
    }

    private List<String> alive() {
        return all.stream()
                .map(WeakReference::get)
                .filter(route -> route != null)
                .map(Route::getId)
                .toList();
    }

    @Test
    void nothingHoldsRoutesWhoseErrorHandlingWasEdited() throws IOException {
        program.fire(NINE);
        for (int i = 0; i < EDITS; i++) {
            edit("error-handling");
        }
        awaitOnlyRunningRoutes();
    }

    @Test
    void nothingHoldsRoutesThatWereEditedOrRemoved() throws IOException {
        String nightly = files.get("nightly.camel.yaml");
        for (int i = 0; i < EDITS / 2; i++) {
            edit("hourly");
            if (files.remove("nightly.camel.yaml") == null) {
                files.put("nightly.camel.yaml", nightly);
            }
            mount();
        }
        awaitOnlyRunningRoutes();
    }

    @Test
    void nothingHoldsRoutesThatWereExchangedDuringARun() throws IOException {
        cluster.driver().neverReady();
        CompletableFuture<Void> run = program.fireLater(NINE);
        await().until(() -> !cluster.snapshots(NAMESPACE).isEmpty());
        edit("error-handling");
        edit("hourly");
        edit("run-schedule");
        cluster.driver().heal();
        run.join();
        awaitOnlyRunningRoutes();
    }

    @Test
    void nothingHoldsRoutesThatShareMoreThanErrorHandling() throws IOException {
        String log = "{steps: [{log: {loggingLevel: DEBUG, message: passed}}]}";
        files.computeIfPresent(
                "error-handling.camel.yaml",
                (name, text) ->
                        text
                                + "    onCompletion: [onCompletion: %s]\n".formatted(log)
                                + "    intercept: [intercept: %s]\n".formatted(log));
        mount();
        program.fire(NINE);
        for (int i = 0; i < 3; i++) {
            edit("error-handling");
        }
        awaitOnlyRunningRoutes();
    }

    @Test
    void nothingHoldsRoutesThatFailed() throws IOException {
        cluster.driver().fails("out of order: code = InvalidArgument");
        for (int i = 0; i < 3; i++) {
            program.fire(NINE.plus(Duration.ofHours(i)));
            edit("error-handling");
        }
        awaitOnlyRunningRoutes();
    }

    @Test
    void nothingHoldsRoutesThatDidNotStart() throws IOException {
        String good = files.get("hourly.camel.yaml");
        for (int i = 1; i <= 3; i++) {
            // Quartz takes this for right until it is scheduled.
            files.put(
                    "hourly.camel.yaml",
                    good.replace(
                                    "stateful: true",
                                    "stateful: true\n        deleteJob: true\n        pauseJob: true")
                            .replace("description: ", "description: " + "Oh, ".repeat(i)));
            edit("error-handling");
        }
        awaitOnlyRunningRoutes();
    }

    @Test
    void jmxShowsAsMuchOfTheRoutesAsBefore() throws Exception {
        program.fire(NINE);
        Map<String, Long> before = beans();
        for (int i = 0; i < 3; i++) {
            edit("error-handling");
            edit("hourly");
        }
        await().untilAsserted(() -> assertThat(beans()).isEqualTo(before));
    }

    /** How many MBeans Camel has of each type. */
    private static Map<String, Long> beans() throws MalformedObjectNameException {
        return SERVER.queryNames(new ObjectName("org.apache.camel:*"), null).stream()
                .collect(
                        Collectors.groupingBy(
                                name -> name.getKeyProperty("type"), Collectors.counting()));
    }

    @Test
    void theErrorHandlingOfEachRouteHasCountsOfItsOwn() throws Exception {
        edit("error-handling");
        for (Route route : program.context().getRoutes()) {
            ObjectName name =
                    new ObjectName(
                            "org.apache.camel:type=routes,name=\"%s\",*".formatted(route.getId()));
            ObjectName shown = SERVER.queryNames(name, null).iterator().next();
            String whole =
                    new LwModelToXMLDumper()
                            .dumpModelAsXml(
                                    program.context(),
                                    ((ModelCamelContext) program.context())
                                            .getRouteDefinition(route.getId()));
            String counted =
                    (String)
                            SERVER.invoke(
                                    shown,
                                    "dumpRouteStatsAsXml",
                                    new Object[] {true, true},
                                    new String[] {"boolean", "boolean"});
            assertThat(HANDLING_STEP.matcher(whole).results().map(step -> step.group(1)))
                    .hasSize(3)
                    .allSatisfy(
                            step ->
                                    assertThat(counted)
                                            .contains("<processorStat id=\"" + step + "\""));
        }
    }
}
