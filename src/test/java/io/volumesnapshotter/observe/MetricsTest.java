package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Component;
import io.volumesnapshotter.testing.DrillPods;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Prometheus sees of the program. */
class MetricsTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");

    /** A schedule whose route is absent for so long is forgotten. */
    private static final Duration UNTIL_GONE = Duration.ofMinutes(1);

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Pattern ROW =
            Pattern.compile("\\| `([a-z_]+)` \\| (\\w+) \\|([^|]*)\\|.*");
    private static final Pattern SAMPLE = Pattern.compile("([a-z_]+)(?:\\{(.*)})? (\\S+)");

    /** What the driver says of a volume that it cannot take snapshots of. */
    private static final String UNSUPPORTED =
            "Failed to take snapshot: rpc error: code = InvalidArgument desc = no snapshots";

    /** How Prometheus asks, people ask, and nobody should, and the type of what they get. */
    private static final String FORMATS =
            """
            | text/plain; version=0.0.4
            */* | text/plain; version=0.0.4
            text/plain | text/plain; version=0.0.4
            text/* | text/plain; version=0.0.4
            text/plain;version=0.0.4 | text/plain; version=0.0.4
            text/plain; version=0.0.4; charset=utf-8 | text/plain; version=0.0.4
            text/plain;version=0.0.4;q=1,*/*;q=0.1 | text/plain; version=0.0.4
            text/plain;version=1.0.0;escaping=allow-utf-8 | text/plain; version=0.0.4
            text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8 | text/plain; version=0.0.4
            application/json | text/plain; version=0.0.4
            nonsense | text/plain; version=0.0.4
            application/openmetrics-text | application/openmetrics-text; version=1.0.0
            application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1 | application/openmetrics-text; version=1.0.0
            application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1 | application/openmetrics-text; version=1.0.0
            application/openmetrics-text;q=0.2,text/plain;q=0.9 | text/plain; version=0.0.4
            application/openmetrics-text;q=0,*/* | text/plain; version=0.0.4
            application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2 | application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited
            """;

    @TempDir private Path routes;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "logs");

    private Program start(Map<String, String> settings) {
        return Program.of(cluster).managed().with("claims", "data,logs").with(settings).start();
    }

    private static List<String> page(Program program) {
        return program.context()
                .getRegistry()
                .findSingleByType(PrometheusMeterRegistry.class)
                .scrape()
                .lines()
                .toList();
    }

    /** The value of a sample, by the name and labels that it has on the page. */
    private static OptionalDouble value(Program program, String sample) {
        return page(program).stream()
                .filter(line -> line.startsWith("volume_snapshotter_" + sample + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' ') + 1)))
                .findAny();
    }

    private static void awaitValue(Program program, String sample, double value) {
        await().untilAsserted(
                        () ->
                                assertThat(value(program, sample))
                                        .as(sample)
                                        .isEqualTo(OptionalDouble.of(value)));
    }

    private static void awaitAbsence(Program program, String sample) {
        await().untilAsserted(() -> assertThat(value(program, sample)).as(sample).isEmpty());
    }

    private static String lastSuccess(String claim) {
        return "last_success_timestamp_seconds{claim=\"%s\",namespace=\"apps\",schedule=\"hourly\"}"
                .formatted(claim);
    }

    @Test
    void theFormatOfThePageIsTheOneThatIsAskedForMost() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        URI page = URI.create("http://127.0.0.1:" + port + "/observe/metrics");
        try (Program program = start(Map.of("camel.management.port", String.valueOf(port)))) {
            for (String row : FORMATS.lines().toList()) {
                String accepted = row.substring(0, row.indexOf('|')).trim();
                String format = row.substring(row.indexOf('|') + 1).trim();
                HttpRequest.Builder request = HttpRequest.newBuilder(page);
                if (!accepted.isEmpty()) {
                    request.header("Accept", accepted);
                }
                HttpResponse<String> answer =
                        HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString());
                assertThat(answer.statusCode()).as(accepted).isEqualTo(200);
                assertThat(answer.headers().firstValue("Content-Type").orElse(""))
                        .as(accepted)
                        .startsWith(format);
                assertThat(answer.body()).as(accepted).contains("volume_snapshotter_leader");
                assertThat(answer.body().endsWith("# EOF\n"))
                        .as(accepted)
                        .isEqualTo(format.contains("openmetrics"));
            }
            assertThat(page(program)).isNotEmpty();
        }
    }

    @Test
    void runsSnapshotsAndPrunesAreCounted() {
        try (Program program = start(Map.of())) {
            program.fire(NINE);
            program.fire(TEN);
            awaitValue(program, "runs_total{outcome=\"success\",schedule=\"hourly\"}", 2);
            awaitValue(program, "runs_total{outcome=\"failure\",schedule=\"hourly\"}", 0);
            awaitValue(program, "run_duration_seconds_count{schedule=\"hourly\"}", 2);
            awaitValue(program, "snapshots_total{outcome=\"ready\",schedule=\"hourly\"}", 4);
            awaitValue(program, "prunes_total{outcome=\"deleted\",schedule=\"hourly\"}", 2);
            awaitValue(program, "stored_snapshots{schedule=\"hourly\",state=\"kept\"}", 4);
            awaitValue(
                    program, "ready_duration_seconds_bucket{schedule=\"hourly\",le=\"3600.0\"}", 4);
        }
    }

    @Test
    void whenAScheduleRanLastShowsAndIsNowWhileItRuns() {
        String lastRun = "last_run_timestamp_seconds{schedule=\"hourly\"}";
        try (Program program = start(Map.of())) {
            awaitValue(program, lastRun, 0);
            cluster.driver().neverReady();
            Instant before = Instant.now();
            Thread run = new Thread(() -> program.fire(NINE));
            run.start();
            await().until(
                            () ->
                                    value(program, lastRun).orElseThrow()
                                            > before.plusSeconds(1).getEpochSecond());
            cluster.driver().heal();
            run.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatFailsShowsUntilItIsWellAgain() {
        cluster.driver().fails("logs", UNSUPPORTED);
        try (Program program = start(Map.of())) {
            program.fire(NINE);
            awaitValue(program, "failing_claims{schedule=\"hourly\"}", 1);
            awaitValue(program, "runs_total{outcome=\"failure\",schedule=\"hourly\"}", 1);
            awaitValue(program, "snapshots_total{outcome=\"failed\",schedule=\"hourly\"}", 1);
            awaitValue(program, "failures_total{phase=\"await-ready\",schedule=\"hourly\"}", 1);
            awaitValue(program, lastSuccess("logs"), 0);
            cluster.driver().heal();
            Instant before = Instant.now();
            program.fire(TEN);
            awaitValue(program, "failing_claims{schedule=\"hourly\"}", 0);
            assertThat(value(program, lastSuccess("logs")).orElseThrow())
                    .isGreaterThanOrEqualTo(before.getEpochSecond());
        }
    }

    @Test
    void aRunThatDoesNotBeginIsAFailedOne() {
        try (Program program = start(Map.of("snapshotter.claims", "*"))) {
            program.fire(NINE);
            awaitValue(program, "runs_total{outcome=\"failure\",schedule=\"hourly\"}", 1);
        }
    }

    @Test
    void afterARestartTheClusterTellsWhenAClaimWasWell() {
        Instant due = Instant.parse("2026-11-21T08:00:00Z");
        Program.hadTaken(cluster, "data", due);
        // In the first minutes of an hour its run would be made up.
        Map<String, String> settings =
                Map.of("snapshotter.schedule", "@hourly", "snapshotter.starting-deadline", "1ms");
        try (Program program = start(settings)) {
            awaitValue(program, lastSuccess("data"), due.getEpochSecond());
            awaitValue(
                    program,
                    lastSuccess("data").replace("last_success_timestamp", "expected_interval"),
                    3600);
        }
    }

    @Test
    void aScheduleThatMayNotListItsClaimsDoesNotHideTheOthersAfterARestart(@TempDir Path directory)
            throws IOException {
        Instant due = Instant.parse("2026-11-21T08:00:00Z");
        Program.hadTaken(cluster, "data", due);
        TestRoutes.copyTo(directory);
        TestRoutes.schedule(directory, "all", "claims: \"*\"");
        try (Program program = start(Map.of("snapshotter.routes", directory.toString()))) {
            awaitValue(program, lastSuccess("data"), due.getEpochSecond());
        }
    }

    @Test
    void claimsBeyondTheLimitAreShownByNamespaceWithTheWorstOfThem() {
        cluster.claim(NAMESPACE, "more");
        cluster.driver().fails("more", UNSUPPORTED);
        try (Program program =
                start(
                        Map.of(
                                "snapshotter.claims", "data,logs,more",
                                "snapshotter.metrics-claims", "1"))) {
            program.fire(TEN);
            awaitValue(program, lastSuccess(""), 0);
            assertThat(value(program, lastSuccess("data"))).isPresent();
            assertThat(value(program, lastSuccess("logs"))).isEmpty();
        }
    }

    @Test
    void theSeriesOfAClaimThatIsGoneGo() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        try (Program program = start(Map.of("snapshotter.claims", "*"))) {
            program.fire(NINE);
            await().until(() -> value(program, lastSuccess("logs")).isPresent());
            cluster.admin()
                    .persistentVolumeClaims()
                    .inNamespace(NAMESPACE)
                    .withName("logs")
                    .delete();
            program.fire(TEN);
            awaitAbsence(program, lastSuccess("logs"));
            assertThat(value(program, lastSuccess("data"))).isPresent();
        }
    }

    @Test
    void theSeriesOfAScheduleThatIsGoneGo() throws Exception {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "other");
        try (Program program = start(Map.of("snapshotter.routes", routes.toString()))) {
            program.fire("other", TEN);
            awaitValue(program, "runs_total{outcome=\"success\",schedule=\"other\"}", 1);
            program.context().getRouteController().stopRoute("other");
            awaitValue(program, "schedule_suspended{schedule=\"other\"}", 1);
            program.context().removeRoute("other");
            program.pass(UNTIL_GONE);
            await().untilAsserted(
                            () ->
                                    assertThat(page(program))
                                            .filteredOn(l -> l.startsWith("volume_snapshotter_"))
                                            .noneMatch(l -> l.contains("schedule=\"other\"")));
            assertThat(value(program, "failing_claims{schedule=\"hourly\"}")).isPresent();
        }
    }

    @Test
    void aSnapshotThatIsNotLetGoShowsSinceWhen() {
        cluster.driver().holdDeletions();
        Instant before = Instant.now();
        try (Program program = start(Map.of("snapshotter.claims", "data"))) {
            program.fire(NINE);
            program.fire(TEN);
            program.fire(TEN.plusSeconds(3600));
            awaitValue(program, "stored_snapshots{schedule=\"hourly\",state=\"terminating\"}", 1);
            assertThat(
                            value(
                                            program,
                                            "terminating_oldest_timestamp_seconds{schedule=\"hourly\"}")
                                    .orElseThrow())
                    .isGreaterThanOrEqualTo(before.getEpochSecond());
            cluster.driver().releaseDeletions().heal();
            program.fire(TEN.plusSeconds(7200));
            program.fire(TEN.plusSeconds(10800));
            awaitAbsence(program, "terminating_oldest_timestamp_seconds{schedule=\"hourly\"}");
        }
    }

    @Test
    void anApiServerThatIsAwayShows() {
        try (Program program = start(Map.of())) {
            awaitValue(program, "api_up", 1);
            cluster.goDown();
            var run = program.fireLater(TEN);
            awaitValue(program, "api_up", 0);
            await().untilAsserted(
                            () ->
                                    assertThat(page(program))
                                            .filteredOn(line -> line.contains("code=\"none\""))
                                            .anyMatch(line -> line.contains("verb=\"create\"")));
            cluster.comeBack();
            await().until(run::isDone);
        }
    }

    /** Names, types and labels are what alert rules are written against; the docs have them. */
    @Test
    void thePageHasTheMetricsThatTheDocsSay() throws Exception {
        Component.install(cluster, "drill", routes);
        cluster.pods().become(new DrillPods()::check);
        cluster.storage().write(NAMESPACE, "data", "good");
        Path withDrill = routes.resolve("with-drill");
        TestRoutes.drill(withDrill, "30 3 * * *", "7d");
        TestRoutes.copyTo(withDrill);
        cluster.driver().holdDeletions().fails("logs", UNSUPPORTED);
        Map<String, String> documented = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("docs", "monitoring.md"))) {
            Matcher row = ROW.matcher(line);
            if (row.matches() && row.group(1).startsWith("volume_snapshotter_")) {
                documented.put(
                        row.group(1), row.group(2) + " " + row.group(3).replaceAll("[`\\s]", ""));
            }
        }
        Map<String, String> settings =
                Map.of(
                        "snapshotter.schedule",
                        "@hourly",
                        "snapshotter.routes",
                        withDrill.toString());
        try (Program program = start(settings)) {
            for (int hour = 0; hour < 3; hour++) {
                program.fire(TEN.plusSeconds(3600L * hour));
            }
            program.fire("drill", Instant.now().truncatedTo(ChronoUnit.SECONDS));
            await().untilAsserted(() -> assertThat(shown(program)).isEqualTo(documented));
        }
    }

    /** Type and labels of each of the program's own metrics. */
    private static Map<String, String> shown(Program program) {
        Map<String, String> types = new TreeMap<>();
        Map<String, String> shown = new TreeMap<>();
        for (String line : page(program)) {
            if (line.startsWith("# TYPE volume_snapshotter_")) {
                String[] words = line.split(" ");
                types.put(words[2], words[3]);
            }
            Matcher sample = SAMPLE.matcher(line);
            if (!sample.matches()) {
                continue;
            }
            String name = sample.group(1).replaceAll("_(bucket|count|sum)$", "");
            if (types.containsKey(name)) {
                String labels = sample.group(2) == null ? "" : sample.group(2);
                shown.put(
                        name,
                        types.get(name)
                                + " "
                                + Pattern.compile("([a-z_]+)=\"")
                                        .matcher(labels)
                                        .results()
                                        .map(label -> label.group(1))
                                        .filter(label -> !label.equals("le"))
                                        .collect(Collectors.toCollection(TreeSet::new))
                                        .stream()
                                        .collect(Collectors.joining(",")));
            }
        }
        return shown;
    }

    /** As the operator reads the page: the first series of a counter, all heaps of a gauge. */
    @Test
    void theCamelMonitorOperatorFindsWhatItReads() throws Exception {
        Deployment deployment =
                Kustomize.build(Path.of("examples", "overlays", "camel-monitor")).stream()
                        .filter(Deployment.class::isInstance)
                        .map(Deployment.class::cast)
                        .findAny()
                        .orElseThrow();
        assertThat(deployment.getMetadata().getLabels())
                .containsEntry("camel.apache.org/monitor", "volume-snapshotter");
        Map<String, String> settings = new HashMap<>();
        for (EnvVar variable :
                deployment.getSpec().getTemplate().getSpec().getContainers().get(0).getEnv()) {
            if (variable.getName().startsWith("CAMEL_METRICS_")) {
                settings.put(
                        variable.getName().toLowerCase(Locale.ROOT).replace('_', '.'),
                        variable.getValue());
            }
        }
        List<String> page;
        try (Program program = start(settings)) {
            program.fire(TEN);
            page = page(program);
        }
        assertThat(page)
                .anyMatch(line -> line.startsWith("app_info{") && line.contains("4.18"))
                .anyMatch(line -> line.startsWith("process_cpu_usage "))
                .anyMatch(line -> line.startsWith("jvm_memory_used_bytes{area=\"heap\""))
                .anyMatch(line -> line.startsWith("jvm_memory_max_bytes{area=\"heap\""))
                .anyMatch(line -> line.startsWith("camel_exchanges_last_timestamp "))
                .anyMatch(line -> line.startsWith("camel_exchanges_inflight{"));
        for (String counter : List.of("total", "failed_total", "succeeded_total")) {
            assertThat(page)
                    .filteredOn(line -> line.startsWith("camel_exchanges_" + counter + "{"))
                    .first()
                    .asString()
                    .contains("event_type=\"context\"");
        }
    }
}
