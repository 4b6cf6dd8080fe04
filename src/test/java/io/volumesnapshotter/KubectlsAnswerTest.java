package io.volumesnapshotter;

import static io.volumesnapshotter.simulation.AccessRules.EVERYWHERE;
import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.kubernetes.Kubectl;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Authority;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.TlsFront;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What kubectl may not do by a kubeconfig, preflight and the runs may not either. */
class KubectlsAnswerTest {

    @ParameterizedTest
    @CsvSource({"'',true", "jane,false"})
    void isThatOfPreflightAndOfTheRuns(String as, boolean may, @TempDir Path directory)
            throws Exception {
        Authority authority = new Authority(directory);
        authority.sign("server", "CN=server", "serverAuth");
        authority.write("server", directory);
        try (SimulatedCluster cluster = SimulatedCluster.start();
                TlsFront front = TlsFront.of(cluster.url(), directory)) {
            cluster.access().grant(EVERYWHERE, "users", "impersonate");
            Path kubeconfig = cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE);
            Files.writeString(
                    kubeconfig,
                    Files.readString(kubeconfig)
                            .replace(
                                    cluster.url(),
                                    front.otherUrl() + "\n    certificate-authority: ca.crt")
                            .replace(
                                    "token: ",
                                    (as.isEmpty() ? "" : "as: " + as + "\n    ") + "token: "));
            Map<String, String> environment = Map.of("KUBECONFIG", kubeconfig.toString());
            // The first handshake takes its time on a machine that is busy.
            try (KubernetesClient patient =
                    Cluster.find(environment).connect(60_000, 60_000, http -> {})) {
                patient.getKubernetesVersion();
            }
            Cli.Answer look =
                    Cli.of(cluster)
                            .variable("KUBECONFIG", kubeconfig.toString())
                            .with("claims", "data")
                            .run("preflight");
            assertThat(look.code()).as(look.toString()).isEqualTo(may ? 0 : 1);
            assertThat(look.out().stream().anyMatch(line -> line.startsWith("ERROR rights: ")))
                    .isEqualTo(!may);
            if (Kubectl.isThere()) {
                Kubectl.Answer answer =
                        Kubectl.ask(
                                environment,
                                directory,
                                "get",
                                "volumesnapshots.snapshot.storage.k8s.io");
                assertThat(answer.isYes()).as(answer.output()).isEqualTo(may);
            }
        }
    }
}
