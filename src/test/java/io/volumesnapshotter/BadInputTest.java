package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.command.ExitCode;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.SettingNames;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import io.volumesnapshotter.testing.ToldLines;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot work ends the start with one line that says where, what, and what would be right. */
class BadInputTest {

    @AutoClose private static final SimulatedCluster cluster = SimulatedCluster.start();

    @TempDir private Path routes;

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    claims            | ''             | name at least one claim
                    namespace-selector | team in (a    | a selector as kubectl takes it
                    claim-selector    | 'a==b==c'      | a selector as kubectl takes it
                    claim-selector    | 'app=db'       | claims that are named are not looked at
                    storage-class     | Fast           | a name has lower case letters
                    opt-in            | yes            | give true or false
                    skip-unused       | '30'           | such as
                    skip-unused       | 30d            | claims that are named are not looked at
                    suspend           | 1              | give true or false
                    jitter            | '10'           | with its unit
                    concurrency       | '0'            | from 1 to 100
                    concurrency       | '101'          | from 1 to 100
                    concurrency       | few            | from 1 to 100
                    concurrency       | ''             | from 1 to 100
                    starting-deadline | ''             | with its unit
                    snapshot-class-by-driver | 'a'     | pairs of names
                    labels            | 'job=mine'     | none of the program's own
                    labels            | 'a b=c'        | labels as Kubernetes takes them
                    annotations       | '=c'           | annotations as Kubernetes takes them
                    claims            | ', ,'          | name at least one claim
                    claims            | 'data,My_Data' | a claim's name has lower case letters
                    namespace         | Shop           | a namespace's name has lower case letters
                    snapshot-class-name | 'a b'        | a name has lower case letters
                    keep-last         | 0              | give a whole number, 1 or more
                    keep-last         | -1             | give a whole number, 1 or more
                    keep-last         | two            | give a whole number, 1 or more
                    keep-last         | 99999999999    | give a whole number, 1 or more
                    keep-hourly       | 0              | give a whole number, 1 or more
                    keep-daily        | -7             | give a whole number, 1 or more
                    keep-weekly       | 1.5            | give a whole number, 1 or more
                    keep-monthly      | unlimited      | give a whole number, 1 or more
                    keep-yearly       | 1y             | give a whole number, 1 or more
                    keep-failed       | -1             | give a whole number, 0 or more
                    keep-failed       | all            | give a whole number, 0 or more
                    keep-within       | 7              | give hours or days above 0
                    keep-within       | 6m             | a month is 30d
                    keep-within       | 0d             | give hours or days above 0
                    keep-within       | 999999999999d  | give hours or days above 0
                    keep-within       | 40000d         | give hours or days above 0
                    quiesce           | 'my db'        | a name has lower case letters
                    data-source       | ../etc         | a name has lower case letters
                    freeze-timeout    | 0s             | with its unit
                    ready-timeout     | 15             | with its unit
                    ready-timeout     | 0s             | with its unit
                    ready-timeout     | -1m            | with its unit
                    ready-timeout     | 500ms          | must not be shorter than poll-interval
                    poll-interval     | soon           | with its unit
                    max-poll-interval | 10ms           | must not be shorter than poll-interval
                    time-zone         | Europe/Berlim  | time zone database
                    time-zone         | UTC-3          | time zone database
                    schedule          | ''             | five fields as in crontab
                    schedule          | '0 25 * * *'   | hour: "25" is not from 0 to 23
                    schedule          | '0 0 13 * 5'   | crontab takes two days as "or"
                    schedule          | '0 3 ? * *'    | crontab has no ?; write *
                    schedule          | '*/90 * * * *' | crontab begins anew with each hour
                    schedule          | 'CRON_TZ=UTC 0 3 * * *' | snapshotter.time-zone
                    schedule          | 'TZ=Europe/Berlin 0 0 3 * * ?' | trigger.timeZone
                    schedule          | '* * * *'      | five fields as in crontab
                    schedule          | @reboot        | five fields as in crontab
                    schedule          | '0 0 0 1 1 ? 2020' | never fires again
                    schedule          | '0 0 30 2 *'   | it never fires again
                    """)
    void aWrongSettingIsNamedWithItsValueAndWhatWouldBeRight(
            String setting, String value, String remedy) {
        String place = "snapshotter." + setting;
        String shown = value.equals("data,My_Data") ? "My_Data" : value.trim();
        assertThat(startWith(Map.of(place, value)))
                .startsWith(place + ": \"" + shown + "\" is not valid: ")
                .contains(remedy);
    }

    @ParameterizedTest
    @ValueSource(strings = {"abc", "-1", "70000", ""})
    void aManagementPortThatIsNoneIsNamed(String port) {
        assertThat(
                        startWith(
                                Map.of(
                                        "camel.management.enabled",
                                        "true",
                                        "camel.management.port",
                                        port)))
                .startsWith("camel.management.port: \"" + port + "\" is not valid: give a port");
    }

    @Test
    void aManagementPortThatIsInUseIsNamed() throws IOException {
        try (ServerSocket other = new ServerSocket(0)) {
            String port = String.valueOf(other.getLocalPort());
            assertThat(
                            startWith(
                                    Map.of(
                                            "camel.management.enabled",
                                            "true",
                                            "camel.management.port",
                                            port)))
                    .startsWith("camel.management.port: \"" + port + "\" is not valid: ")
                    .contains("cannot listen there", "give another port");
        }
    }

    @Test
    void aFileOfJolokiasUsersThatIsNotThereIsNamed() {
        assertThat(
                        startWith(
                                Map.of(
                                        "camel.management.enabled", "true",
                                        "camel.management.port", "0",
                                        "camel.management.basic-properties-file", "/none/users")))
                .startsWith(
                        "CAMEL_MANAGEMENT_BASIC_PROPERTIES_FILE: \"/none/users\" is not valid: there"
                                + " is no such readable file");
    }

    @Test
    void aDirectoryOfRoutesThatIsNotThereIsNamed() {
        Path missing = routes.resolve("missing");
        assertThat(startWith(Map.of("snapshotter.routes", missing.toString())))
                .isEqualTo(
                        "snapshotter.routes: \"%s\" is not valid: there is no such directory",
                        missing);
    }

    @Test
    void anEmptyDirectoryOfRoutesIsNamed() {
        assertThat(startWithRoutes()).contains(routes.toString(), "it holds no *.camel.yaml file");
    }

    @Test
    void aSyntaxErrorIsToldWithFileAndLine() throws IOException {
        TestRoutes.copyTo(routes);
        Files.writeString(
                routes.resolve("broken.camel.yaml"), "- route:\n    id: broken\n   from: {\n");
        assertThat(toldWhileTheOthersRunOn())
                .contains("broken.camel.yaml:3: ", "block mapping start", "correct the file");
    }

    @Test
    void anUnknownFieldIsToldWithItsFile() throws IOException {
        edit("hourly", "      steps:", "      stepz:");
        assertThat(startWithRoutes()).contains("hourly.camel.yaml", "stepz");
    }

    @Test
    void anUnknownComponentIsToldWithItsFile() throws IOException {
        edit("hourly", "uri: direct:run-schedule", "uri: drect:run-schedule");
        assertThat(startWithRoutes()).contains("hourly.camel.yaml", "drect:");
    }

    @Test
    void aMissingBeanIsToldWithItsLineAndThoseThatThereAre() throws IOException {
        edit("run-schedule", "ref: snapshots", "ref: snapshot");
        assertThat(startWithRoutes())
                .contains(
                        "run-schedule.camel.yaml:24: bean: \"snapshot\"",
                        "failures, freezes, retryPolicy, runs");
    }

    @Test
    void aDuplicateIdIsToldWithBothFiles() throws IOException {
        TestRoutes.copyTo(routes);
        Files.copy(routes.resolve("hourly.camel.yaml"), routes.resolve("nightly.camel.yaml"));
        assertThat(toldWhileTheOthersRunOn())
                .contains(
                        "nightly.camel.yaml:",
                        ": route id",
                        "\"hourly\"",
                        "hourly.camel.yaml has it too");
    }

    @Test
    void aRouteWithoutIdIsToldWithItsFile() throws IOException {
        edit("hourly", "    id: hourly\n", "");
        assertThat(startWithRoutes()).contains("hourly.camel.yaml", "give it an id");
    }

    @Test
    void aBadCronInARouteIsToldWithItsFile() throws IOException {
        edit("hourly", "{{cron:{{snapshotter.schedule}}}}", "0 25 * * ?");
        assertThat(startWithRoutes()).contains("hourly.camel.yaml:", ": cron", "\"0 25 * * ?\"");
    }

    @Test
    void aBadCronInTheFunctionIsToldWithItsFile() throws IOException {
        edit("hourly", "{{cron:{{snapshotter.schedule}}}}", "{{cron:@reboot}}");
        assertThat(startWithRoutes()).contains("hourly.camel.yaml", "\"@reboot\"", "@hourly");
    }

    @Test
    void anUnknownTimeZoneInARouteIsToldWithItsFile() throws IOException {
        edit("hourly", "\"{{snapshotter.time-zone}}\"", "Mars/Olympus");
        assertThat(startWithRoutes())
                .contains(
                        "hourly.camel.yaml:",
                        ": trigger.timeZone",
                        "Mars/Olympus",
                        "Europe/Berlin");
    }

    @Test
    void aWrongSettingOfASchedulesPolicyIsToldWithItsFile() throws IOException {
        setPolicy("keep-last: none");
        assertThat(startWithRoutes())
                .contains(
                        "hourly.camel.yaml:",
                        ": policy:hourly: keep-last: \"none\"",
                        "whole number");
    }

    @Test
    void aJitterLongerThanTheShortestIntervalIsTold() throws IOException {
        edit("hourly", "{{cron:{{snapshotter.schedule}}}}", "{{cron:0,50 * * * *}}");
        Path hourly = routes.resolve("hourly.camel.yaml");
        Files.writeString(
                hourly,
                Files.readString(hourly)
                        .replace(
                                "uri: policy:hourly\n",
                                "uri: policy:hourly\n            parameters:\n              jitter:"
                                        + " 11m\n"));
        assertThat(startWithRoutes())
                .contains(
                        "hourly.camel.yaml:", ": policy:hourly: jitter: \"11m\"", "two runs, 10m");
    }

    @Test
    void aScheduleThatIsWrongIsToldAndTheOthersRunOn() throws IOException {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "nightly", "claims: db", "keep-daily: 0");
        TestRoutes.schedule(routes, "weekly", "claim-selector: app in (db");
        TestRoutes.schedule(routes, "monthly", "labels: a=%26");
        Files.writeString(routes.resolve("broken.camel.yaml"), "- route: {");
        try (Program program = Program.start(cluster, "data", routes)) {
            assertThat(program.told(Level.ERROR))
                    .hasSize(4)
                    .allMatch(line -> line.endsWith("; the others run on"))
                    .anyMatch(
                            line ->
                                    line.matches(
                                            ".*nightly.camel.yaml:\\d+: policy:nightly: keep-daily: .*"))
                    .anyMatch(
                            line ->
                                    line.matches(
                                            ".*weekly.camel.yaml:\\d+: policy:weekly: claim-selector: .*"))
                    .anyMatch(line -> line.contains("monthly.camel.yaml"))
                    .anyMatch(line -> line.contains("broken.camel.yaml"));
            assertThat(program.context().getRoute("hourly")).isNotNull();
            assertThat(program.context().getRoute("nightly")).isNull();
        }
    }

    /** Of what is said twice only one would be in force; which one, nobody could see. */
    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource({
        "keep-last: 3,            keep-last: 1,     keep-last",
        "keep-last: 3,            keepLast: 1,      keepLast",
        "claims: db,              '\"claims\": logs', claims",
    })
    void whatStandsTwiceIsToldWithBothLines(String first, String second, String key)
            throws IOException {
        setPolicy(first + "\n              " + second);
        assertThat(startWithRoutes())
                .contains(
                        "hourly.camel.yaml:15: key: \"" + key + "\" is not valid: ",
                        "first on line 14");
        assertThat(preflight()).isEqualTo(ExitCode.CONFIG);
    }

    @Test
    void aMergeKeyIsToldAndAnAliasIsTaken() throws IOException {
        setPolicy("keep-last: 3");
        Path hourly = routes.resolve("hourly.camel.yaml");
        String text =
                Files.readString(hourly)
                        .replace(
                                "parameters:\n              keep",
                                "parameters: &keep\n              keep");
        String nightly = text.replace("hourly", "nightly");
        Files.writeString(
                hourly,
                text
                        + nightly.replace(
                                "parameters: &keep\n              keep-last: 3",
                                "parameters:\n              <<: *keep"));
        assertThat(startWithRoutes())
                .contains("hourly.camel.yaml:30: key: \"<<\" is not valid: ", "write them out");
        assertThat(preflight()).isEqualTo(ExitCode.CONFIG);
        replace("hourly", "parameters:\n              <<: *keep", "parameters: *keep");
        try (Program program = Program.start(cluster, "data", routes)) {
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(PolicyComponent.settingsOf(program.context().getRoute("nightly")))
                    .containsEntry("keep-last", "3");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ".x.camel.yaml",
                "._hourly.camel.yaml",
                ".#hourly.camel.yaml",
                ".hourly.camel.yaml.swp",
                "#hourly.camel.yaml#",
                "hourly.camel.yaml~",
                "hourly.camel.yaml.bak",
                ".hidden.yaml"
            })
    void whatEditorsAndMountsLeaveThereIsNoRoute(String name) throws IOException {
        TestRoutes.copyTo(routes);
        Files.writeString(routes.resolve(name), "- route: {");
        try (Program program = Program.start(cluster, "data", routes)) {
            assertThat(program.told(Level.WARN)).isEmpty();
        }
    }

    /** Each in another way; the start tells it and leaves it out, and preflight refuses it. */
    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    trigger.timeZone        | timeZone             | quartz: timeZone: "UTC"
                    trigger.timeZone        | trigger.timezone     | quartz: trigger.timezone: "UTC"
                    stateful: true          | stateful: maybe      | stateful: "maybe"
                    stateful: true          | pauseJob: true       | pauseJob: "true"
                    direct:run-schedule     | direct:run           | uri: "direct:run"
                    direct:run-schedule     | log:x?lovel=INFO     | log: lovel: "INFO"
                    direct:run-schedule     | bean:runs?method=no  | method: "no"
                    direct:run-schedule     | log:done             | no run begins
                    """)
    void aScheduleThatCannotStartIsToldAndTheOthersRunOn(String from, String to, String words)
            throws IOException {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "nightly");
        replace("nightly", "\"{{snapshotter.time-zone}}\"", "UTC");
        replace("nightly", from, to);
        assertThat(toldWhileTheOthersRunOn()).contains("nightly.camel.yaml:", words);
        assertThat(preflight()).isEqualTo(ExitCode.CONFIG);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    ref: snapshots             | ref: snapshot       | bean: "snapshot"
                    method: takeOver           | method: takeover    | method: "takeover"
                    variable.run.unrequested   | variabel.run        | expression
                    method: finish             | method: start       | no run is told as ended
                    """)
    void whatTheStartRefusesPreflightRefuses(String from, String to, String words)
            throws IOException {
        edit("run-schedule", from, to);
        assertThat(startWithRoutes()).contains("run-schedule.camel.yaml:", words);
        assertThat(preflight()).isEqualTo(ExitCode.CONFIG);
    }

    @Test
    void anUnknownSettingOfASchedulesPolicyIsToldWithThoseThatThereAre() throws IOException {
        setPolicy("keep-lats: 3");
        assertThat(startWithRoutes())
                .contains(
                        "hourly.camel.yaml:",
                        ": policy:hourly: keep-lats",
                        "keep-daily, keep-failed");
    }

    @Test
    void aPolicyThatIsNotNamedAfterItsRouteIsTold() throws IOException {
        edit("hourly", "uri: policy:hourly", "uri: policy:nightly");
        assertThat(startWithRoutes())
                .contains(
                        "hourly.camel.yaml:",
                        ": policy: \"nightly\"",
                        "name it after the route, hourly");
    }

    @Test
    void fiveFieldsOfCronWithoutTheFunctionAreToldHowToBeWritten() throws IOException {
        edit("hourly", "{{cron:{{snapshotter.schedule}}}}", "0 3 * * *");
        assertThat(startWithRoutes())
                .contains("hourly.camel.yaml:", ": cron", "{{cron:0 3 * * *}}");
    }

    @Test
    void twoRoutesWithTheSameTriggerAreTold() throws IOException {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "nightly");
        Path nightly = routes.resolve("nightly.camel.yaml");
        Files.writeString(
                nightly,
                Files.readString(nightly)
                        .replace("volume-snapshotter/nightly", "volume-snapshotter/hourly"));
        assertThat(toldWhileTheOthersRunOn())
                .contains("nightly.camel.yaml:", ": from", "quartz:volume-snapshotter/hourly");
    }

    @Test
    void aCallOfARouteThatIsNotThereIsToldWithItsFile() throws IOException {
        edit("run-schedule", "direct:prune-snapshots", "direct:prune-snapshot");
        assertThat(startWithRoutes())
                .contains(
                        "run-schedule.camel.yaml:",
                        ": uri: \"direct:prune-snapshot\"",
                        "no route starts there");
    }

    @Test
    void routesWithoutErrorHandlingAreRefused() throws IOException {
        TestRoutes.copyTo(routes);
        Files.delete(routes.resolve("error-handling.camel.yaml"));
        assertThat(startWithRoutes()).contains("routeConfiguration", "error-handling.camel.yaml");
    }

    @Test
    void errorHandlingThatGotAnIdAndSoAppliesToNoRouteIsRefused() throws IOException {
        TestRoutes.copyTo(routes);
        Path file = routes.resolve("error-handling.camel.yaml");
        String start = "- routeConfiguration:\n";
        String text = Files.readString(file);
        assertThat(text).startsWith(start);
        Files.writeString(file, text.replace(start, start + "    id: routeConfiguration-1234\n"));
        assertThat(startWithRoutes()).contains("routeConfiguration", "take the id away");
    }

    @Test
    void anEnvironmentVariableThatIsNoSettingIsNamed() {
        assertThat(
                        catchThrowable(
                                () ->
                                        SettingNames.checkEnvironment(
                                                Map.of(
                                                        "SNAPSHOTTER_KEEPLAST", "3",
                                                        "SNAPSHOTTER_PORT", "tcp://10.0.0.1:80"))))
                .hasMessageContainingAll(
                        "SNAPSHOTTER_KEEPLAST",
                        "\"3\"",
                        "do you mean SNAPSHOTTER_KEEP_LAST?",
                        "SNAPSHOTTER_ADOPT",
                        "SNAPSHOTTER_LEASE_NAME");
    }

    @Test
    void aKubeconfigThatIsNotThereIsNamed() {
        assertThat(catchThrowable(() -> Cluster.find(Map.of("KUBECONFIG", "/none"))))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContainingAll("KUBECONFIG", "/none", "no such readable file");
    }

    private void setPolicy(String setting) throws IOException {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "hourly", setting);
    }

    private void edit(String route, String old, String replacement) throws IOException {
        TestRoutes.copyTo(routes);
        replace(route, old, replacement);
    }

    private void replace(String route, String old, String replacement) throws IOException {
        Path file = routes.resolve(route + RouteFiles.SUFFIX);
        String text = Files.readString(file);
        assertThat(text).contains(old);
        Files.writeString(file, text.replace(old, replacement));
    }

    private String toldWhileTheOthersRunOn() {
        try (Program program = Program.start(cluster, "data", routes)) {
            assertThat(program.context().getRoute("hourly")).isNotNull();
            List<String> lines = program.told(Level.WARN);
            assertThat(lines).singleElement().asString().endsWith("; the others run on");
            return lines.get(0);
        }
    }

    private String startWithRoutes() {
        return startWith(Map.of("snapshotter.routes", routes.toString()));
    }

    /** What preflight says of these routes; it says nothing else than the start. */
    private int preflight() {
        return Cli.of(cluster)
                .with("claims", "data")
                .with("routes", routes.toString())
                .run("preflight")
                .code();
    }

    private static String startWith(Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(Map.of("snapshotter.claims", "data"));
        all.putAll(settings);
        try (ToldLines told = new ToldLines()) {
            int exitCode =
                    VolumeSnapshotter.run(
                            () ->
                                    new SnapshotterConfiguration(
                                            Cluster.of(cluster.config(Program.NAMESPACE)),
                                            Map.of()),
                            all);
            assertThat(exitCode).isEqualTo(78);
            List<String> lines = told.atLeast(Level.WARN);
            assertThat(lines).singleElement().asString().doesNotContain("\n");
            return lines.get(0);
        }
    }
}
