package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the program's client does on connections that end, by proxies, and by all ways to ask. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConnectionTest {

    private static final String TOKEN = "token: secret";

    private AccessLab lab;

    /** Asks for the version in a process of its own, whose HTTP client has not been used yet. */
    static final class Probe {

        private Probe() {}

        public static void main(String[] args) {
            try (KubernetesClient client = AccessLab.connect(Cluster.find(System.getenv()))) {
                System.out.println(client.getKubernetesVersion().getGitVersion());
            }
        }
    }

    @BeforeAll
    void open(@TempDir Path directory) throws Exception {
        lab = new AccessLab(directory, true);
    }

    @AfterEach
    void acceptAll() {
        lab.server().accepts(any -> true);
        lab.server().farewell(KubeServer.Farewell.NONE);
        lab.server().takeSeen();
    }

    @AfterAll
    void close() {
        lab.close();
    }

    @Test
    void aRefusalAfterWhichTheServerGoesAwayIsARefusal() throws Exception {
        try (KubernetesClient client = connect(TOKEN)) {
            lab.server().farewell(KubeServer.Farewell.GO_AWAY);
            lab.server().accepts(any -> false);
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(client::getKubernetesVersion)
                        .isInstanceOfSatisfying(
                                KubernetesClientException.class,
                                e -> assertThat(e.getCode()).isEqualTo(401));
            }
            lab.server().accepts(any -> true);
            assertThat(client.getKubernetesVersion().getGitVersion()).isEqualTo("v1.36.2");
            assertThat(lab.server().takeSeen())
                    .hasSize(4)
                    .allMatch(seen -> seen.version().equals("http/1.1"));
        }
    }

    @Test
    void afterAConnectionThatWasCutTheNextRequestIsAnswered() throws Exception {
        try (KubernetesClient client = connect(TOKEN)) {
            client.getKubernetesVersion();
            lab.server().farewell(KubeServer.Farewell.CUT);
            assertThatThrownBy(() -> client.raw(lab.server().url() + "/cut", "POST", "{}"))
                    .isInstanceOf(KubernetesClientException.class)
                    .hasRootCauseInstanceOf(IOException.class);
            assertThat(client.getKubernetesVersion().getGitVersion()).isEqualTo("v1.36.2");
        }
    }

    @Test
    void watchesAndTheElectionsRequestsAreMadeAsTheOtherUserToo() throws Exception {
        lab.server().accepts(any -> false);
        try (KubernetesClient client = connect(TOKEN + "\nas: jane\nas-groups: [dev]")) {
            assertThatThrownBy(() -> client.leases().withName("lock").get())
                    .isInstanceOf(KubernetesClientException.class);
            assertThatThrownBy(() -> client.leases().withName("lock").watch(new Ignoring()))
                    .isInstanceOf(KubernetesClientException.class);
        }
        assertThat(lab.server().takeSeen())
                .hasSizeGreaterThanOrEqualTo(2)
                .allMatch(
                        seen ->
                                seen.authorization().equals("Bearer secret")
                                        && seen.impersonation()
                                                .equals(
                                                        Map.of(
                                                                "impersonate-user",
                                                                List.of("jane"),
                                                                "impersonate-group",
                                                                List.of("dev"))));
    }

    @ParameterizedTest
    @CsvSource({
        "jane:s%40cret,Basic amFuZTpzQGNyZXQ=,true",
        "jane:other,Basic amFuZTpzQGNyZXQ=,false",
    })
    void aProxyIsShownThePasswordOfItsAddress(String user, String wanted, boolean right)
            throws Exception {
        try (ConnectProxy proxy = new ConnectProxy(lab.server().port(), wanted)) {
            Map<String, String> environment =
                    new HashMap<>(
                            lab.kubeconfig(
                                    lab.cluster().replace("127.0.0.1", AccessLab.SERVER_NAME),
                                    TOKEN));
            environment.put("https_proxy", "http://" + user + "@" + proxy.address());
            String output = probe(environment);
            assertThat(output.contains("v1.36.2")).as(output).isEqualTo(right);
            assertThat(proxy.asked())
                    .isNotEmpty()
                    .allMatch(
                            asked ->
                                    asked.target()
                                            .equals(
                                                    "CONNECT %s:%d"
                                                            .formatted(
                                                                    AccessLab.SERVER_NAME,
                                                                    lab.server().port())));
            if (right) {
                assertThat(lab.server().takeSeen())
                        .singleElement()
                        .satisfies(
                                seen ->
                                        assertThat(seen.authorization())
                                                .isEqualTo("Bearer secret"));
            }
        }
    }

    @Test
    void aProxyThatIsAwayIsNoMistakeOfTheKubeconfig() throws Exception {
        AccessLab.Outcome outcome =
                lab.program(
                        lab.kubeconfig(lab.cluster() + "\nproxy-url: http://127.0.0.1:1", TOKEN));
        assertThat(outcome.seen()).isEmpty();
        assertThat(outcome.problem()).doesNotContain("is not valid");
    }

    private KubernetesClient connect(String user) throws IOException {
        return AccessLab.connect(Cluster.find(lab.kubeconfig(lab.cluster(), user)));
    }

    private static String probe(Map<String, String> environment) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty(
                                        "surefire.test.class.path",
                                        System.getProperty("java.class.path")),
                                Probe.class.getName())
                        .redirectErrorStream(true)
                        .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    private static final class Ignoring implements Watcher<Lease> {

        @Override
        public void eventReceived(Action action, Lease lease) {
            // None comes.
        }

        @Override
        public void onClose(WatcherException cause) {
            // That is all the same.
        }
    }
}
