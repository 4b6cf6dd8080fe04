package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom Jolokia answers in the packaged program, and what it lets them do. */
class JolokiaIT {

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String USER = basic("ops:s3cret");

    private static final String CONTEXT =
            "org.apache.camel:context=volume-snapshotter,type=context,name=\\\"volume-snapshotter\\\"";
    private static final String ROUTE =
            "org.apache.camel:context=volume-snapshotter,type=routes,name=\\\"run-schedule\\\"";
    private static final String SCHEDULE = "io.volumesnapshotter:type=Schedule,name=hourly";

    @TempDir private static Path directory;

    @AutoClose private static final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private static PackagedProgram program;
    private static int port;

    @BeforeAll
    static void start() throws IOException {
        Path users = Files.writeString(directory.resolve("users.properties"), "user.ops=s3cret\n");
        port = freePort();
        program =
                start(
                        port,
                        Map.of(
                                "CAMEL_MANAGEMENT_JOLOKIA_ENABLED",
                                "true",
                                "CAMEL_MANAGEMENT_BASIC_PROPERTIES_FILE",
                                users.toString()));
    }

    @AfterAll
    static void stop() throws IOException {
        program.close();
    }

    static Stream<String> allowed() {
        return Stream.of(
                "{\"type\":\"version\"}",
                "{\"type\":\"list\",\"path\":\"io.volumesnapshotter\"}",
                "{\"type\":\"search\",\"mbean\":\"org.apache.camel:type=routes,*\"}",
                read(SCHEDULE, "NextFireTimes"),
                read("io.volumesnapshotter:type=Failures", "Open"),
                read(CONTEXT, "State"),
                read(ROUTE, "ExchangesTotal"),
                read("java.lang:type=Memory", "HeapMemoryUsage"),
                read("java.lang:type=Runtime", "Uptime"),
                exec(SCHEDULE, "plan"),
                exec(CONTEXT, "dumpRoutesAsXml()"),
                exec(CONTEXT, "dumpRoutesStatsAsXml", "true", "true"),
                exec(ROUTE, "dumpRouteAsXml()"),
                exec(
                        "org.apache.camel:context=volume-snapshotter,type=services,name=DefaultInflightRepository",
                        "browse()"));
    }

    static Stream<String> denied() {
        return Stream.of(
                read("java.lang:type=Runtime", "SystemProperties"),
                read("java.lang:type=Runtime", "InputArguments"),
                read("java.lang:type=Runtime", "ClassPath"),
                read("com.sun.management:type=HotSpotDiagnostic", "DiagnosticOptions"),
                read("java.util.logging:type=Logging", "LoggerNames"),
                "{\"type\":\"read\",\"mbean\":\"java.lang:type=Runtime\"}",
                "{\"type\":\"write\",\"mbean\":\"%s\",\"attribute\":\"Tracing\",\"value\":true}"
                        .formatted(CONTEXT),
                "{\"type\":\"write\",\"mbean\":\"java.lang:type=Memory\",\"attribute\":\"Verbose\",\"value\":true}",
                exec("java.lang:type=Memory", "gc"),
                exec("java.lang:type=Threading", "dumpAllThreads(boolean,boolean)", "true", "true"),
                exec(
                        "com.sun.management:type=HotSpotDiagnostic",
                        "dumpHeap",
                        "\"/tmp/x.hprof\"",
                        "true"),
                exec("com.sun.management:type=DiagnosticCommand", "vmSystemProperties"),
                exec("com.sun.management:type=DiagnosticCommand", "jvmtiAgentLoad", "[\"x.so\"]"),
                exec(
                        "java.util.logging:type=Logging",
                        "setLoggerLevel",
                        "\"io.volumesnapshotter\"",
                        "\"ALL\""),
                exec("JMImplementation:type=MBeanServerDelegate", "toString"),
                exec(CONTEXT, "stop()"),
                exec(CONTEXT, "suspend()"),
                exec(CONTEXT, "dumpRoutesAsXml(boolean)", "true"),
                exec(CONTEXT, "dumpRoutesAsXml", "true"),
                exec(CONTEXT, "createEndpoint(java.lang.String)", "\"file:/tmp\""),
                exec(CONTEXT, "addOrUpdateRoutesFromXml(java.lang.String)", "\"<routes/>\""),
                exec(
                        CONTEXT,
                        "sendStringBody(java.lang.String,java.lang.String)",
                        "\"direct:run-schedule\"",
                        "\"x\""),
                exec(CONTEXT, "requestBody", "\"direct:run-schedule\"", "\"x\""),
                exec(ROUTE, "stop()"),
                exec(ROUTE, "stop"),
                exec(ROUTE, "start()"),
                exec(ROUTE, "remove()"),
                exec(ROUTE, "reset()"),
                exec(ROUTE, "updateRouteFromXml(java.lang.String)", "\"<route/>\""),
                exec(
                        "quartz:type=QuartzScheduler,name=scheduler-volume-snapshotter,instance=NON_CLUSTERED",
                        "standby"));
    }

    private static String read(String bean, String attribute) {
        return "{\"type\":\"read\",\"mbean\":\"%s\",\"attribute\":\"%s\"}"
                .formatted(bean, attribute);
    }

    private static String exec(String bean, String operation, String... arguments) {
        return "{\"type\":\"exec\",\"mbean\":\"%s\",\"operation\":\"%s\",\"arguments\":[%s]}"
                .formatted(bean, operation, String.join(",", arguments));
    }

    @ParameterizedTest
    @MethodSource("allowed")
    void whatIsAllowedIsAnswered(String request) throws Exception {
        assertThat(answer(request).path("status").asInt()).isEqualTo(200);
    }

