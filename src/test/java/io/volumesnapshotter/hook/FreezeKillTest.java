package io.volumesnapshotter.hook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** kill -9 between any two steps of a freeze leaves nothing frozen, whatever comes afterwards. */
class FreezeKillTest {

    private static final int KILLS = Scale.of(3, 250);

    private record Step(Boundary boundary, String verb) {

        boolean isMet(ApiRequest request) {
            return request.is(verb, "volumesnapshots");
        }
    }

    /** Between which requests of a freeze the program is killed. */
    private static final List<Step> STEPS =
            List.of(
                    new Step(Boundary.ARRIVED, "create"),
                    new Step(Boundary.CARRIED_OUT, "create"),
                    new Step(Boundary.ARRIVED, "watch"),
                    new Step(Boundary.ARRIVED, "patch"),
                    new Step(Boundary.CARRIED_OUT, "patch"));

    /** Of three kills, one is at any time after the login. */
    private static final int ANY_TIME = 3;

    @TempDir private Path directory;

    private static ConditionFactory eventually() {
        return await().atMost(Patience.LIMIT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"postgresql", "mariadb"})
    void aKillLeavesNothingFrozen(String kind) throws Exception {
        DatabaseFreezeTest.copyRoutes(directory.resolve("routes"));
        try (SimulatedCluster cluster = SimulatedCluster.withClaims("data");
                DatabaseServer server = DatabaseServer.of(kind)) {
            server.describe(directory.resolve("data-sources"), "shop", DatabaseServer.PASSWORD);
            cluster.access()
                    .grant(
                            SimulatedCluster.NAMESPACE,
                            SimulatedCluster.SNAPSHOTS,
                            "patch",
                            "watch");
            long seed = System.nanoTime();
            Random random = new Random(seed);
            for (int kill = 0; kill < KILLS; kill++) {
                cluster.driver().cutsAfter(Duration.ofMillis(random.nextInt(600)));
                try (ForkedProgram program = new ForkedProgram(directory, cluster, kind)) {
                    killSomewhere(program, cluster, server, random);
                } catch (AssertionError | RuntimeException e) {
                    throw new AssertionError("seed " + seed + ", kill " + kill, e);
                }
                assertNothingIsFrozen(server, kill);
            }
        }
    }

    private static void killSomewhere(
            ForkedProgram program, SimulatedCluster cluster, DatabaseServer server, Random random) {
        if (random.nextInt(ANY_TIME) > 0) {
            Step step = STEPS.get(random.nextInt(STEPS.size()));
            cluster.faults().hook(step.boundary(), step::isMet, 1, request -> program.kill());
        } else {
            eventually().until(() -> !server.sessions().isEmpty());
            CompletableFuture.delayedExecutor(random.nextInt(500), TimeUnit.MILLISECONDS)
                    .execute(program::kill);
        }
        eventually().until(() -> !program.isAlive());
        cluster.faults().clear();
        assertThat(program.lines()).contains("starts, 1 claims");
    }

    private static void assertNothingIsFrozen(DatabaseServer server, int kill) throws Exception {
        Program.later(() -> server.write(kill)).get(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS);
        eventually().until(() -> server.sessions().isEmpty());
    }
}
