package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.testing.Authority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is exchanged while the program runs counts from then on, without a restart. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RotationTest {

    private AccessLab lab;
    private Path own;
    private KubernetesClient client;

    @BeforeAll
    void open(@TempDir Path directory) throws Exception {
        lab = new AccessLab(directory);
        lab.clientCertificate("first", "RSA");
        lab.clientCertificate("second", "EC");
        own = Files.createDirectories(directory.resolve("own"));
    }

    @AfterEach
    void disconnect() {
        lab.server().accepts(any -> true);
        client.close();
    }

    @AfterAll
    void close() {
        lab.close();
    }

    @Test
    void aClientCertificate() throws Exception {
        take("first");
        connect(lab.cluster(), "client-certificate: own/tls.crt\nclient-key: own/tls.key");
        assertThat(ask().certificate()).isEqualTo("CN=first");
        take("second");
        assertThat(ask().certificate()).isEqualTo("CN=second");
    }

    @Test
    void aClientCertificateInTheMiddleOfItsExchangeIsTheOneBefore() throws Exception {
        take("first");
        connect(lab.cluster(), "client-certificate: own/tls.crt\nclient-key: own/tls.key");
        copy("second", "tls.crt");
        assertThat(ask().certificate()).isEqualTo("CN=first");
        Files.delete(own.resolve("tls.key"));
        assertThat(ask().certificate()).isEqualTo("CN=first");
        copy("second", "tls.key");
        assertThat(ask().certificate()).isEqualTo("CN=second");
    }

    @Test
    void theAuthority() throws Exception {
        Authority next = new Authority(lab.directory);
        next.sign("server", "CN=server", "serverAuth");
        Path certificate = Files.createDirectories(lab.directory.resolve("next-server"));
        next.write("server", certificate);
        copy("server", "ca.crt");
        connect(
                "server: %s\ncertificate-authority: own/ca.crt".formatted(lab.server().url()),
                "token: secret");
        ask();
        lab.server().restart(certificate);
        assertThatThrownBy(client::getKubernetesVersion)
                .isInstanceOf(KubernetesClientException.class);
        copy("next-server", "ca.crt");
        assertThat(ask().authorization()).isEqualTo("Bearer secret");
        lab.server().restart(lab.directory.resolve("server"));
    }

    @Test
    void aTokensFile() throws Exception {
        Path token = Files.writeString(lab.directory.resolve("token"), "t-1");
        connect(lab.cluster(), "tokenFile: token");
        assertThat(ask().authorization()).isEqualTo("Bearer t-1");
        Files.writeString(token, "t-2\n");
        assertThat(ask().authorization()).isEqualTo("Bearer t-2");
        Files.writeString(token, "");
        assertThat(ask().authorization()).isEqualTo("Bearer t-2");
        Files.delete(token);
        assertThat(ask().authorization()).isEqualTo("Bearer t-2");
    }

    @Test
    void aTokenThatStandsInTheKubeconfigOnceItIsRefused() throws Exception {
        connect(lab.cluster(), "token: t-1");
        assertThat(ask().authorization()).isEqualTo("Bearer t-1");
        lab.kubeconfig(lab.cluster(), "token: t-2\nas: jane");
        assertThat(ask().authorization()).isEqualTo("Bearer t-1");
        lab.server().accepts(seen -> seen.authorization().equals("Bearer t-2"));
        assertThat(ask().authorization()).isEqualTo("Bearer t-2");
        assertThat(ask().impersonation()).containsKey("impersonate-user");
    }

    @Test
    void aKubeconfigThatIsOfAnotherServerByThenIsNotTaken() throws Exception {
        connect(lab.cluster(), "token: t-1");
        lab.kubeconfig(
                lab.cluster().replace(lab.server().url(), "https://127.0.0.1:1"), "token: t-2");
        lab.server().accepts(seen -> seen.authorization().equals("Bearer t-2"));
        isUnauthorized();
        assertThat(lab.server().takeSeen()).hasSize(1);
    }

    @Test
    void aKubeconfigThatIsBrokenByThenIsNotTaken() throws Exception {
        Map<String, String> environment = connect(lab.cluster(), "token: t-1");
        Files.writeString(Path.of(environment.get("KUBECONFIG")), "users: [");
        lab.server().accepts(seen -> false);
        isUnauthorized();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aPluginsTokenOnceItIsRefused() throws Exception {
        plugin("t-1");
        connect(
                lab.cluster(),
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./given,"
                        + " interactiveMode: Never}");
        assertThat(ask().authorization()).isEqualTo("Bearer t-1");
        plugin("t-2");
        lab.server().accepts(seen -> seen.authorization().equals("Bearer t-2"));
        assertThat(ask().authorization()).isEqualTo("Bearer t-2");
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void nothingIsSentWithoutACredentialThatIsNotThereAnyMore() throws Exception {
        Path token = lab.directory.resolve("expiring");
        lab.script("given", "cat " + token + "\n");
        Files.writeString(token, answer("t-1", Instant.now().plusSeconds(5).toString()));
        connect(
                lab.cluster(),
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./given,"
                        + " interactiveMode: Never}");
        Files.delete(token);
        await().atMost(Duration.ofMinutes(1))
                .untilAsserted(
                        () ->
                                assertThatThrownBy(client::getKubernetesVersion)
                                        .isInstanceOf(NoCredentialException.class)
                                        .hasMessageContaining("it ended with exit code 1"));
        assertThat(lab.server().takeSeen())
                .allMatch(seen -> seen.authorization().equals("Bearer t-1"));
        assertThatThrownBy(client::getKubernetesVersion).isInstanceOf(NoCredentialException.class);
        assertThat(lab.server().takeSeen()).isEmpty();
    }

    private Map<String, String> connect(String cluster, String user) throws IOException {
        Map<String, String> environment = lab.kubeconfig(cluster, user);
        client = AccessLab.connect(Cluster.find(environment));
        return environment;
    }

    private KubeServer.Seen ask() {
        lab.server().takeSeen();
        client.getKubernetesVersion();
        return new AccessLab.Outcome(lab.server().takeSeen(), "").last();
    }

    private void isUnauthorized() {
        lab.server().takeSeen();
        assertThatThrownBy(client::getKubernetesVersion)
                .isInstanceOfSatisfying(
                        KubernetesClientException.class,
                        e -> assertThat(e.getCode()).isEqualTo(401));
    }

    private void plugin(String token) throws IOException {
        lab.script("given", "cat <<END\n" + answer(token, "2099-01-01T00:00:00Z") + "\nEND\n");
    }

    private static String answer(String token, String expiry) {
        return """
        {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
         "status": {"token": "%s", "expirationTimestamp": "%s"}}"""
                .formatted(token, expiry);
    }

    private void take(String name) throws IOException {
        copy(name, "tls.crt");
        copy(name, "tls.key");
    }

    private void copy(String name, String file) throws IOException {
        Files.write(
                own.resolve(file), Files.readAllBytes(lab.directory.resolve(name).resolve(file)));
    }
}
