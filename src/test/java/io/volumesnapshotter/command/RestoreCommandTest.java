package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.simulation.SnapshotState;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.OutputSchema;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command that restores, with just the rights that its component gives. */
class RestoreCommandTest {

    private static final String WAITS = "csi-hostpath-wait";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @TempDir private Path directory;

    @BeforeEach
    void grantWhatTheComponentGrants() throws Exception {
        cluster.access().revokeAll();
        Path overlay = Files.createDirectory(directory.resolve("overlay"));
        Path restore = Path.of("examples/overlays/restore");
        Files.writeString(
                overlay.resolve("kustomization.yaml"),
                "namespace: %s\nresources: [%s]\n"
                        .formatted(
                                NAMESPACE, overlay.toRealPath().relativize(restore.toRealPath())));
        for (HasMetadata object : Kustomize.build(overlay)) {
            if (object.getApiVersion().startsWith("rbac.")) {
                cluster.admin().resource(object).create();
            }
        }
    }

    private Cli.Answer run(String arguments) {
        return Cli.of(cluster).run(("restore " + arguments).split(" "));
    }

    /** A snapshot of an hour of the day, with other data each. */
    private SimulatedSnapshot snapshot(int hour) {
        Instant due = Instant.parse("2026-11-22T%02d:00:00Z".formatted(hour));
        String name = SnapshotNames.snapshot("data", "hourly", due);
        SimulatedSnapshot made =
                cluster.snapshot(
                        NAMESPACE,
                        name,
                        "data",
                        SnapshotLabels.of(
                                name,
                                "hourly",
                                SnapshotNames.run("hourly", due),
                                Program.INSTALLATION),
                        due);
        cluster.storage().fill(made, "as of " + hour);
        return made;
    }

    private PersistentVolumeClaim claim(String name) {
        return cluster.admin().persistentVolumeClaims().inNamespace(NAMESPACE).withName(name).get();
    }

    private String content(String claim) {
        return cluster.storage().content(NAMESPACE, claim);
    }

    @Test
    void theNewestSnapshotIsInTheNewClaimWhichIsBound() {
        snapshot(7);
        snapshot(8);

        Cli.Answer answer = run("data --to again");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        assertThat(answer.out())
                .containsExactly(
                        "apps/again restored from data-hourly-20261122080000, cut at"
                                + " 2026-11-22T08:00:00Z");
        assertThat(answer.err())
                .contains(
                        "apps/again from snapshot data-hourly-20261122080000, cut at"
                                + " 2026-11-22T08:00:00Z: storage class csi-hostpath-sc,"
                                + " ReadWriteOnce, Filesystem, 1Gi (the snapshot's"
                                + " restoreSize)");
        assertThat(content("again")).isEqualTo("as of 8");
        assertThat(claim("again").getMetadata().getAnnotations())
                .containsEntry(NewClaim.RESTORED_FROM, "data-hourly-20261122080000")
                .containsEntry(NewClaim.RESTORED_CUT, "2026-11-22T08:00:00Z");
    }

    @Test
    void itNeedsSixRequestsBesideTheLooks() {
        snapshot(7);
        cluster.log().clear();

        assertThat(run("data --to again").code()).isZero();

        assertThat(
                        cluster.log()
                                .count(
                                        request ->
                                                !(request.verb().equals("get")
                                                        && request.name().equals("again"))))
                .isLessThanOrEqualTo(6);
    }

