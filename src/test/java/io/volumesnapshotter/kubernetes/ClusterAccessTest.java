package io.volumesnapshotter.kubernetes;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the routes rely on: each request of theirs is one on the wire. And what is told of a
 * kubeconfig with a mistake, which parsers quote from.
 */
class ClusterAccessTest {

    private static final Predicate<ApiRequest> CREATE =
            request -> request.is("create", "volumesnapshots");

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();
    private KubernetesClient client;
    private KubernetesClient election;

    @BeforeEach
    void connect() {
        Config found =
                new ConfigBuilder(cluster.config(NAMESPACE))
                        .withRequestRetryBackoffLimit(Config.DEFAULT_REQUEST_RETRY_BACKOFFLIMIT)
                        .build();
        election = ClusterAccess.connect(found, Duration.ofSeconds(10));
        client =
                ClusterAccess.connect(
                        found, new ApiServerMonitor(found.getMasterUrl(), InstantSource.system()));
    }

    @AfterEach
    void close() {
        client.close();
        election.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 409, 410, 429, 500, 502, 503, 504})
    void sendsARequestOnceWhateverTheAnswer(int code) {
        cluster.faults()
                .answer(CREATE, Faults.ALWAYS, ApiAnswer.status(code, "Refused", "refused"));
        createsInVain(client);
    }

    @ParameterizedTest
    @EnumSource(
            value = Faults.Boundary.class,
            names = {"ARRIVED", "CARRIED_OUT"})
    void sendsARequestOnceWhoseConnectionIsCut(Faults.Boundary boundary) {
        cluster.faults().cut(boundary, CREATE, Faults.ALWAYS);
        createsInVain(client);
    }

    @Test
    void sendsARequestOnceWhoseAnswerIsCut() {
        cluster.faults().cutInsideAnswer(CREATE, Faults.ALWAYS);
        createsInVain(client);
    }

    @ParameterizedTest
    @ValueSource(ints = {409, 429, 500, 503})
    void theElectionOfALeaderSendsARequestOnceToo(int code) {
        cluster.faults()
                .answer(CREATE, Faults.ALWAYS, ApiAnswer.status(code, "Refused", "refused"));
        createsInVain(election);
    }

    static Stream<UnaryOperator<String>> mistakes() {
        return Stream.of(
                text -> text.replace("token: ", "token: \""),
                text -> text.replace("token: ", "token: {"),
                text -> text.replace("token: ", "token: ["),
                text -> text.replace("    token: ", "  token: "),
                text -> text.replace("token: ", ""),
                text -> text.replace("token: ", "client-key-data: "),
                text ->
                        text.replaceFirst(
                                "( +)token: (.*)",
                                "$1client-key-data: $2\n$1client-certificate-data: $2"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void nothingIsToldOutOfAKubeconfigWithAMistake(
            UnaryOperator<String> mistake, @TempDir Path directory) throws IOException {
        Path kubeconfig = cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE);
        Files.writeString(kubeconfig, mistake.apply(Files.readString(kubeconfig)));
        assertThat(catchThrowable(() -> Cluster.find(Map.of("KUBECONFIG", kubeconfig.toString()))))
                .satisfiesAnyOf(
                        none -> assertThat(none).isNull(),
                        failure ->
                                assertThat(failure)
                                        .isInstanceOf(InvalidSettingException.class)
                                        .hasMessageNotContaining(cluster.token()));
    }

    private void createsInVain(KubernetesClient client) {
        GenericKubernetesResource snapshot = new GenericKubernetesResource();
        snapshot.setApiVersion("snapshot.storage.k8s.io/v1");
        snapshot.setKind("VolumeSnapshot");
        snapshot.setMetadata(
                new ObjectMetaBuilder().withName("data-1").withNamespace(NAMESPACE).build());
        snapshot.setAdditionalProperty(
                "spec", Map.of("source", Map.of("persistentVolumeClaimName", "data")));
        assertThatThrownBy(() -> client.resource(snapshot).create())
                .isInstanceOf(KubernetesClientException.class);
        assertThat(cluster.log().count("create", "volumesnapshots")).isEqualTo(1);
    }
}
