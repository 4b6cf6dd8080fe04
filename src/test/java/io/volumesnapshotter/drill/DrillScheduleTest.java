package io.volumesnapshotter.drill;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedPods;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.testing.Component;
import io.volumesnapshotter.testing.DrillPods;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A schedule that drills, with the route file of the example and just the rights that the component
 * gives.
 */
class DrillScheduleTest {

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @TempDir private Path directory;

    private final DrillPods pods = new DrillPods();

    @BeforeEach
    void install() throws Exception {
        Component.install(cluster, "drill", directory);
        cluster.pods().become(pods::check);
    }

    /** The drill of the example, with parameters of its own beside those that it has. */
    private Program start(String... parameters) {
        return startAt("30 3 * * *", parameters);
    }

    private Program startAt(String cron, String... parameters) {
        Path routes = directory.resolve("routes");
        try {
            TestRoutes.drill(routes, cron, cron.startsWith("*") ? "1m" : "7d", parameters);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Program.of(cluster).routes(routes).start();
    }

    private SimulatedSnapshot snapshot(String claim, Duration ago, String content) {
        SimulatedSnapshot made =
                cluster.snapshot(
                        NAMESPACE,
                        claim + "-" + ago.toHours() + "h",
                        claim,
                        Map.of(),
                        Instant.now().minus(ago));
        cluster.storage().fill(made, content);
        return made;
    }

    /** Fires when some time has passed since what happened before. */
    private static void fireLater(Program program) {
        program.pass(Duration.ofSeconds(2));
        program.fire("drill", program.now().truncatedTo(ChronoUnit.SECONDS));
    }

    private static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS);
    }

    private ConfigMap proofs(UnaryOperator<ConfigMap> change) {
        return cluster.admin()
                .configMaps()
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-proofs")
                .edit(change);
    }

    /** What is kept under a key; empty for nothing. */
    private String kept(String key) {
        Map<String, String> data = proofs(map -> map).getData();
        return data == null ? "" : data.getOrDefault(key, "");
    }

    private void keep(String key, String text) {
        proofs(
                map -> {
                    map.setData(Map.of(key, text));
                    return map;
                });
    }

    private void nothingIsLeft(String... claims) {
        await().untilAsserted(
                        () -> {
                            assertThat(
                                            cluster.admin()
                                                    .pods()
                                                    .inNamespace(NAMESPACE)
                                                    .list()
                                                    .getItems())
                                    .isEmpty();
                            assertThat(
                                            cluster.admin()
                                                    .persistentVolumeClaims()
                                                    .inNamespace(NAMESPACE)
                                                    .list()
                                                    .getItems())
                                    .extracting(claim -> claim.getMetadata().getName())
                                    .containsExactlyInAnyOrder(claims);
                        });
    }

    @Test
    void theNewestSnapshotIsProvenAndThatIsKept() {
        snapshot("data", Duration.ofHours(3), "old");
        SimulatedSnapshot newest = snapshot("data", Duration.ofHours(1), "good");
        try (Program running = start()) {
            running.fire("drill", now());

            assertThat(running.told(Level.INFO))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .contains("apps/data: is proven: " + newest.name()))
                    .anySatisfy(line -> assertThat(line).endsWith("succeeded, 1 of 1 proven"));
            assertThat(running.told(Level.WARN)).isEmpty();
        }
        assertThat(kept("apps.data")).contains("\"snapshot\":\"" + newest.name() + "\"");
        assertThat(pods.started())
                .singleElement()
                .extracting(SimulatedPods.Start::content)
                .isEqualTo("good");
        nothingIsLeft("data");
    }

    /** The drill of a schedule with these parameters fails for this reason, and leaves nothing. */
    private void fails(String why, String... parameters) {
        try (Program program = start(parameters)) {
            program.fire("drill", now());

            assertThat(program.told(Level.ERROR))
                    .filteredOn(line -> line.contains("apps/data: run-drill failed"))
                    .singleElement()
                    .asString()
                    .contains("it is not proven: ", why);
            assertThat(program.told(Level.ERROR))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .endsWith("failed, 0 of 1 proven, failed: apps/data"));
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("is proven:"));
        }
        assertThat(kept("apps.data")).contains("\"provenAt\":null", "\"failed\":\"");
        nothingIsLeft("data");
    }

    @Test
    void anEmptyVolumeFails() {
        snapshot("data", Duration.ofHours(1), "");
        fails("the check ended with code 1 -> the check wrote last: there is no file");
    }

    @Test
    void aCorruptOneFails() {
        snapshot("data", Duration.ofHours(1), "corrupt");
        fails("Structure needs cleaning");
    }

    @Test
    void anOldSnapshotFailsHoweverGoodItIs() {
        snapshot("data", Duration.ofHours(27), "good");
        fails("the newest snapshot, data-27h, was cut at ");
        assertThat(pods.started()).isEmpty();
    }

    @Test
    void aSnapshotOfAnEarlierClaimOfThatNameFails() {
        SimulatedSnapshot snapshot = snapshot("data", Duration.ofHours(1), "good");
        cluster.admin()
                .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                .inNamespace(NAMESPACE)
                .withName(snapshot.name())
                .edit(
                        object -> {
                            object.getMetadata()
                                    .setAnnotations(Map.of(Snapshot.CLAIM_UID, "another"));
                            return object;
                        });
        fails("is of an earlier claim of that name");
    }

    @Test
    void noSnapshotFails() {
        fails("there is no snapshot of apps/data");
    }

    @Test
    void aCheckThatDoesNotEndFails() {
        snapshot("data", Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Runs());
        fails("the check did not end within 1s", "check-timeout: 1s");
    }

    @Test
    void aPodThatNeverStartsFails() {
        snapshot("data", Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.NeverStarts("ImagePullBackOff", "none"));
        fails("the pod did not start within 1s: ImagePullBackOff", "start-timeout: 1s");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "all is well",
                "volume-snapshotter-check-ended 00000000-0000-0000-0000-000000000000 0"
            })
    void aPodThatEndsWellWithoutTheCheckHavingRunToItsEndFails(String log) {
        snapshot("data", Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Exits(0, log));
        fails("but the check did not run to its end in it");
    }

    @Test
    void aRecoveryIsToldOnceAndTheFormerProofStaysKnownMeanwhile() {
        SimulatedSnapshot good = snapshot("data", Duration.ofHours(3), "good");
        try (Program program = start()) {
            fireLater(program);
            String proven = kept("apps.data").replaceAll(".*\"provenAt\":\"([^\"]*)\".*", "$1");
            snapshot("data", Duration.ofHours(2), "corrupt");
            fireLater(program);
            assertThat(kept("apps.data"))
                    .contains("\"provenAt\":\"" + proven, good.name(), "code 1");
            snapshot("data", Duration.ofHours(1), "good");
            fireLater(program);
            fireLater(program);

            assertThat(program.told(Level.INFO))
                    .filteredOn(line -> line.contains("recovered: "))
                    .singleElement()
                    .asString()
                    .contains(
                            "apps/data: recovered: data-1h was restored and read; it failed since");
        }
    }

    @Test
    void eachClaimHasItsTurnAndOneThatFailsTakesNobodys() {
        for (String claim : List.of("a", "b", "c", "d")) {
            cluster.claim(NAMESPACE, claim);
            snapshot(claim, Duration.ofHours(1), claim.equals("a") ? "" : "good " + claim);
        }
        snapshot("data", Duration.ofHours(1), "good data");
        // Five claims in a week of daily runs: one in each run.
        try (Program program = start()) {
            List<String> turns = new ArrayList<>();
            for (int run = 0; run < 5; run++) {
                pods.started().clear();
                fireLater(program);
                turns.add(
                        pods.started().stream()
                                .map(SimulatedPods.Start::content)
                                .collect(Collectors.joining("+")));
            }
            assertThat(turns).containsExactly("", "good b+", "good c+", "good d+", "good data+");
        }
        nothingIsLeft("data", "a", "b", "c", "d");
    }

    @Test
    void whatDoesNotFitIsToldWithTheNumberThatWould() {
        for (int n = 0; n < 7; n++) {
            cluster.claim(NAMESPACE, "c" + n);
        }
        try (Program program = startAt("0 3 * * 0", "max-drills: 2")) {
            program.fire("drill", now());
            assertThat(program.told(Level.WARN))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .contains(
                                                    "8 claims cannot each be proven within 168h by at most 2 in"
                                                            + " a run every 168h: let it run more often, or"
                                                            + " raise max-drills to 8"));
        }
    }

    @Test
    void anotherCheckIsTakenAsItIsWritten() {
        snapshot("data", Duration.ofHours(1), "good");
        try (Program program =
                start(
                        "image: postgres:17",
                        "user: 999",
                        "script: >-",
                        "  RAW(test -s /data/PG_VERSION && a=\"1 + 1\";",
                        "  echo \"100% of $a & more; c=d?\" | grep 'x#y')")) {
            program.fire("drill", now());
        }
        assertThat(pods.started().get(0).spec().at("/containers/0/command/3").asText())
                .isEqualTo(
                        "test -s /data/PG_VERSION && a=\"1 + 1\"; echo \"100% of $a & more; c=d?\" | grep 'x#y'");
        assertThat(pods.started().get(0).image()).isEqualTo("postgres:17");
    }

    @Test
    void reportsAreLeftWhereTheScheduleSays() throws Exception {
        snapshot("data", Duration.ofHours(1), "good");
        try (Program program = start("report: " + directory.resolve("reports"))) {
            program.fire("drill", now());
        }
        try (Stream<Path> files = Files.list(directory.resolve("reports"))) {
            assertThat(files.map(Path::toString))
                    .anyMatch(name -> name.endsWith(".json"))
                    .anyMatch(name -> name.endsWith(".md"))
                    .hasSize(2);
        }
    }

    @Test
    void aReportThatCannotBeWrittenIsAFailure() {
        snapshot("data", Duration.ofHours(1), "good");
        try (Program program = start("report: /dev/null/reports")) {
            program.fire("drill", now());
            assertThat(program.told(Level.ERROR))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .contains(
                                                    "its report cannot be written to /dev/null/reports",
                                                    "the drill itself passed"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    max-age: soon      | drill:drill: max-age: "soon" is not valid: give a duration above 0 with its unit, such as 500ms, 90s, 15m, 1h30m
                    user: 0            | drill:drill: user: "0" is not valid: give a whole number from 1 to 2147483647
                    max-drills: 0      | drill:drill: max-drills: "0" is not valid: give a whole number from 1 to 1000
                    keep-last: 3       | drill:drill: keep-last: "3" is not valid: there is no such setting; there are
                    max-agee: 1d       | drill:drill: max-agee: "1d" is not valid: there is no such setting; do you mean max-age?
                    start-timeout: 0s  | drill:drill: start-timeout: "0s" is not valid: give a duration above 0
                    restore-storage-class: A_B | drill:drill: restore-storage-class: "A_B" is not valid: a name has
                    """)
    void aMistakeIsToldWithTheFile(String parameter, String words) {
        assertThatThrownBy(() -> start(parameter))
                .hasMessageContaining("drill.camel.yaml:")
                .hasMessageContaining(words);
    }

    @Test
    void aTimeThatNoRunKeepsIsRefused() throws Exception {
        TestRoutes.drill(directory.resolve("routes"), "30 3 * * *", "12h");
        assertThatThrownBy(() -> Program.of(cluster).routes(directory.resolve("routes")).start())
                .hasMessageContaining(
                        "drill:drill: within: \"12h\" is not valid: it must not be shorter than the time between two runs, 24h");
    }

    @Test
    void aDrillThatLeadsToSnapshotsIsRefusedAndTheOtherWayRound() throws Exception {
        Path routes = directory.resolve("routes");
        TestRoutes.drill(routes, "30 3 * * *", "7d");
        Path file = routes.resolve("drill.camel.yaml");
        String text = Files.readString(file);
        Files.writeString(file, text.replace("direct:run-drill", "direct:run-schedule"));
        assertThatThrownBy(() -> Program.of(cluster).routes(routes).start())
                .hasMessageContaining(
                        "nothing is drilled or told: nothing behind drill: leads to bean drills, method"
                                + " start; put back what led there, as a last step to direct:run-drill");
        Files.writeString(
                file,
                text.replace("drill:drill", "policy:drill").replace("within: 7d", "keep-last: 3"));
        assertThatThrownBy(() -> Program.of(cluster).routes(routes).with("claims", "data").start())
                .hasMessageContaining("leads to bean runs, method start");
    }

    // ---- what may come between

    @Test
    void withoutAPlaceToKeepItNothingIsDrilled() {
        cluster.admin()
                .configMaps()
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-proofs")
                .delete();
        snapshot("data", Duration.ofHours(1), "good");
        try (Program program = start()) {
            program.fire("drill", now());
            assertThat(program.told(Level.ERROR))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .contains(
                                                    "there is no ConfigMap apps/volume-snapshotter-proofs")
                                            .endsWith(
                                                    "-> apply k8s/components/drill, or make an empty one"));
        }
        assertThat(pods.started()).isEmpty();
    }

    @Test
    void aMissingRightIsNamedWithTheComponent() {
        snapshot("data", Duration.ofHours(1), "good");
        cluster.admin()
                .genericKubernetesResources("rbac.authorization.k8s.io/v1", "RoleBinding")
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-drill")
                .delete();
        try (Program program = start()) {
            program.fire("drill", now());
            assertThat(program.told(Level.ERROR))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .contains("cannot get resource \"configmaps\"")
                                            .endsWith("-> grant it, as in k8s/components/drill"));
        }
    }

    @Test
    void aStopRemovesWhatWasMadeAndIsNoFailureOfTheClaim() {
        snapshot("data", Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Runs());
        try (Program program = start()) {
            CompletableFuture<Void> run = Program.later(() -> program.fire("drill", now()));
            await().until(() -> hasPod());
            program.context()
                    .getComponent("drill", PolicyComponent.class)
                    .registry()
                    .suspend("drill", true);
            run.join();
            assertThat(program.told(Level.WARN))
                    .anySatisfy(line -> assertThat(line).contains("given up, 0 of 1 proven"));
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        assertThat(kept("apps.data")).isEmpty();
        nothingIsLeft("data");
    }

    @Test
    void theEndOfTheProgramIsNoFailureAndWhatIsLeftGoesWithTheNextStart() {
        snapshot("data", Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Runs());
        Program program = start();
        CompletableFuture<Void> run = Program.later(() -> program.fire("drill", now()));
        await().until(() -> hasPod());
        program.close();
        run.join();
        assertThat(program.told(Level.ERROR)).isEmpty();
        try (Program next = start()) {
            nothingIsLeft("data");
            assertThat(next.told(Level.ERROR)).isEmpty();
        }
        assertThat(kept("apps.data")).isEmpty();
    }

    private boolean hasPod() {
        return !cluster.admin().pods().inNamespace(NAMESPACE).list().getItems().isEmpty();
    }

    /** The old program notices nothing but that its token is no good any more, as after a kill. */
    @ParameterizedTest
    @EnumSource(Crash.class)
    void whatACrashLeftIsRemovedByTheNextStartWhichGoesOnWithTheRun(Crash crash) {
        cluster.claim(NAMESPACE, "logs");
        snapshot("data", Duration.ofHours(1), "good data");
        snapshot("logs", Duration.ofHours(1), "good logs");
        AtomicBoolean cut = new AtomicBoolean();
        Instant due;
        try (Program program = startAt("* * * * *")) {
            cluster.faults()
                    .hook(
                            Boundary.CARRIED_OUT,
                            request ->
                                    request.is(crash.verb, crash.resource)
                                            && cut.compareAndSet(false, true),
                            1,
                            request -> cluster.rotateToken());
            due = now().truncatedTo(ChronoUnit.MINUTES);
            program.fire("drill", due);
            assertThat(cut).isTrue();
        }
        cluster.faults().clear();
        try (Program program = startAt("* * * * *")) {
            await().untilAsserted(
                            () ->
                                    assertThat(program.told(Level.INFO))
                                            .anyMatch(
                                                    line ->
                                                            line.contains("of 2 proven")
                                                                    || line.contains(
                                                                            "of 1 proven")));
            nothingIsLeft("data", "logs");
        }
        assertThat(kept("apps.data")).contains("data-1h");
        assertThat(kept("apps.logs")).contains("logs-1h");
    }

    private enum Crash {
        CLAIM_MADE("create", "persistentvolumeclaims"),
        POD_MADE("create", "pods"),
        POD_DELETED("delete", "pods"),
        CLAIM_DELETED("delete", "persistentvolumeclaims"),
        PROOF_KEPT("patch", "configmaps");

        private final String verb;
        private final String resource;

        Crash(String verb, String resource) {
            this.verb = verb;
            this.resource = resource;
        }
    }

    @Test
    void aStartRemovesWhatIsLeftOfItsDrillsAndOfNobodyElses() {
        String until = Instant.now().plusSeconds(600).toString();
        leftover("data-drill-mine", "drill", Program.INSTALLATION, until);
        leftover("data-drill-others", "drill", "apps.another", until);
        leftover("data-drill-of-a-command", "", "", until);
        try (Program program = start()) {
            nothingIsLeft("data", "data-drill-others", "data-drill-of-a-command");
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    private void leftover(String name, String schedule, String installation, String until) {
        Map<String, String> labels = new HashMap<>(Map.of("volume-snapshotter/trial", "drill"));
        if (!schedule.isEmpty()) {
            labels.put("volume-snapshotter/schedule", schedule);
            labels.put("volume-snapshotter/installation", installation);
            labels.put("volume-snapshotter/trial-by", "an-earlier-start");
        }
        cluster.claim(NAMESPACE, name, labels, Map.of("volume-snapshotter/trial-until", until));
    }

    @Test
    void aTimeWhoseRunWasBeforeTheStartIsNotMadeUp() {
        snapshot("data", Duration.ofHours(1), "good");
        Instant due = now().truncatedTo(ChronoUnit.HOURS);
        keep("schedule_drill", due + " ended");
        try (Program program = startAt("0 * * * *", "starting-deadline: 2h")) {
            // The look for missed times would have made it up by the time that it makes up another.
            program.pass(Duration.ofHours(1));
            await().until(() -> !pods.started().isEmpty());
        }
        assertThat(pods.started()).hasSize(1);
        assertThat(kept("schedule_drill")).startsWith(due.plus(Duration.ofHours(1)).toString());
    }

    @Test
    void aTimeThatIsTooOldAndHadNoRunIsAFailure() {
        Instant due = now().truncatedTo(ChronoUnit.HOURS);
        keep("schedule_drill", due.minus(Duration.ofHours(1)) + " ended");
        try (Program program = startAt("0 * * * *", "starting-deadline: 1s")) {
            await().untilAsserted(
                            () ->
                                    assertThat(program.told(Level.ERROR))
                                            .anySatisfy(
                                                    line ->
                                                            assertThat(line)
                                                                    .contains(
                                                                            "missed: nothing shows that it was begun")));
        }
    }

    @Test
    void anEditTakesEffectWhileTheProgramRuns() throws Exception {
        snapshot("data", Duration.ofHours(1), "good");
        Path routes = directory.resolve("routes");
        TestRoutes.drill(routes, "30 3 * * *", "7d");
        try (Program program =
                Program.of(cluster).routes(routes).with("routes-poll-interval", "100ms").start()) {
            TestRoutes.drill(routes, "30 3 * * *", "2d", "suspend: true");
            ScheduleRegistry registry =
                    program.context().getComponent("drill", PolicyComponent.class).registry();
            await().untilAsserted(
                            () ->
                                    assertThat(registry.find("drill").orElseThrow().schedule())
                                            .extracting(
                                                    schedule ->
                                                            schedule.policy()
                                                                    .drill()
                                                                    .orElseThrow()
                                                                    .within())
                                            .isEqualTo(Duration.ofDays(2)));
            program.fire("drill", now());
            assertThat(program.told(Level.INFO))
                    .anySatisfy(line -> assertThat(line).startsWith("drill: suspended, "));
        }
        assertThat(pods.started()).isEmpty();
    }

    @Test
    void temporaryClaimsAreNoneThatSchedulesSelect() {
        leftover("data-browse-now", "", "", Instant.now().plusSeconds(600).toString());
        snapshot("data", Duration.ofHours(1), "good");
        try (Program program = start()) {
            program.fire("drill", now());
            assertThat(program.told(Level.INFO))
                    .anySatisfy(line -> assertThat(line).endsWith("starts, 1 claims"));
        }
    }
}
