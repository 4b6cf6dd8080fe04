package io.volumesnapshotter;

import static io.volumesnapshotter.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program as a process: told to stop, killed, misconfigured, without a cluster. */
@Timeout(180)
class ProcessIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir private Path directory;

    private SimulatedCluster cluster;

    @BeforeEach
    void startCluster() {
        cluster = SimulatedCluster.start();
        cluster.claim(NAMESPACE, "data");
        cluster.claim(NAMESPACE, "db");
    }

    @AfterEach
    void stopCluster() {
        cluster.close();
    }

    @Test
    void environmentVariablesAreTheSettings() throws Exception {
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_KEEP_LAST", "3"))) {
            await().atMost(LIMIT).until(() -> cluster.log().count("delete") >= 2);
            assertThat(program.lines()).noneMatch(line -> line.contains("ERROR"));
            program.terminate();
        }
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .filteredOn(snapshot -> !snapshot.terminating())
                .hasSizeBetween(3, 4);
    }

    @Test
    void aRunThatGoesOnWhenToldToStopIsFinished() throws Exception {
        cluster.driver().readyAfter(Duration.ofSeconds(3));
        try (PackagedProgram program = start(Map.of())) {
            await().atMost(LIMIT).until(() -> cluster.log().count("create") == 2);
            program.terminate();
            assertThat(program.lines())
                    .anyMatch(line -> line.contains("told to stop"))
                    .anyMatch(line -> line.contains("succeeded, 2 of 2 ready"));
        }
    }

    @Test
    void aRunThatTakesLongerThanThereIsTimeIsLeftToTheNext() throws Exception {
        cluster.driver().neverReady();
        try (PackagedProgram program = start(Map.of("CAMEL_MAIN_SHUTDOWN_TIMEOUT", "1"))) {
            await().atMost(LIMIT).until(() -> cluster.log().count("create") == 2);
            program.terminate();
            assertThat(program.lines()).noneMatch(line -> line.contains("succeeded"));
        }
        cluster.driver().heal();
        cluster.log().clear();
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("succeeded, 2 of 2 ready");
            program.terminate();
        }
        assertThat(cluster.snapshots(NAMESPACE)).anyMatch(SimulatedSnapshot::ready);
    }

    @Test
    void killedAtAnyMomentItLeavesNothingThatTheNextRunDoesNotPutRight() throws Exception {
        Random random = new Random(42);
        for (int i = 0; i < 5; i++) {
            int requests = cluster.log().total() + 1 + random.nextInt(12);
            try (PackagedProgram program = start(Map.of())) {
                await().atMost(LIMIT)
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> cluster.log().total() >= requests);
                program.kill();
            }
            List<SimulatedSnapshot> left = cluster.snapshots(NAMESPACE);
            assertThat(left).extracting(SimulatedSnapshot::name).doesNotHaveDuplicates();
        }
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("succeeded, 2 of 2 ready");
            program.terminate();
        }
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(NAMESPACE))
                                        .allMatch(SimulatedSnapshot::ready)
                                        .extracting(SimulatedSnapshot::claim)
                                        .containsExactlyInAnyOrder("data", "db"));
    }

    @Test
    void aClusterThatIsAwayIsWaitedForAndToldOnce() throws Exception {
        cluster.goDown();
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("does not serve");
            cluster.comeBack();
            program.awaitLine("succeeded, 2 of 2 ready");
            assertThat(program.lines())
                    .filteredOn(line -> line.contains("does not serve"))
                    .hasSize(1);
            program.terminate();
        }
    }

    @Test
    void withoutRightsItKeepsTryingAndTellsOnce() throws Exception {
        cluster.access().revokeAll();
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_SCHEDULE", "0 0 0 1 1 ? 2099"))) {
            program.awaitLine("cannot list resource");
            await().atMost(LIMIT).until(() -> cluster.log().count("list") >= 3);
            assertThat(program.lines()).singleElement().asString().contains("k8s/role.yaml");
            cluster.access()
                    .grant(
                            NAMESPACE,
                            SimulatedCluster.SNAPSHOTS,
                            "create",
                            "get",
                            "list",
                            "delete");
            program.awaitLine("can be listed");
            program.terminate();
        }
    }

    @Test
    void withoutTheCrdItKeepsTryingAndTellsOnce() throws Exception {
        cluster.withoutCrd();
        try (PackagedProgram program = start(Map.of("SNAPSHOTTER_SCHEDULE", "0 0 0 1 1 ? 2099"))) {
            program.awaitLine("install the VolumeSnapshot CRDs");
            await().atMost(LIMIT).until(() -> cluster.log().count("list") >= 3);
            assertThat(program.lines()).hasSize(1);
            cluster.installCrd();
            program.awaitLine("can be listed");
            program.terminate();
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
                                "-Duser.home=" + directory))) {
            assertThat(program.awaitExit()).isEqualTo(78);
            assertThat(program.lines())
                    .singleElement()
                    .asString()
                    .contains("KUBECONFIG", "no cluster is known");
        }
    }

    private PackagedProgram start(Map<String, String> settings) throws IOException {
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG",
                cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("SNAPSHOTTER_CLAIMS", "data,db");
        environment.put("SNAPSHOTTER_SCHEDULE", "*/2 * * * * ?");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.putAll(settings);
        return PackagedProgram.start(directory, environment);
    }
}