    @Test
    void nothingIsWrittenOrDeletedButTheNewClaim() {
        snapshot(7);
        cluster.log().clear();

        run("data --to again");

        assertThat(
                        cluster.log()
                                .entries(
                                        request ->
                                                !List.of("get", "list").contains(request.verb())))
                .singleElement()
                .satisfies(
                        request -> {
                            assertThat(request.verb()).isEqualTo("create");
                            assertThat(request.name()).isEqualTo("again");
                        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    --at 2026-11-22T08:59:00Z            | as of 8
                    --at 2026-11-22T09:30:00+02:00       | as of 7
                    --offset 1                           | as of 8
                    --snapshot data-hourly-20261122070000 | as of 7
                    --schedule hourly                    | as of 9
                    """)
    void anOlderSnapshotCanBeAskedFor(String options, String content) {
        snapshot(7);
        snapshot(8);
        snapshot(9);

        assertThat(run("data --to again " + options).code()).isZero();

        assertThat(content("again")).isEqualTo(content);
    }

    @Test
    void fromASnapshotThatSaysItNoOptionIsNeededWhenTheClaimIsGone() {
        SimulatedSnapshot snapshot = snapshot(7);
        RecordedClaim written =
                new RecordedClaim(
                        java.util.Optional.of(SimulatedCluster.STORAGE_CLASS),
                        List.of("ReadWriteOnce"),
                        java.util.Optional.of("Filesystem"),
                        java.util.Optional.of("2Gi"),
                        java.util.Optional.of("3Gi"));
        cluster.admin()
                .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                .inNamespace(NAMESPACE)
                .withName(snapshot.name())
                .edit(
                        object -> {
                            object.getMetadata().setAnnotations(written.annotations());
                            return object;
                        });
        cluster.withoutClaim(NAMESPACE, "data");

        Cli.Answer answer = run("data --to data");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        assertThat(claim("data").getSpec().getResources().getRequests().get("storage"))
                .hasToString("3Gi");
        assertThat(content("data")).isEqualTo("as of 7");
    }

    @Test
    void aClassThatWaitsForItsFirstPodIsAnOutcomeOfItsOwn() {
        snapshot(7);
        cluster.storage().storageClass(WAITS, SimulatedCluster.DRIVER, "WaitForFirstConsumer");

        Cli.Answer answer = run("data --to again --storage-class " + WAITS);

        assertThat(answer.code()).isZero();
        assertThat(answer.out())
                .containsExactly(
                        "apps/again waits for its first pod: its class csi-hostpath-wait makes the"
                                + " volume then");
        assertThat(claim("again").getStatus().getPhase()).isEqualTo("Pending");
    }

    @Test
    void theResultIsADocumentForMachines() {
        snapshot(7);

        JsonNode document = OutputSchema.json(run("data --to again -o json"));

        assertThat(document.path("outcome").asText()).isEqualTo("bound");
        assertThat(document.at("/from/snapshot").asText()).isEqualTo("data-hourly-20261122070000");
        assertThat(document.at("/from/cutTime").asText()).isEqualTo("2026-11-22T07:00:00Z");
        assertThat(run("data --to third -o name").out())
                .containsExactly("persistentvolumeclaim/third");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    data --to again --at 2026-11-22T06:00:00Z | 1 | error: apps/data has no ready snapshot of 2026-11-22T06:00:00Z or before -> the first is data-hourly-20261122070000, cut at 2026-11-22T07:00:00Z: give a time from then on
                    data --to again --at tomorrow   | 2 | error: --at: "tomorrow" is not valid: give a time with its offset, such as 2026-11-22T07:00:00Z, or how long ago, such as 3h
                    data --to again --at 2099-01-01T00:00:00Z | 2 | error: --at: "2099-01-01T00:00:00Z" is not valid: give a time that is over
                    data --to again --offset 7      | 1 | error: apps/data has only 1 ready snapshot, so there is none 7 before the newest -> give an offset of at most 0
                    data --to again --offset -1     | 2 | error: --offset -1: an offset counts back from the newest -> give 0 or more
                    data --to again --snapshot x --at 1h | 2 | error: --snapshot names one, so --at and --offset mean nothing -> leave them out
                    data --to again --snapshot x    | 1 | error: there is no snapshot x in namespace apps -> a claim is filled only from a snapshot in its own namespace: look with kubectl get volumesnapshots -n apps
                    logs --to again                 | 1 | error: there is no snapshot of apps/logs -> look at what there is with kubectl get volumesnapshots -n apps
                    data --to again --size 1Mi      | 1 | error: 1Mi is less than 1Gi, which is the snapshot's restoreSize -> give at least 1Gi
                    data --to again --storage-class none | 1 | error: there is no storage class none -> give --storage-class, such as kubectl get storageclass lists them
                    data --to again --storage-class other | 1 | error: storage class other is of driver other.csi, and snapshot data-hourly-20261122070000 of driver hostpath.csi.k8s.io -> give --storage-class with a class of driver hostpath.csi.k8s.io
                    data --to again --access-mode RWO | 1 | error: there is no access mode "RWO" -> give one of ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod
                    data --to again --volume-mode Block | 1 | error: snapshot data-hourly-20261122070000 is of volume mode Filesystem, and a claim of mode Block cannot be filled from it -> leave --volume-mode out
                    data --to Again                 | 1 | error: "Again" can be no name of a claim -> use lower case letters, digits, '-' and '.'
                    data --to data                  | 1 | error: there is a claim apps/data already, and a restore never writes into one -> give --to another name, or restore in place with --in-place
                    data --to again --wait soon     | 2 | error: --wait: "soon" is not valid: give a duration above 0 with its unit, such as 500ms, 90s, 15m, 1h30m
                    data                            | 2 | error: what is to be done with data? -> say one of --to NEW, --in-place, --undo
                    """)
    void whatCannotBeDoneIsToldInOneLineAndNothingIsMade(String arguments, int code, String error) {
        snapshot(7);
        cluster.storage().storageClass("other", "other.csi", "Immediate");

        Cli.Answer answer = run(arguments);

        assertThat(answer.err()).last().isEqualTo(error);
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.out()).isEmpty();
        assertThat(claim("again")).isNull();
    }

    @Test
    void aSnapshotThatIsNotReadyIsRefusedWithTheDriversWords() {
        cluster.snapshot(
                NAMESPACE,
                "bad",
                "data",
                Map.of(),
                Instant.parse("2026-11-22T07:00:00Z"),
                SnapshotState.FAILED);

        assertThat(run("data --to again --snapshot bad").err())
                .containsExactly(
                        "error: snapshot bad cannot be restored: it is not ready: Failed to check"
                                + " and update snapshot content: no space left -> name another, or"
                                + " none for the newest that is ready");
    }

    @Test
    void aClaimThatGetsNoVolumeStaysAndTheProvisionersWordsAreTold() {
        snapshot(7);
        cluster.driver().failsToProvision("pool is full");

        Cli.Answer answer = run("data --to again --wait 1s");

        assertThat(answer.code()).isEqualTo(ExitCode.AGAIN);
        assertThat(answer.err())
                .last()
                .isEqualTo(
                        "error: claim apps/again has no volume after 1s: failed to provision volume"
                                + " with StorageClass \"csi-hostpath-sc\": pool is full -> it stays"
                                + " and may still get one: look with kubectl describe pvc -n apps"
                                + " again, or delete it");
        assertThat(claim("again")).isNotNull();
    }

    @Test
    void aRestoreThatWasCutOffIsGoneOnWithByTheSameCommand() {
        snapshot(7);
        cluster.driver().failsToProvision("not now");
        assertThat(run("data --to again --wait 500ms").code()).isEqualTo(ExitCode.AGAIN);

        assertThat(run("data --to again --wait 500ms").code()).isEqualTo(ExitCode.AGAIN);

        assertThat(
                        cluster.log().entries(request -> request.verb().equals("create")).stream()
                                .map(RequestLog.Entry::code))
                .containsExactly(201, 409);
    }

    @Test
    void aClaimThatWasRestoredAlreadyIsNotTakenForANewOne() {
        snapshot(7);
        assertThat(run("data --to again").code()).isZero();
        cluster.storage().write(NAMESPACE, "again", "written since");

        assertThat(run("data --to again").code()).isEqualTo(ExitCode.NOTHING);
        assertThat(content("again")).isEqualTo("written since");
    }

    @Test
    void aCreationWhoseAnswerWasLostIsFoundAgain() {
        snapshot(7);
        cluster.faults()
                .answerAfterwards(
                        request -> request.is("create", "persistentvolumeclaims"),
                        1,
                        ApiAnswer.status(503, "ServiceUnavailable", "restarting"));

        Cli.Answer answer = run("data --to again");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        assertThat(content("again")).isEqualTo("as of 7");
    }

    @Test
    void aMissingRightIsNamedWithTheComponentThatGrantsIt() {
        snapshot(7);
        cluster.access().revokeAll();
        cluster.admin()
                .genericKubernetesResources("rbac.authorization.k8s.io/v1", "RoleBinding")
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-restore")
                .delete();

        Cli.Answer answer = run("data --to again");

        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.err())
                .last()
                .asString()
                .contains("cannot get resource \"persistentvolumeclaims\"")
                .endsWith(" -> grant it, as in k8s/components/restore");
    }

