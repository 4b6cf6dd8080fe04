package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedPods;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Component;
import io.volumesnapshotter.testing.DrillPods;
import io.volumesnapshotter.testing.OutputSchema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A drill, with just the rights that its component gives: what it proves, and that it fails for
 * each thing that is wrong.
 */
class DrillCommandTest {

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @TempDir private Path directory;

    private final DrillPods pods = new DrillPods();

    @BeforeEach
    void grantWhatTheComponentGrants() throws Exception {
        Component.install(cluster, "drill", directory);
        cluster.pods().become(pods::check);
    }

    private SimulatedSnapshot snapshot(Duration ago, String content) {
        SimulatedSnapshot made =
                cluster.snapshot(
                        NAMESPACE,
                        "data-" + ago.toHours() + "h",
                        "data",
                        Map.of(),
                        Instant.now().minus(ago));
        cluster.storage().fill(made, content);
        return made;
    }

    private Cli.Answer run(String arguments) {
        return Cli.of(cluster).run(("drill " + arguments).split(" "));
    }

    private void nothingIsLeft() {
        assertThat(cluster.admin().pods().inNamespace(NAMESPACE).list().getItems()).isEmpty();
        assertThat(
                        cluster.admin()
                                .persistentVolumeClaims()
                                .inNamespace(NAMESPACE)
                                .list()
                                .getItems())
                .extracting(claim -> claim.getMetadata().getName())
                .containsExactly("data");
        await().until(() -> cluster.storage().volumes().size() == 1);
    }

