package io.volumesnapshotter;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.OneRun;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged program as a process: told to stop, killed, misconfigured, without a cluster. */
class ProcessIT {

    /** {@code terminationGracePeriodSeconds} of the pod. */
    private static final Duration GRACE_PERIOD = Duration.ofSeconds(40);

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
    void aRunThatGoesOnWhenToldToStopIsFinished() throws Exception {
        cluster.driver().neverReady();
        try (PackagedProgram program = start(Map.of())) {
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 2);
            program.tellToEnd();
            program.awaitLine("told to stop");
            cluster.driver().heal();
            assertThat(program.awaitExit()).isZero();
            assertThat(program.lines()).anyMatch(line -> line.contains("succeeded, 2 of 2 ready"));
        }
    }

    @Test
    void aRunThatTakesLongerThanThereIsTimeIsLeftToTheNext() throws Exception {
        cluster.driver().neverReady();
        try (PackagedProgram program = start(Map.of("CAMEL_MAIN_SHUTDOWN_TIMEOUT", "1"))) {
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 2);
            assertThat(program.terminate()).isZero();
            assertThat(program.lines())
                    .noneMatch(line -> line.contains("succeeded"))
                    .noneMatch(line -> line.contains("ERROR"))
                    .anyMatch(line -> line.contains("the next run completes it"));
        }
        cluster.driver().heal();
        cluster.log().clear();
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("succeeded, 2 of 2 ready");
            assertThat(program.terminate()).isZero();
        }
        assertThat(cluster.snapshots(NAMESPACE)).anyMatch(SimulatedSnapshot::ready);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whileTheApiServerDoesNotServeItEndsWithinItsGracePeriod(boolean hangs) throws Exception {
        cluster.driver().neverReady();
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_POLL_INTERVAL", "5s"))) {
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 2);
            if (hangs) {
                cluster.faults().hold(Faults.Boundary.ARRIVED, any -> true, Faults.ALWAYS);
            } else {
                ApiAnswer away = ApiAnswer.status(503, "ServiceUnavailable", "etcd is away");
                cluster.faults().answer(any -> true, Faults.ALWAYS, away);
                program.awaitLine("does not serve");
            }
            Instant begin = Instant.now();
            assertThat(program.terminate()).isZero();
            assertThat(Duration.between(begin, Instant.now())).isLessThan(GRACE_PERIOD);
            assertThat(program.lines())
                    .noneMatch(line -> line.contains("ERROR"))
                    .anyMatch(line -> line.contains("the next run completes it"));
        }
    }

    @Test
    void aSecondSignalChangesNothing() throws Exception {
        cluster.driver().neverReady();
        try (PackagedProgram program = start(Map.of())) {
            await().until(() -> cluster.log().count("create", "volumesnapshots") == 2);
            program.tellToEnd();
            program.awaitLine("told to stop");
            program.tellToEnd();
            cluster.driver().heal();
            assertThat(program.awaitExit()).isZero();
            assertThat(program.lines()).anyMatch(line -> line.contains("succeeded, 2 of 2 ready"));
        }
    }

    /**
     * A hook of Camel's own would stop the program beside the program's, and now and then trip over
     * it. It cannot be seen but by what it is made of.
     */
    @Test
    void noHookOfCamelsIsThereToAnswerASignal() throws Exception {
        try (PackagedProgram program = start(Map.of())) {
            await().until(() -> cluster.log().count("create") >= 2);
            Process jcmd =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "jcmd")
                                            .toString(),
                                    String.valueOf(program.pid()),
                                    "GC.class_histogram")
                            .redirectErrorStream(true)
                            .start();
            assertThat(new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("io.volumesnapshotter.Shutdown", "SimpleMainShutdownStrategy")
                    .doesNotContain("DefaultMainShutdownStrategy");
        }
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
    void killedAtAnyMomentItLeavesNothingThatTheNextRunDoesNotPutRight() throws Exception {
        Random random = new Random(42);
        for (int i = 0; i < 5; i++) {
            int requests = cluster.log().total() + 1 + random.nextInt(12);
            try (PackagedProgram program = start(Map.of())) {
                await().pollInterval(Duration.ofMillis(5))
                        .until(() -> cluster.log().total() >= requests);
                program.kill();
            }
            List<SimulatedSnapshot> left = cluster.snapshots(NAMESPACE);
            assertThat(left).extracting(SimulatedSnapshot::name).doesNotHaveDuplicates();
        }
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("succeeded, 2 of 2 ready");
            // While it runs: told to stop, it would delete nothing more.
            await().pollInterval(Duration.ofMillis(20))
                    .untilAsserted(
                            () ->
                                    assertThat(cluster.snapshots(NAMESPACE))
                                            .allMatch(SimulatedSnapshot::ready)
                                            .extracting(SimulatedSnapshot::claim)
                                            .containsExactlyInAnyOrder("data", "db"));
            assertThat(program.terminate()).isZero();
        }
    }

    @Test
    void aClusterThatIsAwayIsWaitedForAndToldOnce() throws Exception {
        cluster.goDown();
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_LOG_FORMAT", "json"))) {
            program.awaitLine("does not serve");
            cluster.comeBack();
            program.awaitLine("succeeded, 2 of 2 ready");
            assertThat(program.lines())
                    .filteredOn(line -> line.contains("does not serve"))
                    .hasSize(1);
            assertThat(program.terminate()).isZero();
            assertThat(program.lines()).allMatch(ProcessIT::isOfTheProgram);
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
                    .allMatch(ProcessIT::isOfTheProgram);
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
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG",
                cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("SNAPSHOTTER_CLAIMS", "data,db");
        environment.put("SNAPSHOTTER_SCHEDULE", "*/2 * * * * ?");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.putAll(settings);
        return PackagedProgram.start(directory, environment, arguments);
    }
}
