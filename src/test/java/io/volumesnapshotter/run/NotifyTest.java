package io.volumesnapshotter.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.GreenMailUtil;
import com.icegreen.greenmail.util.ServerSetup;
import com.sun.net.httpserver.HttpServer;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import jakarta.mail.internet.MimeMessage;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.apache.camel.Exchange;
import org.apache.camel.processor.aggregate.AggregateProcessor;
import org.apache.camel.support.service.ServiceHelper;
import org.apache.camel.util.json.JsonObject;
import org.apache.camel.util.json.Jsoner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of notify routes, each with a receiver of its kind. */
class NotifyTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");
    private static final String FAILURE = "rpc error: code = Unimplemented desc = \"no\" snapshots";

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");
    private HttpServer receiver;
    private final List<String> received = new CopyOnWriteArrayList<>();
    private volatile int answer = 200;

    @BeforeEach
    void startReceiver() throws Exception {
        cluster.driver().fails(FAILURE);
        receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.setExecutor(Executors.newCachedThreadPool());
        receiver.createContext(
                "/",
                exchange -> {
                    received.add(
                            new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8));
                    exchange.sendResponseHeaders(answer, -1);
                    exchange.close();
                });
        receiver.start();
    }

    @AfterEach
    void stopReceiver() {
        receiver.stop(0);
    }

    @Test
    void theWebhookGetsEachFailureAndRecoveryAsJson() throws Exception {
        try (Program program = start("webhook", "db", Map.of("notify.url", url()))) {
            program.fire(TEN);
            cluster.driver().heal();
            program.fire(ELEVEN);
            await().until(() -> received.size() == 2);
        }
        JsonObject failure = (JsonObject) Jsoner.deserialize(received.get(0));
        assertThat(failure)
                .containsEntry("schedule", "hourly")
                .containsEntry("claim", "db")
                .containsEntry("reason", FAILURE)
                .containsEntry("recovered", false);
        JsonObject recovery = (JsonObject) Jsoner.deserialize(received.get(1));
        assertThat(recovery).containsEntry("claim", "db").containsEntry("recovered", true);
    }

    @Test
    void slackGetsOneMessageForFailuresThatComeTogether() throws Exception {
        Map<String, String> settings = Map.of("notify.url", url(), "notify.collect", "1000");
        try (Program program = start("slack", "data,db", settings)) {
            program.fire(TEN);
            await().until(() -> !received.isEmpty());
        }
        assertThat(received).hasSize(1);
        JsonObject message = (JsonObject) Jsoner.deserialize(received.get(0));
        assertThat(message.getString("text")).contains("apps/data", "apps/db", FAILURE);
    }

    @Test
    void whatIsCollectedWhenTheRouteIsEditedIsSentAllTheSame() throws Exception {
        Map<String, String> settings =
                Map.of(
                        "notify.url", url(),
                        "notify.collect", "3600000",
                        "snapshotter.routes-poll-interval", "50ms");
        try (Program program = start("slack", "data,db", settings)) {
            program.fire(TEN);
            await().until(() -> collected(program) == 2);
            Path notify = directory.resolve("notify" + RouteFiles.SUFFIX);
            Files.writeString(
                    notify, Files.readString(notify).replace("description: ", "description: Oh, "));
            await().until(() -> !received.isEmpty());
            await().until(() -> ((ReloadableContext) program.context()).retired() == 0);
        }
        assertThat(received)
                .singleElement()
                .satisfies(text -> assertThat(text).contains("apps/data", "apps/db"));
    }

    private static long collected(Program program) {
        return program.context().getRoute("notify").getServices().stream()
                .flatMap(service -> ServiceHelper.getChildServices(service).stream())
                .filter(AggregateProcessor.class::isInstance)
                .distinct()
                .map(any -> ((AggregateProcessor) any).getAggregationRepository())
                .map(any -> any.get(program.context(), "true"))
                .filter(Objects::nonNull)
                .mapToLong(any -> any.getProperty(Exchange.AGGREGATED_SIZE, Long.class))
                .sum();
    }

    @Test
    void aWebhookThatIsDownIsToldWithoutItsSecretAndNotTriedForEver() throws Exception {
        answer = 500;
        for (String example : List.of("webhook", "slack")) {
            received.clear();
            Map<String, String> settings = Map.of("notify.url", url(), "notify.collect", "100");
            try (Program program = start(example, "db", settings)) {
                program.fire(TEN);
                await().until(
                                () ->
                                        program.told(Level.WARN).stream()
                                                .anyMatch(line -> line.contains("notification")));
                assertThat(program.told(Level.WARN))
                        .filteredOn(line -> line.contains("notification"))
                        .singleElement()
                        .asString()
                        .contains("statusCode: 500", "http://127.0.0.1")
                        .doesNotContain("s3cret");
                assertThat(program.told(Level.ERROR)).hasSize(2);
            }
            assertThat(received).hasSize(4);
        }
    }

    @Test
    void mailBringsEachFailure() throws Exception {
        GreenMail mail = new GreenMail(new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_SMTP));
        mail.setUser("snapshotter@example.org", "snapshotter", "s3cret&+");
        mail.start();
        try (Program program =
                start(
                        "mail",
                        "db",
                        Map.of(
                                "notify.mail-server", "127.0.0.1:" + mail.getSmtp().getPort(),
                                "notify.mail-username", "snapshotter",
                                "notify.mail-password", "s3cret&+",
                                "notify.mail-from", "snapshotter@example.org",
                                "notify.mail-to", "ops@example.org"))) {
            program.fire(TEN);
            assertThat(mail.waitForIncomingEmail(20_000, 1)).isTrue();
            MimeMessage message = mail.getReceivedMessages()[0];
            assertThat(message.getSubject()).contains("hourly-20261122100000 apps/db");
            assertThat(GreenMailUtil.getBody(message)).contains("Unimplemented", "->");
        } finally {
            mail.stop();
        }
    }

    private String url() {
        return "http://127.0.0.1:" + receiver.getAddress().getPort() + "/services/s3cret";
    }

    private Program start(String example, String claims, Map<String, String> settings)
            throws Exception {
        TestRoutes.copyTo(directory);
        Path own = Path.of("examples", example, "notify" + RouteFiles.SUFFIX);
        Files.copy(
                own,
                directory.resolve("notify" + RouteFiles.SUFFIX),
                StandardCopyOption.REPLACE_EXISTING);
        Path errors = directory.resolve("error-handling" + RouteFiles.SUFFIX);
        Files.writeString(
                errors,
                Files.readString(errors)
                        .replace("redeliveryDelay: \"1000\"", "redeliveryDelay: \"10\""));
        Map<String, String> all = new HashMap<>(settings);
        all.put("snapshotter.claims", claims);
        all.put("snapshotter.routes", directory.toString());
        return Program.start(cluster, all);
    }
}
