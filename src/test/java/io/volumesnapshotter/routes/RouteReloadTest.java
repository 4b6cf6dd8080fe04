package io.volumesnapshotter.routes;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.Counter;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.ConfigMapMount;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.TabularData;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.apache.camel.support.DefaultComponent;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quartz.Scheduler;
import org.quartz.Trigger.TriggerState;
import org.quartz.TriggerKey;

/** Edits of the route files while the program runs. */
class RouteReloadTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    /** The last steps of a schedule, of which one cannot be. */
    private static final String BROKEN =
            "uri: broken:x\n        - to:\n            uri: direct:run-schedule";

    @TempDir private Path directory;
    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private Map<String, String> files;

    @BeforeEach
    void setUp() throws IOException {
        files = shipped();
    }

    private static Map<String, String> shipped() throws IOException {
        Map<String, String> all = new HashMap<>();
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path file :
                    routes.filter(f -> f.toString().endsWith(RouteFiles.SUFFIX)).toList()) {
                all.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        return all;
    }

    /** A program that takes edits soon. */
    private Program.Builder program() {
        return Program.of(cluster)
                .with("claims", "data")
                .routes(directory)
                .with("routes-poll-interval", "50ms");
    }

    private Program startMounted() throws IOException {
        mount();
        return program().start();
    }

    private Program startMountedAndShown() throws IOException {
        mount();
        return program().shownByJmx().start();
    }

    private void mount() throws IOException {
        ConfigMapMount.write(directory, files);
    }

    @Test
    void whatIsBeingPutInOrderWhenItsRouteIsEditedGoesOnAllTheSame() throws Exception {
        files.put(
                "held.camel.yaml",
                """
                - route:
                    id: held
                    description: Puts in order.
                    from:
                      uri: direct:held
                      steps:
                        - resequence:
                            expression:
                              simple:
                                expression: "${body}"
                            batchConfig:
                              batchTimeout: "2000"
                            steps:
                              - log:
                                  loggingLevel: WARN
                                  message: "came ${body}"
                """);
        try (Program program = startMounted()) {
            program.context().createProducerTemplate().sendBody("direct:held", "one");
            edit("held", "Puts in order", "Puts them in order");
            ConfigMapMount.write(directory, files);
            awaitTold(program, Level.INFO, "held.camel.yaml");
            assertThat(program.told(Level.WARN)).noneMatch(line -> line.contains("came"));
            awaitTold(program, Level.WARN, "came one");
        }
    }

    private void edit(String route, String from, String to) {
        files.computeIfPresent(
                route + RouteFiles.SUFFIX,
                (name, text) -> {
                    assertThat(text).contains(from);
                    return text.replace(from, to);
                });
    }

    private void schedule(String name, String cron) {
        files.put(
                name + RouteFiles.SUFFIX,
                files.get("hourly.camel.yaml")
                        .replace("hourly", name)
                        .replace("{{cron:{{snapshotter.schedule}}}}", cron));
    }

    private static void awaitTold(Program program, Level level, String... words) {
        await().untilAsserted(
                        () ->
                                assertThat(program.told(level))
                                        .anySatisfy(line -> assertThat(line).contains(words)));
    }

    private static Set<String> routes(Program program) {
        return program.context().getRoutes().stream()
                .map(Route::getId)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> routesInFiles() {
        return files.keySet().stream()
                .map(name -> name.replace(RouteFiles.SUFFIX, ""))
                .filter(name -> !name.equals("error-handling"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void aChangedScheduleInAConfigMapTakesEffect() throws IOException {
        try (Program program = startMounted()) {
            files.put(
                    "hourly.camel.yaml",
                    files.get("hourly.camel.yaml")
                            .replace(
                                    "uri: policy:hourly",
                                    "uri: policy:hourly\n            parameters:\n"
                                            + "              keep-last: 7"));
            mount();
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version", "in force");
            assertThat(PolicyComponent.scheduleOf(program.context(), "hourly"))
                    .hasValueSatisfying(
                            s -> assertThat(s.policy().keep().toString()).contains("7"));
        }
    }

    @Test
    void aNewFileInAConfigMapTakesEffect() throws IOException {
        try (Program program = startMounted()) {
            schedule("nightly", "0 0 3 1 1 ? 2098");
            mount();
            await().until(() -> routes(program).equals(routesInFiles()));
            program.fire("nightly", NINE);
            assertThat(cluster.snapshots(NAMESPACE))
                    .extracting(SimulatedSnapshot::name)
                    .contains("data-nightly-20261122090000");
        }
    }

    @Test
    void aRemovedFileInAConfigMapTakesEffect() throws IOException {
        schedule("nightly", "0 0 3 1 1 ? 2098");
        try (Program program = startMounted()) {
            files.remove("nightly.camel.yaml");
            mount();
            awaitTold(program, Level.INFO, "nightly.camel.yaml: removed");
            assertThat(routes(program)).isEqualTo(routesInFiles());
        }
    }

    @Test
    void aRenamedFileInAConfigMapTakesEffect() throws IOException {
        try (Program program = startMounted()) {
            files.put("when.camel.yaml", files.remove("hourly.camel.yaml"));
            mount();
            awaitTold(program, Level.INFO, "when.camel.yaml: version");
            assertThat(program.told(Level.WARN)).isEmpty();
            assertThat(routes(program)).contains("hourly");
        }
    }

    @Test
    void onlyTheRoutesOfAChangedFileAreExchanged() throws IOException {
        try (Program program = startMounted()) {
            Route before = program.context().getRoute("run-schedule");
            Route changed = program.context().getRoute("hourly");
            edit("hourly", "description: ", "description: By the way, ");
            mount();
            await().until(() -> program.context().getRoute("hourly") != changed);
            assertThat(program.context().getRoute("run-schedule")).isSameAs(before);
        }
    }

    @Test
    void editsAreEventsOfThePod() throws IOException {
        cluster.access().grant(NAMESPACE, "events", "create", "get", "update");
        ConfigMapMount.write(directory, files);
        Map<String, String> pod = Map.of("HOSTNAME", "pod-1", "POD_UID", "0815");
        try (Program program = program().environment(pod).start()) {
            edit("hourly", "description: ", "description: By the way, ");
            mount();
            awaitEvent("Normal RoutesReloaded Pod/pod-1 0815");
            edit("hourly", "steps:", "stepz:");
            mount();
            awaitEvent("Warning RoutesRefused Pod/pod-1 0815");
            assertThat(program.told(Level.ERROR)).hasSize(1);
        }
    }

    private void awaitEvent(String expected) {
        await().untilAsserted(
                        () ->
                                assertThat(
                                                cluster.admin()
                                                        .v1()
                                                        .events()
                                                        .inNamespace(NAMESPACE)
                                                        .list()
                                                        .getItems())
                                        .extracting(
                                                event ->
                                                        "%s %s %s/%s %s"
                                                                .formatted(
                                                                        event.getType(),
                                                                        event.getReason(),
                                                                        event.getInvolvedObject()
                                                                                .getKind(),
                                                                        event.getInvolvedObject()
                                                                                .getName(),
                                                                        event.getInvolvedObject()
                                                                                .getUid()))
                                        .contains(expected));
    }

    @Test
    void changedErrorHandlingAppliesToAllRoutes() throws IOException {
        try (Program program = startMounted()) {
            files.put(
                    "give-up.camel.yaml",
                    files.get("handle-failure.camel.yaml")
                            .replace("handle-failure", "give-up")
                            .replace(
                                    "\"${variable.deadLetter}\"",
                                    "\"given up: ${variable.deadLetter}\""));
            edit("error-handling", "direct:handle-failure", "direct:give-up");
            mount();
            awaitTold(program, Level.INFO, "error-handling.camel.yaml: version");
            cluster.driver().fails("out of order: code = InvalidArgument");
            program.fire(NINE);
            awaitTold(program, Level.ERROR, "given up: ");
        }
    }

    @Test
    void anEditInPlaceOnDiskTakesEffectOnceItIsWrittenToItsEnd() throws IOException {
        TestRoutes.copyTo(directory);
        try (Program program = program().start()) {
            Path file = directory.resolve("hourly.camel.yaml");
            String text = Files.readString(file);
            Files.writeString(file, "");
            Files.writeString(file, text.substring(0, text.length() / 2));
            Files.writeString(file, text.replace("description: ", "description: By the way, "));
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version", "in force");
            assertThat(program.told(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aFileRemovedOnDiskTakesEffect() throws IOException {
        TestRoutes.copyTo(directory);
        TestRoutes.schedule(directory, "nightly");
        try (Program program = program().start()) {
            Files.delete(directory.resolve("nightly.camel.yaml"));
            await().until(() -> !routes(program).contains("nightly"));
        }
    }

    @Test
    void anEmptyDirectoryStopsNothing() throws IOException {
        try (Program program = startMounted()) {
            Set<String> before = routes(program);
            files.clear();
            mount();
            awaitTold(program, Level.ERROR, "holds no *.camel.yaml file any more");
            assertThat(routes(program)).isEqualTo(before);
        }
    }

    static Stream<Arguments> wrongEdits() {
        return Stream.of(
                Arguments.of("hourly", "      steps:\n", "     steps:\n", "hourly.camel.yaml"),
                Arguments.of("hourly", "steps:", "stepz:", "hourly.camel.yaml"),
                Arguments.of("hourly", "id: hourly", "id: run-schedule", "route id"),
                Arguments.of(
                        "hourly",
                        "to:\n            uri: direct:",
                        "to:\n            uri: drect:",
                        "drect"),
                Arguments.of("hourly", "{{cron:{{snapshotter.schedule}}}}", "0 0 25 * * ?", "cron"),
                Arguments.of(
                        "hourly", "\"{{snapshotter.time-zone}}\"", "Mars/Olympus", "Mars/Olympus"),
                Arguments.of("hourly", "policy:hourly", "policy:hourly?keep-lats=1", "keep-lats"),
                Arguments.of("hourly", "direct:run-schedule", "direct:run-shedule", "run-shedule"),
                Arguments.of(
                        "take-snapshot", "direct:take-snapshot", "direct:take", "direct:take"));
    }

    @ParameterizedTest(name = "{0}: {1} -> {2}")
    @MethodSource("wrongEdits")
    void aWrongEditIsToldOnceAndTouchesNothing(String route, String from, String to, String words)
            throws IOException {
        try (Program program = startMounted()) {
            List<Route> before = program.context().getRoutes();
            edit(route, from, to);
            mount();
            awaitTold(
                    program,
                    Level.ERROR,
                    route + ".camel.yaml",
                    words,
                    "last good version runs on");
            ConfigMapMount.write(directory, files);
            program.fire(NINE);
            assertThat(program.told(Level.ERROR)).hasSize(1);
            assertThat(program.context().getRoutes()).isEqualTo(before);
        }
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("hourly", "steps:", "stepz:", "field: \"stepz\"", "indented"),
                Arguments.of("hourly", "uri: direct:r", "uri: drect:r", "uri: \"drect:r", "drect"),
                Arguments.of(
                        "run-schedule",
                        "ref: snapshots",
                        "ref: snapshot",
                        "bean: \"snapshot\"",
                        "failures, freezes, retryPolicy, runs"),
                Arguments.of(
                        "run-schedule",
                        "method: takeOver",
                        "method: takeover",
                        "method: \"takeover\"",
                        "takeOver"),
                Arguments.of(
                        "hourly",
                        "{{cron:{{snapshotter.schedule}}}}",
                        "0 0 25 * * ?",
                        "cron: \"0 0 25 * * ?\"",
                        "five fields"),
                Arguments.of(
                        "hourly",
                        "\"{{snapshotter.time-zone}}\"",
                        "Mars/Olympus",
                        "trigger.timeZone: \"Mars/Olympus\"",
                        "Europe/Berlin"),
                Arguments.of(
                        "hourly",
                        "{{snapshotter.time-zone}}",
                        "{{snapshotter.zone}}",
                        "placeholder: \"{{snapshotter.zone}}\"",
                        "no such setting"),
                Arguments.of(
                        "hourly",
                        "stateful: true",
                        "statefull: true",
                        "quartz: statefull: \"true\"",
                        "stateful"),
                Arguments.of(
                        "hourly",
                        "stateful: true",
                        "stateful: maybe",
                        "stateful: \"maybe\"",
                        "takes no such value"),
                Arguments.of(
                        "hourly",
                        "policy:hourly",
                        "policy:hourly?keep-lats=1",
                        "policy:hourly: keep-lats: \"1\"",
                        "keep-last"),
                Arguments.of(
                        "run-schedule",
                        "${variable.run.unrequested}",
                        "${variabel.run}",
                        "expression: \"${variabel.run}\"",
                        "Unknown function"),
                Arguments.of(
                        "hourly",
                        "id: hourly",
                        "id: run-schedule",
                        "route id: \"run-schedule\"",
                        "has it too"),
                Arguments.of(
                        "hourly",
                        "direct:run-schedule",
                        "direct:run-shedule",
                        "uri: \"direct:run-shedule\"",
                        "no route starts there"));
    }

    @ParameterizedTest(name = "{0}: {1} -> {2}")
    @MethodSource("mistakes")
    void aMistakeIsToldWithItsLineAndWhatWouldBeRight(
            String route, String from, String to, String words, String remedy) throws IOException {
        try (Program program = startMounted()) {
            edit(route, from, to);
            mount();
            List<String> lines = files.get(route + RouteFiles.SUFFIX).lines().toList();
            String wrong = lines.stream().filter(l -> l.contains(to)).findFirst().orElseThrow();
            awaitTold(
                    program,
                    Level.ERROR,
                    route + ".camel.yaml:" + (lines.indexOf(wrong) + 1) + ": " + words,
                    " is not valid: ",
                    remedy);
            assertThat(program.told(Level.ERROR))
                    .allSatisfy(line -> assertThat(line).doesNotContainPattern("@[0-9a-f]{6}"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    level=LOUD | value: "LOUD" is not valid: there are | DEBUG
                    lovel=WARN | log: lovel: "WARN" is not valid: there is no such option | level
                    """)
    void aMistakeInTheErrorHandlingIsToldWithItsFileAndLine(
            String option, String words, String remedy) throws IOException {
        try (Program program = startMounted()) {
            edit(
                    "error-handling",
                    "uri: direct:handle-failure",
                    "uri: direct:handle-failure\n            - to:\n                uri: log:x?"
                            + option);
            mount();
            awaitTold(program, Level.ERROR, "error-handling.camel.yaml:69: " + words, remedy);
            assertThat(program.told(Level.ERROR)).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "- beans:\n    - name: runs\n      type: java.util.ArrayList\n",
                "- dataFormats:\n    - json:\n        id: runs\n",
                "- restConfiguration:\n    component: direct\n",
                "- errorHandler:\n    noErrorHandler: {}\n",
                "- routeTemplate:\n    id: mine\n    from:\n      uri: direct:mine\n      steps: []\n"
            })
    void whatWouldChangeTheProgramWhenItIsReadIsRefusedAndChangesNothing(String part)
            throws IOException {
        try (Program program = startMounted()) {
            Object runs = program.context().getRegistry().lookupByName("runs");
            Object handler = program.context().getCamelContextExtension().getErrorHandlerFactory();
            files.computeIfPresent("hourly.camel.yaml", (name, text) -> text + part);
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml:15: part: ", "last good version");
            assertThat(program.context().getRegistry().lookupByName("runs")).isSameAs(runs);
            assertThat(program.context().getCamelContextExtension().getErrorHandlerFactory())
                    .isSameAs(handler);
            edit("run-schedule", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.INFO, "run-schedule.camel.yaml: version");
        }
    }

    /** What would run then takes nothing, or tells nothing. */
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    hourly         | uri: direct:run-schedule     | uri: direct:notify    | no run begins
                    run-schedule   | uri: direct:await-ready      | uri: direct:notify    | no snapshot is seen ready
                    take-snapshot  | uri: direct:create-snapshot  | uri: direct:notify    | no snapshot is created
                    handle-failure | loggingLevel: ERROR          | loggingLevel: DEBUG   | what fails is told by nobody
                    """)
    void anEditThatLosesTheWayIsRefusedAndTheLastGoodVersionStays(
            String route, String from, String to, String words) throws IOException {
        try (Program program = startMounted()) {
            List<Route> before = program.context().getRoutes();
            edit(route, from, to);
            mount();
            awaitTold(
                    program,
                    Level.ERROR,
                    route + ".camel.yaml:1: route: \"" + route + "\"",
                    words,
                    "last good version runs on");
            assertThat(program.context().getRoutes()).isEqualTo(before);
            program.fire(NINE);
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
        }
    }

    @Test
    void aRefusedFileWithTheTriggerOfAScheduleDoesNotTouchIt() throws Exception {
        try (Program program = startMounted()) {
            files.put(
                    "again.camel.yaml",
                    files.get("hourly.camel.yaml")
                            .replace("hourly", "again")
                            .replace(
                                    "quartz:volume-snapshotter/again",
                                    "quartz://volume-snapshotter/hourly"));
            mount();
            awaitTold(program, Level.ERROR, "again.camel.yaml:5: from", "starts there too");
            Scheduler scheduler =
                    program.context().getComponent("quartz", QuartzComponent.class).getScheduler();
            TriggerKey key = TriggerKey.triggerKey("hourly", "volume-snapshotter");
            assertThat(scheduler.getTriggerState(key)).isEqualTo(TriggerState.NORMAL);
            assertThat(scheduler.getTrigger(key).getNextFireTime()).isNotNull();
        }
    }

    @Test
    void aScheduleThatIsMadeSomethingElseStays() throws IOException {
        try (Program program = startMounted()) {
            edit("hourly", "uri: policy:hourly", "uri: log:hourly");
            edit("hourly", "uri: direct:run-schedule", "uri: log:run");
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml:1: route", "it was a schedule");
            program.fire(NINE);
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
        }
    }

    @Test
    void aFileThatIsEmptiedIsToldAndItsRoutesRunOn() throws IOException {
        try (Program program = startMounted()) {
            files.put("run-schedule.camel.yaml", "");
            mount();
            awaitTold(program, Level.ERROR, "run-schedule.camel.yaml", "last good version runs on");
            program.fire(NINE);
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
        }
    }

    @Test
    void withoutErrorHandlingTheLastGoodOneStays() throws IOException {
        try (Program program = startMounted()) {
            files.remove("error-handling.camel.yaml");
            mount();
            awaitTold(program, Level.ERROR, "error-handling.camel.yaml", "routeConfiguration");
            cluster.driver().fails("out of order: code = InvalidArgument");
            program.fire(NINE);
            awaitTold(program, Level.ERROR, "await-ready failed for");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"route:\n  id: hourly\n", "kind: ConfigMap\n", "[]", "hourly"})
    void aFileThatCamelPassesOverIsToldAndItsRoutesRunOn(String text) throws IOException {
        try (Program program = startMounted()) {
            files.put("hourly.camel.yaml", text);
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml", "- route:");
            assertThat(routes(program)).contains("hourly");
        }
    }

    @Test
    void aFileThatIsNotInUtf8IsTold() throws IOException {
        ConfigMapMount.write(directory, files);
        try (Program program = program().start()) {
            Files.write(
                    directory.resolve("..data/hourly.camel.yaml"),
                    "# \u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
            awaitTold(program, Level.ERROR, "hourly.camel.yaml", "not in UTF-8");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"handle-failure", "make-room", "publish"})
    void aRouteThatOnlyTheErrorHandlingOrAWireTapSendsToStaysWhenItsFileGoes(String route)
            throws IOException {
        try (Program program = startMounted()) {
            files.remove(route + RouteFiles.SUFFIX);
            mount();
            awaitTold(program, Level.ERROR, route + RouteFiles.SUFFIX, "no route starts there");
            assertThat(routes(program)).contains(route);
        }
    }

    @Test
    void rightEditsTakeEffectBesideAWrongOne() throws IOException {
        try (Program program = startMounted()) {
            schedule("nightly", "0 0 3 1 1 ? 2098");
            files.put("hourly.camel.yaml", "- route: {");
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml");
            assertThat(routes(program)).contains("hourly", "nightly");
        }
    }

    @Test
    void aRightEditTakesEffectThoughANewFileHasTheSameId() throws IOException {
        try (Program program = startMounted()) {
            edit("hourly", "description: ", "description: By the way, ");
            files.put("again.camel.yaml", files.get("hourly.camel.yaml"));
            mount();
            awaitTold(
                    program, Level.ERROR, "again.camel.yaml:2: route id", "hourly.camel.yaml has");
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version");
        }
    }

    @Test
    void aFileThatIsWrongOnlyBesideOneThatIsRefusedTakesEffect() throws IOException {
        try (Program program = startMounted()) {
            schedule("nightly", "0 0 3 1 1 ? 2098");
            files.put(
                    "again.camel.yaml",
                    files.get("nightly.camel.yaml")
                            .replace("direct:run-schedule", "direct:nowhere"));
            mount();
            awaitTold(program, Level.ERROR, "again.camel.yaml:14: uri", "direct:nowhere");
            awaitTold(program, Level.INFO, "nightly.camel.yaml: version");
        }
    }

    @Test
    void theCorrectionOfAWrongEditTakesEffect() throws IOException {
        try (Program program = startMounted()) {
            String good = files.put("hourly.camel.yaml", "- route: {");
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml");
            files.put("hourly.camel.yaml", good.replace("description: ", "description: Oh, "));
            mount();
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version");
        }
    }

    @Test
    void aVersionThatDoesNotStartIsTakenBack() throws IOException {
        try (Program program = startMounted()) {
            Route before = program.context().getRoute("hourly");
            // Quartz takes this for right until it is scheduled.
            edit(
                    "hourly",
                    "stateful: true",
                    "stateful: true\n        deleteJob: true\n        pauseJob: true");
            edit("run-schedule", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml", "last good version runs on");
            awaitTold(program, Level.INFO, "run-schedule.camel.yaml: version");
            assertThat(program.context().getRoute("hourly")).isSameAs(before);
            program.fire(NINE);
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
        }
    }

    @Test
    void aVersionWhoseCodeIsNotThereIsTakenBackAndAllFiresOn() throws Exception {
        try (Program program = startMounted()) {
            program.context()
                    .addComponent(
                            "broken",
                            new DefaultComponent() {
                                @Override
                                protected Endpoint createEndpoint(
                                        String uri, String path, Map<String, Object> parameters) {
                                    throw new NoClassDefFoundError("io/fabric8/Missing");
                                }
                            });
            Route before = program.context().getRoute("hourly");
            edit("hourly", "uri: direct:run-schedule", BROKEN);
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml", "last good version runs on");
            assertThat(program.context().getRoute("hourly")).isSameAs(before);
            assertThat(
                            program.context()
                                    .getComponent("quartz", QuartzComponent.class)
                                    .getScheduler()
                                    .isInStandbyMode())
                    .isFalse();
            edit("hourly", BROKEN, "uri: direct:run-schedule");
            edit("hourly", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version");
        }
    }

    @Test
    void whatDidNotStartIsTriedAgainWhenJmxAsksForIt() throws Exception {
        AtomicBoolean broken = new AtomicBoolean(true);
        try (Program program = startMountedAndShown()) {
            program.context()
                    .addComponent(
                            "broken",
                            new DefaultComponent() {
                                @Override
                                protected Endpoint createEndpoint(
                                        String uri, String path, Map<String, Object> parameters) {
                                    if (broken.get()) {
                                        throw new IllegalStateException("the queue is away");
                                    }
                                    return getCamelContext().getEndpoint("direct:run-schedule");
                                }
                            });
            edit("hourly", "uri: direct:run-schedule", BROKEN);
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml", "the queue is away");
            broken.set(false);
            ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("io.volumesnapshotter:type=RouteFiles"),
                            "reload",
                            new Object[0],
                            new String[0]);
            assertThat(attribute("LastError")).isNull();
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version");
        }
    }

    @Test
    void aDirectoryThatCannotBeListedIsShownUntilItCan() throws IOException {
        TestRoutes.copyTo(directory);
        try (Program program = program().shownByJmx().start()) {
            Path away = directory.resolveSibling(directory.getFileName() + "-away");
            Files.move(directory, away);
            Files.createSymbolicLink(directory, directory.getFileName());
            awaitTold(program, Level.ERROR, directory.toString(), "it cannot be read");
            assertThat(attribute("LastError").toString()).contains("it cannot be read");
            Files.delete(directory);
            Files.move(away, directory);
            await().until(() -> attribute("LastError") == null);
            assertThat(program.told(Level.ERROR)).hasSize(1);
        }
    }

    @Test
    void aRouteThatItsPreconditionKeepsOutDoesNotStandInTheWayOfEdits() throws IOException {
        files.put(
                "extra.camel.yaml",
                files.get("notify.camel.yaml")
                        .replace("notify", "extra")
                        .replace(
                                "    id: extra\n",
                                "    id: extra\n    precondition: \"{{extra:false}} == true\"\n"));
        try (Program program = startMounted()) {
            assertThat(program.context().getRoute("extra")).isNull();
            edit("error-handling", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.INFO, "error-handling.camel.yaml: version");
            edit("extra", "{{extra:false}} == true", "{{extra:true}} == true");
            mount();
            awaitTold(program, Level.INFO, "extra.camel.yaml: version");
            assertThat(program.context().getRoute("extra")).isNotNull();
            program.fire(NINE);
            assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
        }
    }

    @Test
    void aRunEndsOnTheVersionItStartedWith() throws IOException {
        cluster.driver().neverReady();
        edit(
                "prune-snapshots",
                "      steps:\n        - filter",
                "      steps:\n        - log:\n            message: old prune\n        - filter");
        try (Program program = startMounted()) {
            CompletableFuture<Void> run = program.fireLater(NINE);
            await().until(() -> !cluster.snapshots(NAMESPACE).isEmpty());
            edit("prune-snapshots", "old prune", "new prune");
            edit("hourly", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.INFO, "prune-snapshots.camel.yaml: version");
            cluster.driver().heal();
            run.join();
            awaitTold(program, Level.INFO, "succeeded, 1 of 1 ready");
            assertThat(program.told(Level.INFO)).contains("old prune").doesNotContain("new prune");
            program.fire(TEN);
            assertThat(program.told(Level.INFO)).contains("new prune");
        }
    }

    @Test
    void aRunEndsThoughItsRoutesAreRemoved() throws IOException {
        cluster.driver().neverReady();
        schedule("nightly", "0 0 3 1 1 ? 2098");
        files.put(
                "my-prune.camel.yaml",
                files.get("prune-snapshots.camel.yaml").replace("prune-snapshots", "my-prune"));
        edit("run-schedule", "direct:prune-snapshots", "direct:my-prune");
        try (Program program = startMounted()) {
            CompletableFuture<Void> run = Program.later(() -> program.fire("nightly", NINE));
            await().until(() -> !cluster.snapshots(NAMESPACE).isEmpty());
            edit("run-schedule", "direct:my-prune", "direct:prune-snapshots");
            files.remove("my-prune.camel.yaml");
            files.remove("nightly.camel.yaml");
            mount();
            awaitTold(program, Level.INFO, "nightly.camel.yaml: removed");
            cluster.driver().heal();
            run.join();
            awaitTold(program, Level.INFO, "nightly-20261122090000: succeeded");
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void theStopWaitsForARunOfARemovedRoute() throws IOException {
        cluster.driver().neverReady();
        schedule("nightly", "0 0 3 1 1 ? 2098");
        try (Program program = startMounted()) {
            CompletableFuture<Void> run = Program.later(() -> program.fire("nightly", NINE));
            await().until(() -> !cluster.snapshots(NAMESPACE).isEmpty());
            files.remove("nightly.camel.yaml");
            mount();
            awaitTold(program, Level.INFO, "nightly.camel.yaml: removed");
            CompletableFuture<Void> stop = Program.later(program::stop);
            awaitTold(program, Level.INFO, "told to stop");
            cluster.driver().heal();
            stop.join();
            awaitTold(program, Level.INFO, "nightly-20261122090000: succeeded");
            run.join();
        }
    }

    @Test
    void whatARouteHadGoesWhenItsLastRunHasEnded() throws IOException {
        try (Program program = startMountedAndShown()) {
            program.fire(NINE);
            int endpoints = program.context().getEndpoints().size();
            for (int i = 0; i < 5; i++) {
                files.replaceAll(
                        (name, text) -> text.replace("description: ", "description: Oh, "));
                mount();
                String version = "" + (i + 1);
                await().until(() -> attribute("ReloadCount").toString().equals(version));
            }
            await().untilAsserted(
                            () ->
                                    assertThat(((ReloadableContext) program.context()).retired())
                                            .isZero());
            assertThat(program.context().getEndpoints()).hasSize(endpoints);
        }
    }

    @Test
    void metricsOfARouteThatIsExchangedCountOnAndThoseOfARemovedOneGo() throws IOException {
        schedule("nightly", "0 0 3 1 1 ? 2098");
        ConfigMapMount.write(directory, files);
        try (Program program = program().managed().start()) {
            ReloadableContext context = (ReloadableContext) program.context();
            program.fire(NINE);
            edit("run-schedule", "description: ", "description: Oh, ");
            files.remove("nightly.camel.yaml");
            assertThat(exchanges(context, "nightly")).isZero();
            mount();
            await().until(() -> exchanges(context, "nightly") < 0);
            await().until(() -> context.retired() == 0);
            program.fire(TEN);
            assertThat(exchanges(context, "run-schedule")).isEqualTo(2);
        }
    }

    /** What Camel's metrics count of a route; -1 when they do not have it. */
    private static double exchanges(ReloadableContext context, String route) {
        return context
                .getRegistry()
                .findSingleByType(PrometheusMeterRegistry.class)
                .find("camel.exchanges.total")
                .tag("routeId", route)
                .counters()
                .stream()
                .mapToDouble(Counter::count)
                .findAny()
                .orElse(-1);
    }

    @Test
    void aRouteThatIsExchangedIsShownByJmx() throws Exception {
        try (Program program = startMountedAndShown()) {
            edit("hourly", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.INFO, "hourly.camel.yaml: version");
            ObjectName name = new ObjectName("org.apache.camel:type=routes,name=\"hourly\",*");
            MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            assertThat(server.queryNames(name, null))
                    .singleElement()
                    .satisfies(
                            bean ->
                                    assertThat(server.getAttribute(bean, "Description").toString())
                                            .startsWith("Oh, "));
        }
    }

    @Test
    void anEditedScheduleOfALeaderFiresOn() throws IOException {
        cluster.access().grant(NAMESPACE, "leases.coordination.k8s.io", "create", "get", "patch");
        schedule("often", "*/2 * * * * ?");
        ConfigMapMount.write(directory, files);
        try (Program program = program().replica("pod-1").start()) {
            await().until(() -> program.told(Level.INFO).stream().anyMatch(this::isOften));
            edit("often", "description: ", "description: Oh, ");
            mount();
            awaitTold(program, Level.INFO, "often.camel.yaml: version");
            long before = program.told(Level.INFO).stream().filter(this::isOften).count();
            await().until(
                            () ->
                                    program.told(Level.INFO).stream().filter(this::isOften).count()
                                            > before + 1);
            assertThat(program.told(Level.INFO).stream().filter(this::isOften))
                    .doesNotHaveDuplicates();
        }
    }

    private boolean isOften(String line) {
        return line.startsWith("often-") && line.contains(": starts");
    }

    @Test
    void offBySetting() throws IOException {
        ConfigMapMount.write(directory, files);
        try (Program program = program().with("routes-reload", "false").start()) {
            schedule("nightly", "0 0 3 1 1 ? 2098");
            mount();
            await().during(Duration.ofMillis(500))
                    .until(() -> !routes(program).contains("nightly"));
        }
    }

    private static Object attribute(String name) {
        try {
            MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            return server.getAttribute(
                    new ObjectName("io.volumesnapshotter:type=RouteFiles"), name);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void jmxShowsWhichVersionRunsAndWhatWasRefused() throws IOException {
        try (Program program = startMountedAndShown()) {
            files.put("hourly.camel.yaml", "- route: {");
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml");
            assertThat(attribute("LastError").toString()).contains("hourly.camel.yaml:1: ");
            assertThat(attribute("FailureCount")).isEqualTo(1L);
            TabularData shown = (TabularData) attribute("Files");
            assertThat(shown.get(new Object[] {"hourly.camel.yaml"}).get("value").toString())
                    .contains("since", "refused");
        }
    }

    @Test
    void theHealthCheckStaysUpAndSaysWhatWasRefused() throws IOException {
        try (Program program = startMounted()) {
            files.put("hourly.camel.yaml", "- route: {");
            mount();
            awaitTold(program, Level.ERROR, "hourly.camel.yaml");
            assertThat(HealthCheckHelper.invokeReadiness(program.context(), "full"))
                    .filteredOn(result -> result.getCheck().getId().equals("route-files"))
                    .singleElement()
                    .satisfies(
                            result -> {
                                assertThat(result.getState()).isEqualTo(HealthCheck.State.UP);
                                assertThat(result.getDetails()).containsEntry("state", "degraded");
                                assertThat(result.getMessage().orElse("")).contains("hourly");
                            });
        }
    }
}
