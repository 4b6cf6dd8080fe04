package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedPods;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command that lets one look into a snapshot. */
class BrowseCommandTest {

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    private final java.util.List<SimulatedPods.Start> started =
            new java.util.concurrent.CopyOnWriteArrayList<>();

    @BeforeEach
    void takeASnapshot() {
        SimulatedSnapshot seven =
                cluster.snapshot(
                        NAMESPACE,
                        "seven",
                        "data",
                        Map.of(),
                        Instant.parse("2026-11-22T07:00:00Z"));
        cluster.storage().fill(seven, "as of seven");
        cluster.access()
                .grant(NAMESPACE, "persistentvolumeclaims", "get", "list", "create", "delete")
                .grant(NAMESPACE, "pods", "get", "list", "create", "delete")
                .grant("*", "storageclasses.storage.k8s.io", "get")
                .grant("*", "volumesnapshotclasses.snapshot.storage.k8s.io", "get");
        cluster.pods()
                .become(
                        start -> {
                            started.add(start);
                            return new SimulatedPods.Runs();
                        });
    }

    private Cli.Answer run(String arguments) {
        return Cli.of(cluster).run(("browse " + arguments).split(" "));
    }

    private void nothingIsLeft() {
        assertThat(cluster.admin().pods().inNamespace(NAMESPACE).list().getItems()).isEmpty();
        assertThat(
                        cluster.admin()
                                .persistentVolumeClaims()
                                .inNamespace(NAMESPACE)
                                .list()
                                .getItems())
                .hasSize(1);
        await().until(() -> cluster.storage().volumes().size() == 1);
    }

    @Test
    void theSnapshotIsMountedReadOnlyAndTheLinesForKubectlAreWritten() {
        Cli.Answer answer = run("seven --for 1s");

        assertThat(answer.code()).as(answer.err().toString()).isZero();
        String pod = started.get(0).name();
        assertThat(answer.out())
                .containsExactly(
                        "seven, cut at 2026-11-22T07:00:00Z, is mounted at /data in pod "
                                + pod
                                + ":",
                        "  kubectl exec -it -n apps " + pod + " -- sh",
                        "  kubectl cp -n apps " + pod + ":/data/PATH PATH");
        assertThat(started.get(0).content()).isEqualTo("as of seven");
        assertThat(started.get(0).spec().at("/containers/0/volumeMounts/0/readOnly").asBoolean())
                .isTrue();
        nothingIsLeft();
    }

    @Test
    void ctrlCClosesIt() {
        Interrupts interrupts = Interrupts.of(() -> {});
        Cli cli = Cli.of(cluster).interrupts(interrupts);
        CompletableFuture<Cli.Answer> running = new CompletableFuture<>();
        new Thread(() -> running.complete(cli.run("browse", "seven"))).start();
        await().until(() -> cli.outLines().size() == 3);

        interrupts.interrupt();

        assertThat(running.join().code()).isEqualTo(ExitCode.INTERRUPTED);
        nothingIsLeft();
    }

    @Test
    void aPodThatDoesNotStartIsToldAndNothingIsLeft() {
        cluster.pods()
                .become(start -> new SimulatedPods.NeverStarts("ErrImagePull", "no such image"));

        Cli.Answer answer = run("seven --wait 1s --image none");

        assertThat(answer.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.err())
                .containsExactly(
                        "error: the pod did not start within 1s: ErrImagePull: no such image -> look"
                                + " at the image, and at the storage class; nothing is left");
        nothingIsLeft();
    }

    @Test
    void theResultIsADocumentForMachines() {
        JsonNode document = OutputSchema.json(run("seven --for 1s -o json"));

        assertThat(document.path("pod").asText()).isEqualTo(started.get(0).name());
        assertThat(document.path("path").asText()).isEqualTo("/data");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    none            | 1 | there is no snapshot none in namespace apps -> a claim is filled only from a snapshot in its own namespace: look with kubectl get volumesnapshots -n apps
                    seven --user 0  | 2 | --user 0: the pod may not run as root -> give a uid above 0
                    seven --for x   | 2 | --for: "x" is not valid: give a duration above 0 with its unit, such as 500ms, 90s, 15m, 1h30m
                    """)
    void whatCannotBeDoneIsToldInOneLine(String arguments, int code, String error) {
        Cli.Answer answer = run(arguments);

        assertThat(answer.err()).containsExactly("error: " + error);
        assertThat(answer.code()).isEqualTo(code);
        nothingIsLeft();
    }
}