    @ParameterizedTest
    @MethodSource("denied")
    void whatIsNotAllowedIsRefused(String request) throws Exception {
        assertThat(answer(request).path("status").asInt()).isEqualTo(403);
    }

    @Test
    void everyRequestOfManyIsJudgedByItself() throws Exception {
        List<String> requests = Stream.concat(denied(), allowed()).toList();
        JsonNode answers = answer("[" + String.join(",", requests) + "]");

        assertThat(answers)
                .extracting(answer -> answer.path("status").asInt() == 403)
                .containsExactlyElementsOf(
                        Stream.concat(denied().map(any -> true), allowed().map(any -> false))
                                .toList());
    }

    @ParameterizedTest
    @CsvSource({
        "/version,200",
        "/read/java.lang:type=Memory/HeapMemoryUsage,200",
        "/read/java.lang:type=Runtime/SystemProperties,403",
        "/exec/java.lang:type=Memory/gc,403",
        "/write/java.lang:type=Memory/Verbose/true,403"
    })
    void requestsInThePathAreJudgedAlike(String path, int status) throws Exception {
        HttpResponse<String> answer = send(port, "/observe/jolokia" + path, "Authorization", USER);

        assertThat(JSON.readTree(answer.body()).path("status").asInt()).isEqualTo(status);
    }

    @Test
    void whatIsRefusedIsLeftOutWhenAllIsAskedFor() throws Exception {
        JsonNode all =
                answer("{\"type\":\"read\",\"mbean\":\"*:*\",\"config\":{\"ignoreErrors\":true}}");

        assertThat(all.path("value").path("io.volumesnapshotter:type=Failures").has("Open"))
                .isTrue();
        assertThat(all.toString()).doesNotContain("java.class.path", "-Dcamel", "s3cret");
    }

    @Test
    void ourOperationsWork() throws Exception {
        assertThat(answer(exec(SCHEDULE, "runNow")).path("value").asText()).contains("starts");

        await().until(() -> !cluster.snapshots(NAMESPACE, "data").isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/observe/jolokia",
                "/observe/jolokia/",
                "/observe/jolokia/version",
                "/observe//jolokia/version",
                "//observe/jolokia/version",
                "/observe/%6aolokia/version",
                "/observe/./jolokia/version",
                "/observe/health/../jolokia/version"
            })
    void withoutAPasswordNobodyIsAnswered(String path) throws Exception {
        assertThat(send(port, path).statusCode()).isEqualTo(401);
    }

    @Test
    void aWrongPasswordIsNone() throws Exception {
        assertThat(
                        send(port, "/observe/jolokia/version", "Authorization", basic("ops:wrong"))
                                .statusCode())
                .isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://example.com", "http://localhost.example.com", "null"})
    void pagesOfOthersAreNotAnswered(String origin) throws Exception {
        for (String header : List.of("Origin", "Referer")) {
            assertThat(
                            send(
                                            port,
                                            "/observe/jolokia/version",
                                            "Authorization",
                                            USER,
                                            header,
                                            origin)
                                    .statusCode())
                    .isEqualTo(500);
        }
    }

    @Test
    void probesNeedNoPassword() throws Exception {
        assertThat(send(port, "/observe/health/live").statusCode()).isEqualTo(200);
    }

    @Test
    void switchedOffNothingAnswersEvenWithThePassword() throws Exception {
        int other = freePort();
        Path users = directory.resolve("users.properties");
        try (PackagedProgram off =
                start(other, Map.of("CAMEL_MANAGEMENT_BASIC_PROPERTIES_FILE", users.toString()))) {
            assertThat(send(other, "/observe/jolokia/version", "Authorization", USER).statusCode())
                    .isEqualTo(404);
            assertThat(send(other, "/observe/jolokia/version").statusCode()).isEqualTo(401);
            off.kill();
        }
    }

    @Test
    void switchedOnByItsSettingAloneItAnswersNobody() throws Exception {
        int other = freePort();
        try (PackagedProgram open =
                start(other, Map.of("CAMEL_MANAGEMENT_JOLOKIA_ENABLED", "true"))) {
            assertThat(send(other, "/observe/jolokia/version").statusCode()).isEqualTo(401);
            assertThat(send(other, "/observe/jolokia/version", "Authorization", USER).statusCode())
                    .isEqualTo(401);
            open.kill();
        }
    }

    private static PackagedProgram start(int port, Map<String, String> settings)
            throws IOException {
        Path own = Files.createTempDirectory(directory, "program");
        Map<String, String> environment = new HashMap<>(settings);
        environment.put(
                "KUBECONFIG", cluster.kubeconfig(own.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("SNAPSHOTTER_CLAIMS", "data");
        environment.put("SNAPSHOTTER_SCHEDULE", "0 0 0 1 1 ? 2099");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.put("CAMEL_MANAGEMENT_ENABLED", "true");
        environment.put("CAMEL_MANAGEMENT_HOST", "127.0.0.1");
        environment.put("JAVA_OPTS", PackagedProgram.JVM + "-Dcamel.management.port=" + port);
        PackagedProgram started = PackagedProgram.start(own, environment);
        started.awaitLine("can be listed");
        await().ignoreExceptions()
                .until(() -> send(port, "/observe/health/ready").statusCode() == 200);
        return started;
    }

    private static JsonNode answer(String request) throws IOException, InterruptedException {
        return JSON.readTree(
                HTTP.send(
                                HttpRequest.newBuilder(
                                                URI.create(
                                                        "http://127.0.0.1:"
                                                                + port
                                                                + "/observe/jolokia/"))
                                        .header("Authorization", USER)
                                        .header("Content-Type", "application/json")
                                        .POST(HttpRequest.BodyPublishers.ofString(request))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString())
                        .body());
    }

    private static HttpResponse<String> send(int port, String path, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String basic(String credentials) {
        return "Basic "
                + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
