package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedPods;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Component;
import io.volumesnapshotter.testing.DrillPods;
import io.volumesnapshotter.testing.OutputSchema;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** preflight --deep, with just the rights that the component drill gives. */
class PreflightDeepTest {

    private static final String DEEP = "deep look at claim apps/data: ";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "logs");

    @TempDir private Path directory;

    @BeforeEach
    void install() throws Exception {
        Component.install(cluster, "drill", directory);
        cluster.storage().write(NAMESPACE, "data", "good");
        cluster.pods().become(new DrillPods()::check);
    }

    private Cli.Answer run(String arguments) {
        return Cli.of(cluster)
                .with("claims", "data,logs")
                .run(("preflight " + arguments).split(" "));
    }

    private void nothingIsLeft() {
        await().untilAsserted(
                        () -> {
                            assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
                            assertThat(
                                            cluster.admin()
                                                    .pods()
                                                    .inNamespace(NAMESPACE)
                                                    .list()
                                                    .getItems())
                                    .isEmpty();
                            assertThat(cluster.storage().volumes()).hasSize(2);
                        });
    }

    private void fails(String arguments, String why) {
        Cli.Answer answer = run("--deep " + arguments);
        assertThat(answer.out())
                .anySatisfy(line -> assertThat(line).startsWith("ERROR " + DEEP).contains(why));
        assertThat(answer.out()).noneMatch(line -> line.contains("was mounted on node"));
        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        nothingIsLeft();
    }

    @Test
    void aClaimIsTriedFromEndToEndAndNothingIsLeft() throws Exception {
        Cli.Answer answer = run("--deep --claim data");

        assertThat(answer.code()).as(answer.out().toString()).isZero();
        assertThat(answer.out())
                .anySatisfy(
                        line ->
                                assertThat(line)
                                        .matches(
                                                "INFO  "
                                                        + DEEP
                                                        + "a snapshot was ready after \\S+s, and a claim that was filled from it was mounted on node node-1 \\(provision \\S+s, start \\S+s, check \\S+s\\); all of it is removed"));
        nothingIsLeft();
        JsonNode items = OutputSchema.json(run("--deep -o json")).at("/items");
        assertThat(items)
                .as("the first that a schedule takes")
                .anySatisfy(
                        item ->
                                assertThat(item.path("what").asText())
                                        .isEqualTo("deep look at claim apps/data"));
    }

    @Test
    void anEmptyClaimIsNoFailure() {
        assertThat(run("--deep --claim logs").code()).isZero();
        nothingIsLeft();
    }

    @Test
    void aSnapshotThatIsNotReadyFailsWithTheDriversWords() {
        cluster.driver().fails("data", "rpc error: code = Internal desc = no");
        fails("--claim data --wait 1s", "its snapshot was not ready within 1s: ");
    }

    @Test
    void aVolumeThatIsNotMadeFailsWithTheProvisionersWords() {
        cluster.driver().failsToProvision("pool is full");
        fails(
                "--claim data --wait 1s",
                "its snapshot was ready, but there was no volume within 1s");
    }

    @Test
    void aPodThatDoesNotStartFails() {
        cluster.pods().become(start -> new SimulatedPods.NeverStarts("ErrImagePull", "no such"));
        fails("--claim data --wait 1s", "the pod did not start within 1s: ErrImagePull");
    }

    @Test
    void aPodThatEndsWithoutTheCheckFails() {
        cluster.pods().become(start -> new SimulatedPods.Exits(0, ""));
        fails("--claim data", "the check did not run to its end in it");
    }

    @Test
    void aClaimThatIsNotThereIsToldAndNothingIsMade() {
        Cli.Answer answer = run("--deep --claim dta");
        assertThat(answer.out())
                .anyMatch(
                        line ->
                                line.equals(
                                        "ERROR deep look at claim apps/dta: there is no such claim -> give --claim the name of one"));
        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        nothingIsLeft();
    }

    @Test
    void aMissingRightIsNamedWithTheComponentAndWhatWasMadeIsRemoved() {
        cluster.admin()
                .genericKubernetesResources("rbac.authorization.k8s.io/v1", "RoleBinding")
                .inNamespace(NAMESPACE)
                .withName("volume-snapshotter-drill")
                .delete();
        cluster.access()
                .grant(NAMESPACE, "persistentvolumeclaims", "get", "list", "create", "delete");
        fails("--claim data", "-> grant it, as in k8s/components/drill");
    }

    @Test
    void whatACrashLeftIsRemovedOnceItsTimeIsOver() {
        cluster.snapshot(
                NAMESPACE,
                "data-preflight-old",
                "data",
                Map.of("volume-snapshotter/trial", "preflight"),
                Instant.now());
        cluster.admin()
                .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                .inNamespace(NAMESPACE)
                .withName("data-preflight-old")
                .edit(
                        object -> {
                            object.getMetadata()
                                    .setAnnotations(
                                            Map.of(
                                                    "volume-snapshotter/trial-until",
                                                    Instant.now().minusSeconds(1).toString()));
                            return object;
                        });
        Cli.Answer answer = run("--deep --claim data");
        assertThat(answer.err())
                .anyMatch(
                        line ->
                                line.equals(
                                        "VolumeSnapshot apps/data-preflight-old was left over, and is removed"));
        nothingIsLeft();
    }

    @Test
    void anInterruptRemovesWhatWasMade() {
        cluster.pods().become(start -> new SimulatedPods.Runs());
        Interrupts interrupts = Interrupts.of(() -> {});
        Cli cli = Cli.of(cluster).with("claims", "data").interrupts(interrupts);
        CompletableFuture<Cli.Answer> running = new CompletableFuture<>();
        new Thread(() -> running.complete(cli.run("preflight", "--deep"))).start();
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
    void withoutDeepNothingIsMadeAndItsOptionsAreRefused() {
        assertThat(run("").code()).isZero();
        assertThat(
                        cluster.log()
                                .entries(
                                        e ->
                                                e.verb().equals("create")
                                                        && e.resource().startsWith("volumesnap")))
                .isEmpty();
        assertThat(run("--claim data").err())
                .containsExactly("error: --claim is for --deep -> give --deep, or leave it out");
    }

    @Test
    void anAnswerThatIsCutLeavesNothing() {
        cluster.faults().cut(Boundary.CARRIED_OUT, request -> request.is("create", "pods"), 1);
        Cli.Answer answer = run("--deep --claim data");
        assertThat(answer.code()).isEqualTo(ExitCode.AGAIN);
        nothingIsLeft();
    }
}
