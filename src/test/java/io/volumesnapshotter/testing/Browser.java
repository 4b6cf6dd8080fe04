package io.volumesnapshotter.testing;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A Chromium without a screen, by the WebDriver protocol; elements are found by XPath. */
public final class Browser implements AutoCloseable {

    private static final Pattern PORT = Pattern.compile("successfully on port (\\d+)");
    private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
    private static final String SELECT_ALL = "\uE009a\uE000";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final Process driver;
    private final String session;

    private Browser(Process driver, String url, Path profile)
            throws IOException, InterruptedException {
        this.driver = driver;
        List<String> arguments =
                List.of(
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--window-size=1280,900",
                        "--user-data-dir=" + profile);
        session =
                url
                        + "/session/"
                        + post(
                                        url + "/session",
                                        Map.of(
                                                "capabilities",
                                                Map.of(
                                                        "alwaysMatch",
                                                        Map.of(
                                                                "goog:chromeOptions",
                                                                Map.of("args", arguments)))))
                                .path("sessionId")
                                .asText();
    }

    /**
     * @param directory where its profile and its driver's log go
     */
    public static Browser start(Path directory) throws IOException, InterruptedException {
        Path log = directory.resolve("chromedriver.log");
        Process driver =
                new ProcessBuilder("chromedriver", "--port=0")
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        String port =
                await().until(
                                () -> {
                                    Matcher line = PORT.matcher(Files.readString(log));
                                    return line.find() ? line.group(1) : "";
                                },
                                found -> !found.isEmpty());
        return new Browser(driver, "http://127.0.0.1:" + port, directory.resolve("profile"));
    }

    /** Opens a page; false when nothing answers there. */
    public boolean opens(String url) throws InterruptedException {
        try {
            post(session + "/url", Map.of("url", url));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    public void click(String xpath) {
        when(xpath, element -> post(element + "/click", Map.of()));
    }

    /** Types over what stands in a field. */
    public void type(String xpath, String text) {
        when(xpath, element -> post(element + "/value", Map.of("text", SELECT_ALL + text)));
    }

    /** The text of the whole page. */
    public String text() throws IOException, InterruptedException {
        return post(
                        session + "/execute/sync",
                        Map.of("script", "return document.body.innerText", "args", List.of()))
                .asText();
    }

    public void awaitText(String words) {
        await().alias("a page with: " + words).until(() -> text().contains(words));
    }

    /** Goes to the window that was opened last. */
    public void lastWindow() {
        await().untilAsserted(
                        () -> {
                            JsonNode windows = get(session + "/window/handles");
                            if (windows.size() < 2) {
                                throw new AssertionError("no second window");
                            }
                            post(
                                    session + "/window",
                                    Map.of("handle", windows.get(windows.size() - 1).asText()));
                        });
    }

    public void screenshot(Path file) throws IOException, InterruptedException {
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(get(session + "/screenshot").asText()));
    }

    private interface Action {
        void on(String element) throws IOException, InterruptedException;
    }

    /** Acts on an element as soon as it is there and can be acted on. */
    private void when(String xpath, Action action) {
        await().alias(xpath)
                .ignoreExceptions()
                .untilAsserted(
                        () ->
                                action.on(
                                        session
                                                + "/element/"
                                                + post(
                                                                session + "/element",
                                                                Map.of(
                                                                        "using", "xpath", "value",
                                                                        xpath))
                                                        .path(ELEMENT)
                                                        .asText()));
    }

    private JsonNode get(String url) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url)).build());
    }

    private JsonNode post(String url, Object body) throws IOException, InterruptedException {
        return send(
                HttpRequest.newBuilder(URI.create(url))
                        .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
                        .build());
    }

    private JsonNode send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        JsonNode value = JSON.readTree(answer.body()).path("value");
        if (answer.statusCode() != 200) {
            throw new IOException(value.path("message").asText());
        }
        return value;
    }

    @Override
    public void close() {
        try {
            http.send(
                    HttpRequest.newBuilder(URI.create(session)).DELETE().build(),
                    HttpResponse.BodyHandlers.discarding());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            driver.destroy();
            driver.onExit().join();
        }
    }
}