    @Test
    void anInterruptSaysWhatStays() {
        snapshot(7);
        cluster.driver().failsToProvision("pool is full");
        Interrupts interrupts = Interrupts.of(() -> {});
        Cli cli = Cli.of(cluster).interrupts(interrupts);
        CompletableFuture<Cli.Answer> running = new CompletableFuture<>();
        Thread thread =
                new Thread(() -> running.complete(cli.run("restore", "data", "--to", "again")));
        thread.start();
        await().until(() -> claim("again") != null && cli.errLines().size() > 1);

        interrupts.interrupt();

        Cli.Answer answer = running.join();
        assertThat(answer.code()).isEqualTo(ExitCode.INTERRUPTED);
        assertThat(answer.err())
                .last()
                .isEqualTo(
                        "claim apps/again stays and may still get its volume; delete it if you do"
                                + " not want it");
    }

    @Test
    void routesThatDoNotSendChangesAreFound() throws Exception {
        snapshot(7);
        TestRoutes.copyTo(directory);
        Path file = directory.resolve("change-object.camel.yaml");
        String text = Files.readString(file);
        Files.writeString(
                file,
                text.substring(0, text.indexOf("        - bean:"))
                        + "        - log:\n            message: sent\n");

        Cli.Answer answer =
                Cli.of(cluster)
                        .with("routes", directory.toString())
                        .run("restore", "data", "--to", "again");

        assertThat(answer.code()).isEqualTo(ExitCode.CONFIG);
        assertThat(answer.err())
                .last()
                .isEqualTo(
                        "error: route change-object does not create PersistentVolumeClaim"
                                + " apps/again -> its last step has to be bean changes.send, as in"
                                + " this release's routes");
    }

    @Test
    void routesWithoutTheRouteThatSendsChangesAreFound() throws Exception {
        TestRoutes.copyTo(directory);
        Files.delete(directory.resolve("change-object.camel.yaml"));

        Cli.Answer answer =
                Cli.of(cluster)
                        .with("routes", directory.toString())
                        .run("restore", "data", "--to", "again");

        assertThat(answer.code()).isEqualTo(ExitCode.CONFIG);
        assertThat(answer.err())
                .containsExactly(
                        "error: the routes have no route change-object -> add"
                                + " routes/change-object.camel.yaml of this release to them");
    }

    @Test
    void anApiServerThatIsAwayIsToldAsThat() {
        cluster.faults().cut(Faults.Boundary.ARRIVED, request -> request.is("list"), Faults.ALWAYS);

        assertThat(run("data --to again").code()).isEqualTo(ExitCode.AGAIN);
    }
}
