package io.volumesnapshotter;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program as a process: told to stop, killed, cut off from its cluster. */
class ProcessIT {

    /** {@code terminationGracePeriodSeconds} of the pod. */
    private static final Duration GRACE_PERIOD = Duration.ofSeconds(40);

    private static final String[] CLAIMS = {"data", "db"};

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims(CLAIMS);

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

    @Test
    void whileTheApiServerDoesNotServeItEndsWithinItsGracePeriod() throws Exception {
        // Side by side, as each takes most of the period.
        try (SimulatedCluster hanging = SimulatedCluster.withClaims(CLAIMS);
                PackagedProgram unanswered = startRun(hanging, "unanswered");
                PackagedProgram refused = startRun(cluster, "refused")) {
            for (SimulatedCluster each : List.of(hanging, cluster)) {
                await().until(() -> each.log().count("create", "volumesnapshots") == 2);
            }
            hanging.faults().hold(Faults.Boundary.ARRIVED, any -> true, Faults.ALWAYS);
            ApiAnswer away = ApiAnswer.status(503, "ServiceUnavailable", "etcd is away");
            cluster.faults().answer(any -> true, Faults.ALWAYS, away);
            refused.awaitLine("does not serve");
            Instant begin = Instant.now();
            List<PackagedProgram> both = List.of(unanswered, refused);
            both.forEach(PackagedProgram::tellToEnd);
            for (PackagedProgram program : both) {
                assertThat(program.awaitExit()).isZero();
                assertThat(Duration.between(begin, Instant.now())).isLessThan(GRACE_PERIOD);
                assertThat(program.lines())
                        .noneMatch(line -> line.contains("ERROR"))
                        .anyMatch(line -> line.contains("the next run completes it"));
            }
        }
    }

    /** Starts a run that does not end by itself. */
    private PackagedProgram startRun(SimulatedCluster of, String name) throws IOException {
        of.driver().neverReady();
        Path own = Files.createDirectory(directory.resolve(name));
        return PackagedProgram.start(of, own, Map.of("SNAPSHOTTER_POLL_INTERVAL", "5s"));
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

    private static boolean isOfTheProgram(String json) {
        return json.contains("\"loggerName\":\"io.volumesnapshotter.");
    }

    private PackagedProgram start(Map<String, String> settings) throws IOException {
        return PackagedProgram.start(cluster, directory, settings);
    }
}
