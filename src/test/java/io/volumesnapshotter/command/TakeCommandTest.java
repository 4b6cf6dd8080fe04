package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TakeCommandTest {

    private static final String CLAIMS = "persistentvolumeclaims";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @BeforeEach
    void grantWhatThePageNames() {
        cluster.access().revokeAll().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "create", "list");
    }

    @Test
    void itTakesWaitsAndShowsEachClaimsProgress() {
        Cli.Answer answer = cli("take", "data", "db");
        assertThat(answer.code()).as(answer.toString()).isZero();
        assertThat(answer.out()).hasSize(3).first().asString().startsWith("CLAIM ");
        assertThat(answer.out().get(1))
                .matches("apps/data +data-on-demand-\\d{14}-[0-9a-f]{8} +ready +\\S+");
        assertThat(answer.err())
                .contains("apps/data: waits")
                .anyMatch(line -> line.matches("apps/data: asked for data-on-demand-\\S+"))
                .anyMatch(line -> line.matches("apps/data: ready data-on-demand-\\S+"));
        assertThat(taken("data").labels())
                .containsEntry(SnapshotLabels.SCHEDULE, "on-demand")
                .containsEntry(SnapshotLabels.INSTALLATION, Program.INSTALLATION);
    }

    @Test
    void oneClaimTakesAtMostFourRequestsBesideTheLooks() {
        cluster.access().grant(NAMESPACE, CLAIMS, "get");
        assertThat(cli("take", "data", "--run", "k").code()).isZero();
        assertThat(cluster.log().entries(TakeCommandTest::isNoLook)).hasSizeLessThanOrEqualTo(4);
    }

    @Test
    void whereItMayWatchItLooksWhenThereIsSomethingToSee() {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "watch");
        cluster.driver().readyAfter(Duration.ofSeconds(3));
        assertThat(cli("take", "data", "db").code()).isZero();
        assertThat(watches()).hasSize(1);
        assertThat(looks()).hasSize(1);
    }

    @Test
    void howeverManyBecomeReadyOneByOneTheWatchShowsThem() {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "watch");
        List<String> command = new ArrayList<>(List.of("take"));
        for (int i = 0; i < 8; i++) {
            cluster.claim(NAMESPACE, "claim-" + i);
            cluster.driver().readyAfter("claim-" + i, Duration.ofMillis(500 + 400 * i));
            command.add("claim-" + i);
        }
        Cli.Answer answer = cli(command.toArray(String[]::new));
        assertThat(answer.code()).isZero();
        assertThat(answer.err().stream().filter(line -> line.contains(": ready "))).hasSize(8);
        assertThat(looks()).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void aSnapshotThatSomebodyDeletesWhileItIsWatchedIsNoSuccess() {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "watch");
        cluster.driver().neverReady();
        CompletableFuture<Void> deleted =
                Program.later(
                        () -> {
                            await().until(() -> !looks().isEmpty());
                            cluster.admin()
                                    .genericKubernetesResources(
                                            "snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                                    .inNamespace(NAMESPACE)
                                    .delete();
                        });
        Cli.Answer answer = cli("take", "data");
        deleted.join();
        assertThat(answer.code()).isEqualTo(1);
        assertThat(answer.err()).anyMatch(line -> line.contains("the snapshot is"));
    }

    @Test
    void whereItMayNotWatchItAsksOnceAndLooksAgainAndAgain() {
        cluster.driver().readyAfter(Duration.ofSeconds(2));
        assertThat(cli("take", "data", "db").code()).isZero();
        assertThat(watches()).singleElement().matches(watch -> watch.code() == 403);
        assertThat(looks()).hasSizeGreaterThan(3);
    }

    @Test
    void anInterruptEndsTheWatch() throws Exception {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "watch");
        cluster.driver().neverReady();
        Interrupts interrupts = Interrupts.of(() -> {});
        Cli cli = Cli.of(cluster).with("poll-interval", "50ms").interrupts(interrupts);
        AtomicReference<Cli.Answer> answer = new AtomicReference<>();
        CompletableFuture<Void> running =
                Program.later(() -> answer.set(cli.run("take", "data", "-n", NAMESPACE)));
        await().until(() -> !watches().isEmpty());
        interrupts.interrupt();
        running.get();
        assertThat(answer.get().code()).isEqualTo(130);
        assertThat(watches()).hasSize(1);
    }

    private List<RequestLog.Entry> watches() {
        return cluster.log().entries(entry -> entry.verb().equals("watch"));
    }

    private List<RequestLog.Entry> looks() {
        return cluster.log().entries(entry -> entry.verb().equals("list") && !isNoLook(entry));
    }

    private static boolean isNoLook(RequestLog.Entry entry) {
        return !entry.labelSelector().contains(SnapshotLabels.RUN + "=");
    }

    @Test
    void askedAgainWithTheSameKeyItTakesNothingTwice() {
        JsonNode first = result(cli("take", "data", "--run", "before-upgrade", "-o=json"), 0);
        JsonNode second = result(cli("take", "data", "--run", "before-upgrade", "-o=json"), 0);
        assertThat(first.at("/items/0/snapshot").asText())
                .startsWith("data-on-demand-before-upgrade-");
        assertThat(second).isEqualTo(first);
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
        result(cli("take", "data", "--run", "before-the-next", "-o=json"), 0);
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(2);
    }

    @Test
    void withoutARuleNothingIsEverDeleted() {
        for (String key : List.of("a", "b", "c")) {
            assertThat(cli("take", "data", "--run", key).code()).isZero();
        }
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(3);
        assertThat(cluster.log().count("delete")).isZero();
    }

    @Test
    void aRuleOfItsOwnDeletesWhatWasTakenByHandAndNothingElse() {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "delete");
        try (Program program = Program.start(cluster, "data")) {
            program.fire(Instant.parse("2026-11-22T10:00:00Z"));
        }
        cli("take", "data", "--run", "a");
        Cli.Answer answer = cli("take", "data", "--run", "b", "--keep-last", "1", "-o", "json");
        assertThat(result(answer, 0).at("/items/0/deleted/0").asText()).contains("-on-demand-a-");
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(NAMESPACE))
                                        .extracting(SimulatedSnapshot::name)
                                        .hasSize(2)
                                        .anyMatch(name -> name.startsWith("data-hourly-")));
    }

    @Test
    void aScheduleDoesNotDeleteWhatWasTakenByHand() {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "delete");
        cli("take", "data", "--run", "a");
        try (Program program = Program.start(cluster, "data")) {
            program.fire(Instant.parse("2026-11-22T10:00:00Z"));
            program.fire(Instant.parse("2026-11-22T11:00:00Z"));
        }
        assertThat(cluster.snapshots(NAMESPACE))
                .extracting(SimulatedSnapshot::name)
                .anyMatch(name -> name.contains("-on-demand-a-"));
    }

    @Test
    void holdClassAndLabelsArePutOnThem() {
        cluster.snapshotClass("other", SimulatedCluster.DRIVER, false, "Delete");
        Cli.Answer answer =
                cli(
                        "take",
                        "data",
                        "--hold",
                        "--class",
                        "other",
                        "--label",
                        "team=shop",
                        "--label",
                        "tier=1");
        assertThat(answer.code()).as(answer.toString()).isZero();
        SimulatedSnapshot snapshot = taken("data");
        assertThat(snapshot.labels()).containsEntry("team", "shop").containsEntry("tier", "1");
        assertThat(cli("list", "-o", "json").text())
                .contains("\"held\" : true", "\"snapshotClass\" : \"other\"");
    }

    @Test
    void claimsAreSelectedByTheirLabels() {
        cluster.access().grant(NAMESPACE, CLAIMS, "list");
        cluster.claim(NAMESPACE, "web", Map.of("app", "web"));
        JsonNode result = result(cli("take", "-l", "app=web", "-o", "json"), 0);
        assertThat(result.at("/items")).singleElement();
        assertThat(result.at("/items/0/claim").asText()).isEqualTo("web");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    take                             | 2  | no claim is named -> name claims, or select them by -l
                    take data -l app=x               | 2  | name claims, or select
                    take dta                         | 1  | there is no such claim -> did you mean data?
                    take data -n aps                 | 1  | there is no namespace aps -> did you mean apps?
                    take pending                     | 1  | it is not bound to a volume (phase Pending)
                    take data pending                | 1  | it is not bound
                    take legacy                      | 1  | which is not a CSI driver
                    take -l app=none                 | 1  | no claim is selected
                    take Data                        | 2  | a claim's name has lower case letters
                    take data --keep-last none       | 2  | keep-last: "none"
                    take data --label job=x          | 2  | none of the program's own
                    take data --run Key              | 2  | can be no key -> give lower case letters
                    take data --run 20269999999999   | 2  | is not a time
                    take data --schedule On_Demand   | 2  | can be no schedule's name
                    take data --wait soon            | 2  | give a time
                    take data -o xml                 | 2  | table, json, yaml, name
                    take data --clas x               | 2  | --class
                    """)
    void badInputIsToldInOneLineAndNothingIsCreated(String command, int code, String words) {
        cluster.access().grant("*", CLAIMS, "get", "list").grant("*", "namespaces", "get", "list");
        cluster.pendingClaim(NAMESPACE, "pending");
        cluster.put(
                new PersistentVolumeClaimBuilder()
                        .withNewMetadata()
                        .withNamespace(NAMESPACE)
                        .withName("legacy")
                        .withCreationTimestamp("2026-01-01T00:00:00Z")
                        .addToAnnotations(
                                "volume.kubernetes.io/storage-provisioner", "kubernetes.io/aws-ebs")
                        .endMetadata()
                        .withNewStatus()
                        .withPhase("Bound")
                        .endStatus()
                        .build());
        Cli.Answer answer = cli(command.split(" "));
        assertThat(answer.code()).as(answer.toString()).isEqualTo(code);
        assertThat(answer.err())
                .as(answer.toString())
                .singleElement()
                .asString()
                .startsWith("error: ")
                .contains(words);
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }

    @Test
    void aDriverThatRefusesIsToldInItsWordsAndEndsWithOne() {
        cluster.driver().fails("data", "rpc error: code = InvalidArgument desc = no such volume");
        Cli.Answer answer = cli("take", "data");
        assertThat(answer.code()).isEqualTo(1);
        assertThat(answer.err())
                .anyMatch(
                        line ->
                                line.startsWith("error: apps/data: rpc error")
                                        && line.contains(" -> "));
        assertThat(answer.out().get(1)).contains("failed");
    }

    @Test
    void someThatFailEndWithThree() {
        cluster.driver().fails("data", "rpc error: code = InvalidArgument desc = no such volume");
        Cli.Answer answer = cli("take", "data", "db", "-o", "json");
        JsonNode result = result(answer, 3);
        assertThat(result.at("/items/0/outcome").asText()).isEqualTo("failed");
        assertThat(result.at("/items/0/reason").asText()).contains("no such volume");
        assertThat(result.at("/items/1/outcome").asText()).isEqualTo("ready");
    }

    @Test
    void storageThatIsTooSlowIsToTryAgain() {
        cluster.driver().neverReady();
        Cli.Answer answer =
                Cli.of(cluster).with("poll-interval", "50ms").run("take", "data", "--wait", "1s");
        assertThat(answer.code()).as(answer.toString()).isEqualTo(75);
        assertThat(answer.err()).anyMatch(line -> line.contains("not ready within 1s"));
    }

    @Test
    void aMissingRightIsToldWithWhatGrantsIt() {
        cluster.access().revoke(NAMESPACE, SimulatedCluster.SNAPSHOTS, "create");
        Cli.Answer answer = cli("take", "data");
        assertThat(answer.code()).as(answer.toString()).isEqualTo(1);
        assertThat(answer.err())
                .anyMatch(
                        line ->
                                line.startsWith("error: apps/data: ")
                                        && line.contains("cannot create resource")
                                        && line.endsWith("grant it, as in k8s/role.yaml"));
    }

    @Test
    void anInterruptSaysWhatItLeavesAndHowToGoOn() throws Exception {
        cluster.driver().neverReady();
        Interrupts interrupts = Interrupts.of(() -> {});
        Cli cli = Cli.of(cluster).with("poll-interval", "50ms").interrupts(interrupts);
        AtomicReference<Cli.Answer> answer = new AtomicReference<>();
        CompletableFuture<Void> running =
                Program.later(() -> answer.set(cli.run("take", "data", "-n", NAMESPACE)));
        await().until(() -> !cluster.snapshots(NAMESPACE).isEmpty());
        await().until(() -> cli.errLines().stream().anyMatch(line -> line.contains("asked for")));
        interrupts.interrupt();
        running.get();
        assertThat(answer.get().code()).isEqualTo(130);
        String name = taken("data").name();
        assertThat(answer.get().err())
                .anyMatch(
                        line ->
                                line.equals(
                                        "interrupted: 0 of 1 ready; the cluster goes on with apps/"
                                                + name))
                .anyMatch(
                        line ->
                                line.startsWith(
                                        "go on with: volume-snapshotter take data -n apps --run "));
        String goOn =
                answer.get().err().stream()
                        .filter(line -> line.startsWith("go on with: "))
                        .findAny()
                        .orElseThrow();
        cluster.driver().heal();
        Cli.Answer again =
                cli(goOn.substring("go on with: volume-snapshotter ".length()).split(" "));
        assertThat(again.code()).as(again.toString()).isZero();
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
    }

    @Test
    void nothingThatFiresByItselfFiresMeanwhile() {
        cluster.driver().readyAfter(Duration.ofSeconds(3));
        Cli.Answer answer =
                Cli.of(cluster)
                        .with("poll-interval", "50ms")
                        .with("claims", "db")
                        .with("schedule", "* * * * * ?")
                        .run("take", "data");
        assertThat(answer.code()).isZero();
        assertThat(cluster.snapshots(NAMESPACE, "db")).isEmpty();
    }

    private SimulatedSnapshot taken(String claim) {
        return cluster.snapshots(NAMESPACE, claim).get(0);
    }

    private static JsonNode result(Cli.Answer answer, int code) {
        assertThat(answer.code()).as(answer.toString()).isEqualTo(code);
        return OutputSchema.json(answer);
    }

    private Cli.Answer cli(String... arguments) {
        return Cli.of(cluster).with("poll-interval", "50ms").run(arguments);
    }
}
