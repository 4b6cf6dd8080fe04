package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.command.ExitCode;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Authority;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom Jolokia over TLS answers in the packaged program, asked as Hawtio Online's gateway asks. */
class HawtioOnlineIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String GATEWAY = "CN=hawtio-online.hawtio.svc";
    private static final String VERSION = "{\"type\":\"version\"}";
    private static final String RUN_NOW =
            "{\"type\":\"exec\",\"mbean\":\"io.volumesnapshotter:type=Schedule,name=hourly\",\"operation\":\"runNow()\"}";

    @TempDir private static Path directory;

    @AutoClose private static final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private static Authority authority;
    private static Authority foreign;
    private static HttpClient gateway;
    private static PackagedProgram program;
    private static Map<String, String> settings;
    private static int port;

    @BeforeAll
    static void start() throws Exception {
        authority = new Authority(directory);
        authority.sign("server", "CN=volume-snapshotter", "serverAuth");
        authority.sign("gateway", GATEWAY + ",O=hawtio", "serverAuth,clientAuth");
        authority.sign("other", "CN=hawtio-online.other.svc", "clientAuth");
        authority.sign("longer", GATEWAY + ".example.com", "clientAuth");
        authority.sign("site", GATEWAY, "serverAuth");
        foreign = new Authority(directory);
        foreign.sign("server", "CN=volume-snapshotter", "serverAuth");
        foreign.sign("gateway", GATEWAY, "clientAuth");
        Path secret = Files.createDirectory(directory.resolve("secret"));
        authority.write("server", secret);
        gateway = client(authority.client("gateway", authority));
        port = freePort();
        settings =
                Map.of(
                        "SNAPSHOTTER_JOLOKIA_TLS",
                        secret.toString(),
                        "SNAPSHOTTER_JOLOKIA_TLS_CLIENT",
                        GATEWAY,
                        "SNAPSHOTTER_JOLOKIA_TLS_LISTEN",
                        String.valueOf(port));
        program = start(settings);
        await().ignoreExceptions().until(() -> ask(gateway, VERSION) == 200);
    }

    @AfterAll
    static void stop() throws IOException {
        program.close();
    }

    @ParameterizedTest
    @MethodSource("io.volumesnapshotter.observe.JolokiaIT#allowed")
    void whatIsAllowedWithAPasswordIsAnswered(String request) throws Exception {
        assertThat(ask(gateway, request)).isEqualTo(200);
    }

    @ParameterizedTest
    @MethodSource("io.volumesnapshotter.observe.JolokiaIT#denied")
    void whatIsRefusedWithAPasswordIsRefused(String request) throws Exception {
        assertThat(ask(gateway, request)).isEqualTo(403);
    }

    @Test
    void theGatewaysProbeIsAnswered() throws Exception {
        HttpResponse<String> answer =
                gateway.send(
                        fromAPage(port, "/jolokia/version").GET().build(),
                        HttpResponse.BodyHandlers.ofString());

        assertThat(JSON.readTree(answer.body()).at("/value/agent").asText()).isNotEmpty();
    }

    @Test
    void ourOperationsWork() throws Exception {
        assertThat(answer(gateway, port, RUN_NOW).path("value").asText()).contains("starts");

        await().until(() -> !cluster.snapshots(NAMESPACE, "data").isEmpty());
    }

    @Test
    void withoutACertificateNobodyIsAnswered() throws Exception {
        assertRefusedByTls(authority.anonymous());
    }

    @Test
    void aCertificateOfAnotherAuthorityIsNone() throws Exception {
        assertRefusedByTls(foreign.client("gateway", authority));
    }

    @Test
    void aCertificateThatIsNotForClientsIsNone() throws Exception {
        assertRefusedByTls(authority.client("site", authority));
    }

    @ParameterizedTest
    @ValueSource(strings = {"other", "longer"})
    void anotherClientOfTheSameAuthorityIsRefusedOnEveryPath(String name) throws Exception {
        HttpClient client = client(authority.client(name, authority));
        for (String path : new String[] {"/", "/jolokia", "/jolokia/", "/jolokia/config"}) {
            HttpResponse<String> answer =
                    client.send(
                            fromAPage(port, path)
                                    .POST(HttpRequest.BodyPublishers.ofString(VERSION))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).describedAs(path).isEqualTo(403);
            assertThat(answer.body())
                    .contains("CN=hawtio-online.", "snapshotter.jolokia-tls-client");
        }
        assertThat(program.lines()).noneMatch(line -> line.contains(" ERROR "));
    }

    @Test
    void plainHttpIsNotAnswered() {
        HttpRequest plain =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/jolokia/version"))
                        .build();

        assertThatThrownBy(() -> gateway.send(plain, HttpResponse.BodyHandlers.ofString()))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(ConnectException.class);
    }

    @Test
    void whatNobodyAsksForIsNotThere() throws Exception {
        assertThat(
                        gateway.send(
                                        fromAPage(port, "/observe/health/live").GET().build(),
                                        HttpResponse.BodyHandlers.ofString())
                                .statusCode())
                .isEqualTo(404);
    }

    @Test
    void preflightInTheSamePodDoesNotWantThePort() throws Exception {
        try (PackagedProgram preflight = start(settings, "preflight")) {
            assertThat(preflight.awaitExit()).isZero();
            assertThat(preflight.lines()).isNotEmpty().allMatch(line -> line.startsWith("INFO "));
        }
    }

    @Test
    void withoutCertificatesItIsToldAndSnapshotsAreTaken() throws Exception {
        Map<String, String> without = new HashMap<>(settings);
        without.put("SNAPSHOTTER_JOLOKIA_TLS", directory.resolve("nothing").toString());
        without.put("SNAPSHOTTER_JOLOKIA_TLS_LISTEN", "0");
        without.put("SNAPSHOTTER_SCHEDULE", "* * * * * ?");
        try (PackagedProgram started = start(without)) {
            started.awaitLine("Jolokia does not listen on port 0");
            started.awaitLine("succeeded");
            started.terminate();
        }
    }

    @Test
    void renewedCertificatesAreTakenWithoutARestart() throws Exception {
        Path renewed = Files.createDirectory(directory.resolve("renewed"));
        authority.write("server", renewed);
        int other = freePort();
        Map<String, String> changed = new HashMap<>(settings);
        changed.put("SNAPSHOTTER_JOLOKIA_TLS", renewed.toString());
        changed.put("SNAPSHOTTER_JOLOKIA_TLS_LISTEN", String.valueOf(other));
        HttpClient next = client(foreign.client("gateway", foreign));
        HttpClient former = client(authority.client("gateway", foreign));
        try (PackagedProgram started = start(changed)) {
            await().ignoreExceptions().until(() -> ask(gateway, other, VERSION) == 200);
            foreign.write("server", renewed);
            await().ignoreExceptions().until(() -> ask(next, other, VERSION) == 200);
            assertThatThrownBy(() -> ask(former, other, VERSION)).isInstanceOf(SSLException.class);
            started.terminate();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "hawtio-online.hawtio.svc"})
    void aClientThatIsNoSubjectIsAWrongSetting(String client) throws Exception {
        Map<String, String> wrong = new HashMap<>(settings);
        wrong.put("SNAPSHOTTER_JOLOKIA_TLS_CLIENT", client);
        try (PackagedProgram started = start(wrong)) {
            assertThat(started.awaitExit()).isEqualTo(ExitCode.CONFIG);
            assertThat(started.lines())
                    .anyMatch(line -> line.contains("snapshotter.jolokia-tls-client: "));
        }
    }

    private static void assertRefusedByTls(SSLContext context) {
        HttpClient client = client(context);
        assertThatThrownBy(() -> ask(client, VERSION)).isInstanceOf(SSLException.class);
    }

    private static PackagedProgram start(Map<String, String> settings, String... arguments)
            throws IOException {
        Path own = Files.createTempDirectory(directory, "program");
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG", cluster.kubeconfig(own.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("SNAPSHOTTER_CLAIMS", "data");
        environment.put("SNAPSHOTTER_SCHEDULE", "0 0 0 1 1 ? 2099");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.putAll(settings);
        return PackagedProgram.start(own, environment, arguments);
    }

    private static int ask(HttpClient client, String request)
            throws IOException, InterruptedException {
        return ask(client, port, request);
    }

    private static int ask(HttpClient client, int at, String request)
            throws IOException, InterruptedException {
        return answer(client, at, request).path("status").asInt();
    }

    private static JsonNode answer(HttpClient client, int at, String request)
            throws IOException, InterruptedException {
        return JSON.readTree(
                client.send(
                                fromAPage(at, "/jolokia/")
                                        .POST(HttpRequest.BodyPublishers.ofString(request))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString())
                        .body());
    }

    /** With what the gateway sends on from the browser of its user. */
    private static HttpRequest.Builder fromAPage(int at, String path) {
        return HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + at + path))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer token-of-a-user")
                .header("Origin", "https://hawtio.example.com")
                .header("Referer", "https://hawtio.example.com/online/");
    }

    private static HttpClient client(SSLContext context) {
        return HttpClient.newBuilder().sslContext(context).build();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
