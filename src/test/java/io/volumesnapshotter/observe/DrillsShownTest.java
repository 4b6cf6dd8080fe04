package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Event;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Component;
import io.volumesnapshotter.testing.DrillPods;
import io.volumesnapshotter.testing.OutputSchema;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is seen of drills: metrics, Events, MBeans, and the commands {@code list} and {@code plan}.
 */
class DrillsShownTest {

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "logs");

    @TempDir private Path directory;

    private Path routes;
    private SimulatedSnapshot good;

    @BeforeEach
    void install() throws Exception {
        Component.install(cluster, "drill", directory);
        cluster.access().grant(NAMESPACE, "events", "create", "get", "update");
        cluster.pods().become(new DrillPods()::check);
        routes = directory.resolve("routes");
        TestRoutes.drill(routes, "* * * * *", "1h");
        good = snapshot("data", "good");
        snapshot("logs", "");
    }

    private SimulatedSnapshot snapshot(String claim, String content) {
        SimulatedSnapshot made =
                cluster.snapshot(
                        NAMESPACE,
                        claim + "-hour",
                        claim,
                        Map.of(),
                        Instant.now().minus(Duration.ofHours(1)));
        cluster.storage().fill(made, content);
        return made;
    }

    private Program start() {
        return Program.of(cluster).routes(routes).managed().shownByJmx().start();
    }

    private static void fire(Program program) {
        program.pass(Duration.ofSeconds(2));
        program.fire("drill", program.now().truncatedTo(ChronoUnit.SECONDS));
    }

    private static OptionalDouble value(Program program, String name, String claim) {
        return program.context()
                .getRegistry()
                .findSingleByType(PrometheusMeterRegistry.class)
                .scrape()
                .lines()
                .filter(line -> line.startsWith("volume_snapshotter_" + name))
                .filter(line -> line.contains("claim=\"" + claim + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' ') + 1)))
                .findAny();
    }

    private static void awaitProven(Program program, Instant after) {
        await().untilAsserted(
                        () -> {
                            assertThat(
                                            value(
                                                            program,
                                                            "last_proven_restore_timestamp_seconds",
                                                            "data")
                                                    .orElse(0))
                                    .isGreaterThanOrEqualTo(after.getEpochSecond());
                            assertThat(
                                            value(
                                                    program,
                                                    "last_proven_restore_timestamp_seconds",
                                                    "logs"))
                                    .hasValue(0);
                        });
    }

    @Test
    void metricsSayWhenEachClaimWasProvenAlsoAfterARestart() {
        Instant before = Instant.now();
        try (Program program = start()) {
            fire(program);
            fire(program);
            awaitProven(program, before);
            assertThat(value(program, "expected_proof_interval_seconds", "data")).hasValue(3600);
            assertThat(value(program, "drill_phase_seconds", "data")).isPresent();
            assertThat(value(program, "last_success_timestamp_seconds", "data")).isEmpty();
        }
        cluster.pods().become(start -> new io.volumesnapshotter.simulation.SimulatedPods.Runs());
        try (Program program = start()) {
            awaitProven(program, before);
        }
    }

    @Test
    void eventsOfTheClaimsSayHowTheirDrillsEnded() {
        try (Program program = start()) {
            fire(program);
            fire(program);
            await().untilAsserted(
                            () ->
                                    assertThat(events())
                                            .anySatisfy(
                                                    event ->
                                                            assertThat(event.getReason())
                                                                    .isEqualTo("RestoreProven"))
                                            .anySatisfy(
                                                    event ->
                                                            assertThat(event.getReason())
                                                                    .isEqualTo(
                                                                            "RestoreNotProven")));
        }
        assertThat(events())
                .allSatisfy(
                        event ->
                                assertThat(event.getMessage())
                                        .contains(
                                                event.getInvolvedObject().getName().equals("data")
                                                        ? "is proven: " + good.name()
                                                        : "the check ended with code 1"));
    }

    private List<Event> events() {
        return cluster.admin().v1().events().inNamespace(NAMESPACE).list().getItems().stream()
                .filter(event -> event.getReason().startsWith("Restore"))
                .toList();
    }

    @Test
    void theMBeanShowsWhatIsKnownOfEachClaim() throws Exception {
        try (Program program = start()) {
            fire(program);
            fire(program);
            var server = java.lang.management.ManagementFactory.getPlatformMBeanServer();
            var name =
                    new javax.management.ObjectName(
                            "io.volumesnapshotter:type=Schedule,name=drill");
            await().until(() -> server.isRegistered(name));
            assertThat(server.invoke(name, "plan", null, null).toString().lines())
                    .anyMatch(line -> line.matches("apps/data: proven \\S+Z by data-hour"))
                    .anyMatch(
                            line ->
                                    line.matches(
                                            "apps/logs: never proven; failed \\S+Z: the check ended with code 1"));
        }
    }

    @Test
    void listAndPlanShowWhatIsProven() throws Exception {
        try (Program program = start()) {
            fire(program);
            fire(program);
        }
        Cli cli = Cli.of(cluster).with("routes", routes.toString());

        assertThat(cli.run("list").out())
                .anyMatch(line -> line.endsWith("CLAIM PROVEN"))
                .anyMatch(line -> line.startsWith("data ") && line.matches(".* \\d{4}-\\S+Z"))
                .anyMatch(line -> line.startsWith("logs ") && line.endsWith("never, failed since"));
        JsonNode items = OutputSchema.json(cli.run("list", "-o", "json")).at("/items");
        assertThat(items.get(0).path("claimProvenAt").isTextual()).isTrue();
        assertThat(items.get(1).path("claimProvenAt").isNull()).isTrue();

        assertThat(cli.run("plan").out())
                .contains("proves: each claim within 1h, at most 10 in a run")
                .anyMatch(line -> line.matches("apps/data +yes +proven \\S+ by data-hour"))
                .anyMatch(line -> line.matches("apps/logs +yes +never proven; failed .*"));
        JsonNode plan = OutputSchema.json(cli.run("plan", "-o", "json")).at("/items/0/drills");
        assertThat(plan.get(1).path("failed").asText()).isEqualTo("the check ended with code 1");
    }

    @Test
    void preflightAsksForTheRightsThatADrillNeeds() {
        Cli cli = Cli.of(cluster).with("routes", routes.toString());
        assertThat(cli.run("preflight").code()).as(String.join("\n", cli.outLines())).isZero();
        cluster.admin()
                .genericKubernetesResources("rbac.authorization.k8s.io/v1", "RoleBinding")
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-drill")
                .delete();
        assertThat(cli.run("preflight").out())
                .contains(
                        "ERROR rights: the program's account may not create pods in namespace apps"
                                + " -> grant it, as in k8s/components/drill",
                        "ERROR rights: the program's account may not delete persistentvolumeclaims in"
                                + " namespace apps -> grant it, as in k8s/components/drill");
    }

    @Test
    void runSaysThatADrillIsNoScheduleOfThatKind() {
        assertThat(Cli.of(cluster).with("routes", routes.toString()).run("run", "drill").err())
                .containsExactly(
                        "error: schedule drill drills -> drill its claims with drill CLAIM");
    }
}
