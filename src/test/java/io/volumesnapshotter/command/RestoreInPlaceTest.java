package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.simulation.SimulatedStorage.Volume;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Component;
import io.volumesnapshotter.testing.OutputSchema;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** restore --in-place and --undo, with just the rights that their component gives. */
class RestoreInPlaceTest {

    private static final String OLD = "as of seven";
    private static final String PRESENT = "as it is now";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    @TempDir private Path directory;

    private String original;

    @BeforeEach
    void startCluster() throws Exception {
        cluster.claim(NAMESPACE, "data", Map.of("app", "shop"));
        original = cluster.storage().volumeOf(NAMESPACE, "data");
        SimulatedSnapshot seven =
                cluster.snapshot(
                        NAMESPACE,
                        "data-seven",
                        "data",
                        Map.of(),
                        Instant.parse("2026-11-22T07:00:00Z"));
        cluster.storage().fill(seven, OLD);
        cluster.storage().write(NAMESPACE, "data", PRESENT);
        Component.install(cluster, "restore-in-place", directory);
    }

    private Cli.Answer run(String arguments) {
        return Cli.of(cluster).run(("restore " + arguments).split(" "));
    }

    private String content() {
        return cluster.storage().content(NAMESPACE, "data");
    }

    private PersistentVolumeClaim claim() {
        return cluster.admin()
                .persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName("data")
                .get();
    }

    private Volume volume(String name) {
        return cluster.storage().volumes().stream()
                .filter(volume -> volume.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theClaimHasTheRestoredDataAndWhatWasThereIsKept() {
        Cli.Answer answer = run("--in-place data");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        assertThat(content()).isEqualTo(OLD);
        assertThat(volume(original))
                .extracting(Volume::phase, Volume::policy, Volume::content)
                .containsExactly("Released", "Retain", PRESENT);
        assertThat(answer.out().get(0))
                .isEqualTo(
                        "apps/data restored in place from data-seven, cut at"
                                + " 2026-11-22T07:00:00Z");
        assertThat(answer.out().get(1)).contains(original, "data-before-restore-");
        assertThat(answer.out().get(2))
                .isEqualTo("undo: volume-snapshotter restore --undo data -n apps");
    }

    @Test
    void theClaimLooksAsItDidInGit() {
        run("--in-place data");

        assertThat(claim().getMetadata().getLabels()).containsExactly(Map.entry("app", "shop"));
        assertThat(claim().getSpec().getDataSource()).isNull();
        assertThat(claim().getSpec().getResources().getRequests().get("storage"))
                .hasToString("1Gi");
    }

    @Test
    void theRestoredVolumeHasTheReclaimPolicyOfItsClass() {
        run("--in-place data");

        assertThat(volume(cluster.storage().volumeOf(NAMESPACE, "data")).policy())
                .isEqualTo("Delete");
    }

    @Test
    void aSnapshotOfWhatWasThereIsTakenFirst() {
        cluster.log().clear();

        run("--in-place data");

        List<RequestLog.Entry> changes =
                cluster.log().entries(request -> !List.of("get", "list").contains(request.verb()));
        assertThat(changes.get(0).resource()).isEqualTo("volumesnapshots");
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .filteredOn(snapshot -> snapshot.name().startsWith("data-before-restore-"))
                .singleElement()
                .satisfies(snapshot -> assertThat(snapshot.ready()).isTrue());
    }

    @Test
    void noVolumeIsDeletedNorAskedToBe() {
        run("--in-place data");
        run("--undo data");

        assertThat(cluster.storage().gone()).isEmpty();
        assertThat(cluster.log().count("delete", "persistentvolumes")).isZero();
    }

    @Test
    void undoGivesTheOriginalVolumeBackAndLeavesTheOther() {
        run("--in-place data");
        String restored = cluster.storage().volumeOf(NAMESPACE, "data");

        Cli.Answer answer = run("--undo data");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        assertThat(content()).isEqualTo(PRESENT);
        assertThat(volume(original).policy()).isEqualTo("Delete");
        assertThat(volume(restored))
                .extracting(Volume::phase, Volume::policy, Volume::content)
                .containsExactly("Released", "Retain", OLD);
        assertThat(answer.out())
                .containsExactly(
                        "apps/data has its volume %s back".formatted(original),
                        "the data from data-seven is kept in volume %s; delete that when you do not need it"
                                .formatted(restored));
    }

    @Test
    void itCanBeDoneAgainAndEachTimeTheLastOneIsUndone() {
        run("--in-place data");
        String first = cluster.storage().volumeOf(NAMESPACE, "data");
        cluster.storage().write(NAMESPACE, "data", "written after the first");

        assertThat(run("--in-place data").code()).isZero();
        assertThat(content()).isEqualTo(OLD);
        assertThat(run("--undo data").code()).isZero();

        assertThat(cluster.storage().volumeOf(NAMESPACE, "data")).isEqualTo(first);
        assertThat(content()).isEqualTo("written after the first");
        assertThat(volume(original).content()).isEqualTo(PRESENT);
    }

    @Test
    void withoutSomethingToUndoThatIsSaid() {
        Cli.Answer answer = run("--undo data");

        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.err())
                .last()
                .isEqualTo(
                        "error: nothing is known of a restore in place of apps/data -> look with"
                                + " kubectl get pv -L"
                                + " volume-snapshotter/in-place,volume-snapshotter/in-place-role");
    }

    @Test
    void theResultIsADocumentForMachines() {
        JsonNode done = OutputSchema.json(run("--in-place data -o json"));
        assertThat(done.path("outcome").asText()).isEqualTo("restored");
        assertThat(done.path("originalVolume").asText()).isEqualTo(original);

        JsonNode undone = OutputSchema.json(run("--undo data -o json"));
        assertThat(undone.path("outcome").asText()).isEqualTo("undone");
        assertThat(undone.path("restoredVolume").asText())
                .isEqualTo(done.path("restoredVolume").asText());
    }

    @Test
    void aPodThatUsesTheClaimIsNamedWithItsOwnerAndNothingIsChanged() {
        Pod pod =
                new PodBuilder()
                        .withNewMetadata()
                        .withName("db-0")
                        .withNamespace(NAMESPACE)
                        .addNewOwnerReference()
                        .withKind("StatefulSet")
                        .withName("db")
                        .withController(true)
                        .withUid("1")
                        .withApiVersion("apps/v1")
                        .endOwnerReference()
                        .endMetadata()
                        .withNewSpec()
                        .addNewVolume()
                        .withName("data")
                        .withNewPersistentVolumeClaim()
                        .withClaimName("data")
                        .endPersistentVolumeClaim()
                        .endVolume()
                        .endSpec()
                        .build();
        cluster.admin().resource(pod).create();
        refused("pod db-0 of statefulset/db uses it");
    }

    private void refused(String why) {
        cluster.log().clear();
        Cli.Answer answer = run("--in-place data");
        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.err())
                .last()
                .isEqualTo(
                        "error: apps/data is in use, and is not touched: %s -> see to each of these, and say the same again"
                                .formatted(why));
        assertThat(
                        cluster.log()
                                .entries(
                                        request ->
                                                !List.of("get", "list").contains(request.verb())))
                .isEmpty();
    }