    private void fails(String arguments, String why) {
        Cli.Answer answer = run(arguments);
        assertThat(answer.err())
                .anySatisfy(
                        line ->
                                assertThat(line)
                                        .startsWith("error: apps/data is not proven: ")
                                        .contains(why));
        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.text()).doesNotContain("is proven");
        nothingIsLeft();
    }

    @Test
    void aSnapshotThatCanBeReadIsProvenAndNothingIsLeft() {
        snapshot(Duration.ofHours(3), "old");
        SimulatedSnapshot newest = snapshot(Duration.ofHours(1), "good");

        Cli.Answer answer = run("data");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        assertThat(answer.out().get(0))
                .startsWith(
                        "apps/data is proven: %s, cut at %s, was restored and read on node node-1 (provision "
                                .formatted(newest.name(), newest.creationTime()));
        assertThat(answer.out()).contains("  3 files read, 812 KiB");
        assertThat(pods.started())
                .singleElement()
                .extracting(SimulatedPods.Start::content)
                .isEqualTo("good");
        nothingIsLeft();
    }

    @Test
    void theReportNamesTheSnapshotItsCutWhatWasReadAndThePhases() throws Exception {
        SimulatedSnapshot newest = snapshot(Duration.ofHours(1), "good");
        Path reports = directory.resolve("reports");

        JsonNode item = OutputSchema.json(run("data -o json --report " + reports)).at("/items/0");

        assertThat(item.path("result").asText()).isEqualTo("passed");
        assertThat(item.path("snapshot").asText()).isEqualTo(newest.name());
        assertThat(item.path("cutTime").asText()).isEqualTo(newest.creationTime().toString());
        assertThat(item.at("/output/0").asText()).isEqualTo("3 files read, 812 KiB");
        assertThat(item.path("phaseSeconds").fieldNames())
                .toIterable()
                .containsExactly("provision", "start", "check");
        List<Path> files;
        try (Stream<Path> found = Files.list(reports)) {
            files = found.sorted().toList();
        }
        assertThat(new ObjectMapper().readTree(files.get(0).toFile()).at("/items/0"))
                .isEqualTo(item);
        assertThat(files.get(1))
                .content()
                .contains("| result | passed |", newest.name(), "    3 files read, 812 KiB");
    }

    @Test
    void thePodIsRestrictedReadsOnlyAndHasNoToken() {
        snapshot(Duration.ofHours(1), "good");

        run("data");

        JsonNode spec = pods.started().get(0).spec();
        assertThat(spec.path("automountServiceAccountToken").asBoolean(true)).isFalse();
        assertThat(spec.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
        assertThat(spec.at("/securityContext/seccompProfile/type").asText())
                .isEqualTo("RuntimeDefault");
        JsonNode container = spec.at("/containers/0");
        assertThat(container.at("/securityContext/allowPrivilegeEscalation").asBoolean(true))
                .isFalse();
        assertThat(container.at("/securityContext/capabilities/drop/0").asText()).isEqualTo("ALL");
        assertThat(container.at("/volumeMounts/0/readOnly").asBoolean()).isTrue();
        assertThat(spec.path("activeDeadlineSeconds").asInt()).isPositive();
    }

    @Test
    void itRunsOnAnotherNodeThanTheClaimsPod() {
        snapshot(Duration.ofHours(1), "good");
        cluster.storage().node("node-a", "zone");
        cluster.storage().node("node-b", "zone");
        cluster.admin()
                .resource(
                        new PodBuilder()
                                .withNewMetadata()
                                .withName("db")
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .withNewSpec()
                                .withNodeName("node-a")
                                .addNewContainer()
                                .withName("db")
                                .withImage("db")
                                .endContainer()
                                .addNewVolume()
                                .withName("data")
                                .withNewPersistentVolumeClaim()
                                .withClaimName("data")
                                .endPersistentVolumeClaim()
                                .endVolume()
                                .endSpec()
                                .build())
                .create();

        assertThat(run("data").out().get(0)).contains("read on node node-b");
    }

    @Test
    void aClassThatWaitsForAPodIsDrilledAsWell() {
        snapshot(Duration.ofHours(1), "good");
        cluster.storage().storageClass("wait", SimulatedCluster.DRIVER, "WaitForFirstConsumer");

        assertThat(run("data --storage-class wait").code()).isZero();
        nothingIsLeft();
    }

    // ---- what must fail

    @Test
    void anEmptyVolumeFails() {
        snapshot(Duration.ofHours(1), "");
        fails("data", "the check ended with code 1");
    }

    @Test
    void aCorruptOneFailsWithWhatTheCheckWrote() {
        snapshot(Duration.ofHours(1), "corrupt");
        assertThat(run("data").out())
                .containsExactly("  cat: read error on './db': Structure needs cleaning");
        fails("data", "the check ended with code 1");
    }

    @Test
    void anOldSnapshotFailsHoweverGoodItIs() {
        snapshot(Duration.ofHours(27), "good");
        fails("data", "was cut at ");
        assertThat(pods.started()).isEmpty();
    }

    @Test
    void aSnapshotOfAnEarlierClaimOfThatNameFails() {
        SimulatedSnapshot snapshot = snapshot(Duration.ofHours(1), "good");
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
        fails("data", "is of an earlier claim of that name, which was deleted");
    }

    /** It may be gone at any moment. */
    @Test
    void theSnapshotOfADeepLookIsNoneToProve() {
        cluster.snapshot(
                NAMESPACE,
                "data-preflight-1",
                "data",
                Map.of("volume-snapshotter/trial", "preflight"),
                Instant.now());
        fails("data", "there is no snapshot of apps/data");
    }

    @Test
    void noSnapshotFails() {
        fails("data", "there is no snapshot of apps/data");
    }

    @Test
    void aCheckThatDoesNotEndFails() {
        snapshot(Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Runs());
        fails("data --check-timeout 1s", "the check did not end within 1s");
    }

    @Test
    void aPodThatNeverStartsFailsWithTheReason() {
        snapshot(Duration.ofHours(1), "good");
        cluster.pods()
                .become(
                        start ->
                                new SimulatedPods.NeverStarts(
                                        "ImagePullBackOff",
                                        "Back-off pulling image \"no-such-image\""));
        fails(
                "data --wait 1s --image no-such-image",
                "the pod did not start within 1s: ImagePullBackOff: Back-off pulling image");
    }

    @Test
    void aVolumeThatIsNotMadeFailsWithTheProvisionersWords() {
        snapshot(Duration.ofHours(1), "good");
        cluster.driver().failsToProvision("pool is full");
        fails("data --wait 1s", "there was no volume within 1s: failed to provision volume");
    }

    @ParameterizedTest
    @CsvSource({
        "0, ''",
        "0, 'all is well'",
        "0, 'volume-snapshotter-check-ended 00000000-0000-0000-0000-000000000000 0'",
    })
    void aPodThatEndsWellWithoutTheCheckHavingRunToItsEndFails(int code, String log) {
        snapshot(Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Exits(code, log));
        fails("data", "but the check did not run to its end in it");
    }

    @Test
    void aClassThatKeepsVolumesIsNotUsed() {
        snapshot(Duration.ofHours(1), "good");
        cluster.storage().storageClass("keep", SimulatedCluster.DRIVER, "Immediate", "Retain");
        fails("data --storage-class keep", "storage class keep keeps the volumes of deleted");
    }

    // ---- what may come between

    @Test
    void whatACrashLeftIsRemovedOnceItsTimeIsOver() {
        snapshot(Duration.ofHours(1), "good");
        leftover("data-drill-old", Instant.now().minusSeconds(60));
        leftover("data-drill-young", Instant.now().plusSeconds(60));

        Cli.Answer answer = run("data");

        assertThat(answer.err())
                .contains(
                        "PersistentVolumeClaim apps/data-drill-old was left over, and is removed");
        await().until(
                        () ->
                                cluster.admin()
                                                .persistentVolumeClaims()
                                                .inNamespace(NAMESPACE)
                                                .withName("data-drill-old")
                                                .get()
                                        == null);
        assertThat(
                        cluster.admin()
                                .persistentVolumeClaims()
                                .inNamespace(NAMESPACE)
                                .withName("data-drill-young")
                                .get())
                .isNotNull();
    }

    private void leftover(String name, Instant until) {
        cluster.claim(
                NAMESPACE,
                name,
                Map.of("volume-snapshotter/trial", "drill"),
                Map.of("volume-snapshotter/trial-until", until.toString()));
    }

    @Test
    void anInterruptRemovesWhatWasMade() {
        snapshot(Duration.ofHours(1), "good");
        cluster.pods().become(start -> new SimulatedPods.Runs());
        Interrupts interrupts = Interrupts.of(() -> {});
        Cli cli = Cli.of(cluster).interrupts(interrupts);
        CompletableFuture<Cli.Answer> running = new CompletableFuture<>();
        new Thread(() -> running.complete(cli.run("drill", "data"))).start();
        await().until(
                        () ->
                                !cluster.admin()
                                        .pods()
                                        .inNamespace(NAMESPACE)
                                        .list()
                                        .getItems()
                                        .isEmpty());

        interrupts.interrupt();

        assertThat(running.join().code()).isEqualTo(ExitCode.INTERRUPTED);
        nothingIsLeft();
    }

    @Test
    void ofSeveralClaimsEachIsDrilled() {
        cluster.claim(NAMESPACE, "logs");
        snapshot(Duration.ofHours(1), "good");

        Cli.Answer answer = run("data logs");

        assertThat(answer.code()).isEqualTo(ExitCode.SOME);
        assertThat(answer.out().get(0)).startsWith("apps/data is proven");
        assertThat(answer.err())
                .anySatisfy(
                        line ->
                                assertThat(line)
                                        .startsWith("error: apps/logs is not proven: there is no"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    data --user 0        | --user 0: the pod may not run as root -> give a uid above 0
                    data --max-age soon  | --max-age: "soon" is not valid: give a duration above 0 with its unit, such as 500ms, 90s, 15m, 1h30m
                    data --report /dev/null/x | --report /dev/null/x: it cannot be written to -> name a directory that can be made
                    """)
    void aMistakeIsToldAndNothingIsMade(String arguments, String error) {
        Cli.Answer answer = run(arguments);

        assertThat(answer.err()).containsExactly("error: " + error);
        assertThat(answer.code()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aMissingRightIsNamedWithTheComponentThatGrantsIt() {
        snapshot(Duration.ofHours(1), "good");
        cluster.admin()
                .genericKubernetesResources("rbac.authorization.k8s.io/v1", "RoleBinding")
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-drill")
                .delete();

        assertThat(run("data").err())
                .last()
                .asString()
                .contains("cannot list resource \"pods\"")
                .endsWith(" -> grant it, as in k8s/components/drill");
        cluster.access().grant(NAMESPACE, "pods", "list");
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list", "get");
        assertThat(run("data").err())
                .last()
                .asString()
                .contains("cannot create resource \"persistentvolumeclaims\"")
                .endsWith(" -> grant it, as in k8s/components/drill");
        List<PersistentVolumeClaim> claims =
                cluster.admin().persistentVolumeClaims().inNamespace(NAMESPACE).list().getItems();
        assertThat(claims).hasSize(1);
    }
}
