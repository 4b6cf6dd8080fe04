package io.volumesnapshotter;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.OneRun;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the packaged program starts: its settings, its arguments, its exit codes and its log. */
class StartIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @Test
    void environmentVariablesAreTheSettings() throws Exception {
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_KEEP_LAST", "3"))) {
            await().until(() -> cluster.log().count("delete") >= 2);
            assertThat(program.lines()).noneMatch(line -> line.contains("ERROR"));
            assertThat(program.terminate()).isZero();
        }
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .filteredOn(snapshot -> !snapshot.terminating())
                .hasSizeBetween(3, 4);
    }

    @Test
    void preflightEndsWithZeroWhereRunsWork() throws Exception {
        try (PackagedProgram program = start(Map.of(), "preflight")) {
            assertThat(program.awaitExit()).isZero();
            assertThat(program.lines()).isNotEmpty().allMatch(line -> line.startsWith("INFO "));
        }
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }

    @Test
    void preflightEndsWithOneWhereRunsFail() throws Exception {
        cluster.withoutCrd();
        try (PackagedProgram program = start(Map.of(), "preflight")) {
            assertThat(program.awaitExit()).isEqualTo(1);
            assertThat(program.lines())
                    .anyMatch(line -> line.startsWith("ERROR API snapshot.storage.k8s.io: "));
        }
    }

    @Test
    void preflightEndsWith78WithAWrongSetting() throws Exception {
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_KEEP_LAST", "x"), "preflight")) {
            assertThat(program.awaitExit()).isEqualTo(78);
            assertThat(program.lines()).singleElement().asString().contains("keep-last: \"x\"");
        }
    }

    @Test
    void wrongArgumentsEndItWithTwoAndSayWhatWouldBeRight() throws Exception {
        try (PackagedProgram program = start(Map.of(), "prefligth")) {
            assertThat(program.awaitExit()).isEqualTo(2);
            assertThat(program.lines())
                    .anyMatch(line -> line.contains("prefligth"))
                    .anyMatch(line -> line.contains("did you mean preflight"));
        }
    }

    @Test
    void withoutRightsItKeepsTryingAndTellsOnce() throws Exception {
        cluster.access().revokeAll();
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_SCHEDULE", "0 0 0 1 1 ? 2099"))) {
            program.awaitLine("may not delete volumesnapshots in namespace apps");
            await().until(() -> cluster.log().count("list") >= 3);
            assertThat(program.lines())
                    .hasSize(3)
                    .allMatch(line -> line.contains("grant it, as in k8s/role.yaml"));
            cluster.access()
                    .grant(
                            NAMESPACE,
                            SimulatedCluster.SNAPSHOTS,
                            "create",
                            "get",
                            "list",
                            "delete");
            program.awaitLine("can be listed");
            assertThat(program.terminate()).isZero();
        }
    }

    @Test
    void withoutTheCrdItKeepsTryingAndTellsOnce() throws Exception {
        cluster.withoutCrd();
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_SCHEDULE", "0 0 0 1 1 ? 2099"))) {
            program.awaitLine("install the VolumeSnapshot CRDs");
            await().until(() -> cluster.log().count(entry -> entry.resource().isEmpty()) >= 6);
            assertThat(program.lines()).hasSize(1);
            cluster.installCrd();
            program.awaitLine("can be listed");
            assertThat(program.terminate()).isZero();
        }
    }

    @Test
    void aWrongSettingEndsItWithOneLineAndExitCode78() throws Exception {
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_SCHEDULE", "hourly"))) {
            assertThat(program.awaitExit()).isEqualTo(78);
            assertThat(program.lines())
                    .singleElement()
                    .asString()
                    .contains("snapshotter.schedule: \"hourly\"", "@hourly");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void asJsonEachLineIsAnObjectWithWhatItConcerns(boolean bySystemProperty) throws Exception {
        Map<String, String> json =
                bySystemProperty
                        ? Map.of("JAVA_OPTS", PackagedProgram.JVM + "-Dsnapshotter.log-format=json")
                        : Map.of("SNAPSHOTTER_LOG_FORMAT", "json");
        try (PackagedProgram program = start(json)) {
            program.awaitLine("succeeded, 2 of 2 ready");
            assertThat(program.terminate()).isZero();
            assertThat(program.lines())
                    .allSatisfy(
                            line ->
                                    assertThat(JSON.readTree(line).fieldNames())
                                            .toIterable()
                                            .containsExactly(
                                                    "timestamp",
                                                    "level",
                                                    "loggerName",
                                                    "mdc",
                                                    "formattedMessage",
                                                    "throwable"));
            String created =
                    program.lines().stream()
                            .filter(line -> line.contains("created data-hourly"))
                            .findFirst()
                            .orElseThrow();
            JsonNode keys = JSON.readTree(created).path("mdc");
            assertThat(keys.path("schedule").asText()).isEqualTo("hourly");
            assertThat(keys.path("run").asText()).startsWith("hourly-");
            assertThat(keys.path("namespace").asText()).isEqualTo(NAMESPACE);
            assertThat(keys.path("claim").asText()).isEqualTo("data");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"log-format", "log-level"})
    void aWrongSettingOfTheLogEndsItWithOneLineAndExitCode78(String setting) throws Exception {
        String variable = "SNAPSHOTTER_" + setting.toUpperCase(Locale.ROOT).replace('-', '_');
        try (PackagedProgram program = start(Map.of(variable, "xml"))) {
            assertThat(program.awaitExit()).isEqualTo(78);
            assertThat(program.lines())
                    .singleElement()
                    .asString()
                    .contains("ERROR snapshotter." + setting + ": \"xml\"", "give one of");
        }
    }

    @Test
    void theLevelSaysWhatIsTold() throws Exception {
        cluster.driver().fails("db", "rpc error: code = Unimplemented desc = no snapshots");
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_LOG_LEVEL", "warn"))) {
            program.awaitLine("failed, 1 of 2 ready");
            assertThat(program.lines()).noneMatch(line -> line.contains(" INFO "));
        }
    }

    @Test
    void withAllSwitchedOnItTellsOnlyItsOwnLinesAndNoWarning() throws Exception {
        cluster.access().grant(NAMESPACE, "leases.coordination.k8s.io", "create", "get", "patch");
        Map<String, String> settings =
                Map.of(
                        "SNAPSHOTTER_SCHEDULE",
                        OneRun.of(cluster, "data"),
                        "SNAPSHOTTER_LOG_FORMAT",
                        "json",
                        "SNAPSHOTTER_LEADER_ELECTION",
                        "true",
                        "HOSTNAME",
                        "pod-1",
                        "CAMEL_MANAGEMENT_ENABLED",
                        "true",
                        "JAVA_OPTS",
                        PackagedProgram.JVM + "-Dcamel.management.port=0");
        try (PackagedProgram program = start(settings)) {
            program.awaitLine("succeeded, 2 of 2 ready", Duration.ofSeconds(90));
            assertThat(program.terminate()).isZero();
            assertThat(program.lines())
                    .isNotEmpty()
                    .allMatch(line -> line.contains("\"level\":\"INFO\""))
                    .allMatch(StartIT::isOfTheProgram);
        }
    }

    @Test
    void withoutAnyClusterItSaysHowToNameOne() throws Exception {
        try (PackagedProgram program =
                PackagedProgram.start(
                        directory,
                        Map.of(
                                "SNAPSHOTTER_CLAIMS",
                                "data",
                                "HOME",
                                directory.toString(),
                                "JAVA_OPTS",
                                PackagedProgram.JVM + "-Duser.home=" + directory))) {
            assertThat(program.awaitExit()).isEqualTo(78);
            assertThat(program.lines())
                    .singleElement()
                    .asString()
                    .contains("KUBECONFIG", "no cluster is known");
        }
    }

    private static boolean isOfTheProgram(String json) {
        return json.contains("\"loggerName\":\"io.volumesnapshotter.");
    }

    private PackagedProgram start(Map<String, String> settings, String... arguments)
            throws IOException {
        return PackagedProgram.start(cluster, directory, settings, arguments);
    }
}
