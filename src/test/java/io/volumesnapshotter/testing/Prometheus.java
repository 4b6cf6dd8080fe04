package io.volumesnapshotter.testing;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/**
 * A Prometheus that scrapes a program every second, as the PodMonitor has it, and has the rules
 * that ship, with each {@code for:} cut to a second.
 */
public final class Prometheus implements AutoCloseable {

    private static final Path RULES = Path.of("k8s/components/monitoring/prometheusrule.yaml");
    private static final Pattern ADDRESS = Pattern.compile("address=(127\\.0\\.0\\.1:[1-9]\\d*)");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final HttpClient client = HttpClient.newHttpClient();
    private final String url;

    private Prometheus(Process process, String url) {
        this.process = process;
        this.url = url;
    }

    /**
     * Starts it; without the binary the test is skipped.
     *
     * @param port where the program serves its metrics
     * @param namespace where the program is said to run
     */
    public static Prometheus start(Path directory, int port, String namespace) throws IOException {
        assumeTrue(isInstalled(), "prometheus is not installed");
        String rules = Files.readString(RULES);
        Files.writeString(
                directory.resolve("rules.yaml"),
                rules.substring(rules.indexOf("\nspec:\n") + "\nspec:\n".length())
                        .replaceAll("\\bfor: \\d+m\\n", "for: 1s\n"));
        Path configuration =
                Files.writeString(
                        directory.resolve("prometheus.yaml"),
                        """
                        global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
                        rule_files: [rules.yaml]
                        scrape_configs:
                          - job_name: volume-snapshotter
                            metrics_path: /observe/metrics
                            static_configs:
                              - targets: ["127.0.0.1:%d"]
                                labels: {namespace: %s}
                        """
                                .formatted(port, namespace));
        Path log = directory.resolve("prometheus.log");
        Process process =
                new ProcessBuilder(
                                "prometheus",
                                "--config.file=" + configuration,
                                "--storage.tsdb.path=" + directory.resolve("series"),
                                "--web.listen-address=127.0.0.1:0")
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            String address =
                    await().alias("an address in " + log)
                            .until(() -> address(log), found -> !found.isEmpty());
            return new Prometheus(process, "http://" + address + "/api/v1/");
        } catch (RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** What {@code promtool check metrics} says of a page; empty when all is as it should be. */
    public static String lint(String page) throws IOException, InterruptedException {
        byte[] metrics =
                HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create(page))
                                        .timeout(Patience.LIMIT)
                                        .build(),
                                HttpResponse.BodyHandlers.ofByteArray())
                        .body();
        Process promtool =
                new ProcessBuilder("promtool", "check", "metrics")
                        .redirectErrorStream(true)
                        .start();
        try (OutputStream in = promtool.getOutputStream()) {
            in.write(metrics);
        }
        String found = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return promtool.waitFor() == 0 ? found : found + "exit " + promtool.exitValue();
    }

    private static boolean isInstalled() {
        return Pattern.compile(File.pathSeparator)
                .splitAsStream(System.getenv("PATH"))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "prometheus")));
    }

    private static String address(Path log) throws IOException {
        Matcher matcher = ADDRESS.matcher(Files.readString(log));
        return matcher.find() ? matcher.group(1) : "";
    }

    /** The labels of the alerts that fire. */
    public List<Map<String, String>> firing() {
        return StreamSupport.stream(get("alerts").at("/data/alerts").spliterator(), false)
                .filter(alert -> alert.path("state").asText().equals("firing"))
                .map(alert -> labels(alert.path("labels")))
                .toList();
    }

    /** The labels of the series that an expression has now. */
    public List<Map<String, String>> query(String expression) {
        String encoded = URLEncoder.encode(expression, StandardCharsets.UTF_8);
        return StreamSupport.stream(
                        get("query?query=" + encoded).at("/data/result").spliterator(), false)
                .map(series -> labels(series.path("metric")))
                .toList();
    }

    private static Map<String, String> labels(JsonNode labels) {
        return JSON.convertValue(labels, new TypeReference<Map<String, String>>() {});
    }

    private JsonNode get(String path) {
        try {
            return JSON.readTree(
                    client.send(
                                    HttpRequest.newBuilder(URI.create(url + path))
                                            .timeout(Patience.LIMIT)
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString())
                            .body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }
}