    private void owner(String text) {
        cluster.put(Serialization.unmarshal(text, GenericKubernetesResource.class));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    StatefulSet | replicas: 2 | {} | statefulset/db wants 2 pods of it: kubectl scale statefulset/db --replicas=0 -n apps
                    Deployment  | replicas: 1 | {} | deployment/db wants 1 pod of it: kubectl scale deployment/db --replicas=0 -n apps
                    Deployment  | replicas: 0 | {argocd.argoproj.io/instance: shop} | deployment/db is kept as it is in git (argocd.argoproj.io/instance), which would scale it up again: suspend that, and give --force deployment/db
                    Deployment  | replicas: 0 | {kustomize.toolkit.fluxcd.io/name: shop} | deployment/db is kept as it is in git (kustomize.toolkit.fluxcd.io/name), which would scale it up again: suspend that, and give --force deployment/db
                    """)
    void anOwnerThatWouldUseItAgainIsNamed(
            String kind, String replicas, String labels, String why) {
        owner(
                """
                apiVersion: apps/v1
                kind: %s
                metadata: {name: db, namespace: apps, labels: %s}
                spec:
                  %s
                  template:
                    spec:
                      volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
                """
                        .formatted(kind, labels, replicas));

        refused(why);
    }

    @Test
    void aStatefulSetThatDeletesItsClaimsIsRefusedUnlessItIsForced() {
        cluster.claim(NAMESPACE, "www-db-0");
        SimulatedSnapshot snapshot =
                cluster.snapshot(
                        NAMESPACE,
                        "www",
                        "www-db-0",
                        Map.of(),
                        Instant.parse("2026-11-22T07:00:00Z"));
        cluster.storage().fill(snapshot, OLD);
        owner(
                """
                apiVersion: apps/v1
                kind: StatefulSet
                metadata: {name: db, namespace: apps}
                spec:
                  replicas: 0
                  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Retain}
                  volumeClaimTemplates: [{metadata: {name: www}}]
                """);

        Cli.Answer refused = run("--in-place www-db-0");
        assertThat(refused.err())
                .last()
                .asString()
                .contains(
                        "statefulset/db deletes its claims (persistentVolumeClaimRetentionPolicy):"
                                + " set it to Retain, or give --force statefulset/db");
        Cli.Answer forced = run("--in-place www-db-0 --force statefulset/db");

        assertThat(forced.code()).as(forced.err().toString()).isZero();
        assertThat(cluster.storage().content(NAMESPACE, "www-db-0")).isEqualTo(OLD);
    }

    @Test
    void aRestoreThatCouldNotBeEndedIsGoneOnWith() {
        cluster.driver().failsToProvision("pool is full");
        Cli.Answer late = run("--in-place data --wait 1s");
        assertThat(late.code()).isEqualTo(ExitCode.AGAIN);
        assertThat(late.err())
                .last()
                .isEqualTo(
                        "error: apps/data is not done after 1s, and no data is lost -> go on by"
                                + " restore --in-place data, or back by restore --undo data");
        assertThat(content()).isEqualTo(PRESENT);
        cluster.driver().heal();
        cluster.storage()
                .storageClass(SimulatedCluster.STORAGE_CLASS, SimulatedCluster.DRIVER, "Immediate");

        assertThat(run("--in-place data").code()).isZero();
        assertThat(content()).isEqualTo(OLD);
    }

    @Test
    void whileOneIsUnderWayAnotherSnapshotIsRefused() {
        cluster.snapshot(
                NAMESPACE, "data-eight", "data", Map.of(), Instant.parse("2026-11-22T08:00:00Z"));
        cluster.driver().failsToProvision("pool is full");
        run("--in-place data --wait 1s --snapshot data-seven");

        assertThat(run("--in-place data --snapshot data-eight").err())
                .last()
                .isEqualTo(
                        "error: a restore of apps/data from data-seven is under way -> go on with it"
                                + " by restore --in-place data alone, or back by restore --undo"
                                + " data");
        assertThat(run("--undo data").code()).isZero();
        assertThat(content()).isEqualTo(PRESENT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    --in-place none          | 1 | there is no claim apps/none -> restore it with restore none --to none
                    --in-place data --to x   | 2 | --to, --in-place and --undo are three different things -> say one of --to NEW, --in-place, --undo
                    --in-place data --size 1Gi | 2 | --storage-class, --size, --access-mode, --volume-mode and --labels describe a new claim, and data stays as it is -> leave them out, or restore with --to
                    --undo data --offset 1   | 2 | --undo takes no snapshot: it gives the volume back -> leave the choice out
                    --in-place data --snapshot no | 1 | there is no snapshot no in namespace apps -> a claim is filled only from a snapshot in its own namespace: look with kubectl get volumesnapshots -n apps
                    """)
    void whatCannotBeDoneIsToldInOneLine(String arguments, int code, String error) {
        Cli.Answer answer = run(arguments);

        assertThat(answer.err()).last().isEqualTo("error: " + error);
        assertThat(answer.code()).isEqualTo(code);
        assertThat(content()).isEqualTo(PRESENT);
    }

    @ParameterizedTest
    @CsvSource({"ClusterRoleBinding, list, persistentvolumes", "RoleBinding, list, pods"})
    void aMissingRightIsNamedWithTheComponentThatGrantsIt(
            String binding, String verb, String resource) {
        var bindings =
                cluster.admin().genericKubernetesResources("rbac.authorization.k8s.io/v1", binding);
        (binding.equals("RoleBinding") ? bindings.inNamespace(NAMESPACE) : bindings)
                .withName("volume-snapshotter-restore-in-place")
                .delete();
        if (resource.equals("pods")) {
            cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get", "create", "delete");
        }

        Cli.Answer answer = run("--in-place data");

        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.err())
                .last()
                .asString()
                .contains("cannot %s resource \"%s\"".formatted(verb, resource))
                .endsWith(" -> grant it, as in k8s/components/restore-in-place");
    }
}
