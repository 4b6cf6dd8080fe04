package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Browser;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged program as hawtio shows it in a browser. It needs what {@code .ci/run} installs:
 * Chromium with its driver, and the libraries that {@code mvn -f examples/hawtio package} copies.
 * With {@code -Dhawtio.images=docs/images} it makes the pictures of docs/hawtio.md.
 */
class HawtioIT {

    private static final Path LIBRARIES = Path.of("target", "hawtio");
    private static final Path IMAGES = Path.of(System.getProperty("hawtio.images", "target"));
    private static final Pattern RUN = Pattern.compile("hourly-\\d{14}(?= starts)");
    private static final String TREE = "//*[@id='%s']//button[normalize-space()='%s']";

    @TempDir private Path directory;

    @BeforeEach
    void assumeInstalled() {
        assumeTrue(Files.isDirectory(LIBRARIES), "mvn -f examples/hawtio package was not run");
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "chromedriver"))),
                "Chromium's driver is not installed");
    }

    @Test
    void showsTheRoutesWithTheirCountersAndRunsASchedule() throws Exception {
        int management = freePort();
        int web = freePort();
        Process console = console(web);
        try (SimulatedCluster cluster = SimulatedCluster.start();
                PackagedProgram program = program(cluster, management);
                Browser browser = Browser.start(directory)) {
            program.awaitLine("succeeded, 1 of 1 ready");
            connect(browser, "http://localhost:" + web + "/actuator/hawtio/connect", management);

            browser.click("//a[normalize-space()='Camel']");
            browser.click(
                    TREE.formatted(
                            "org.apache.camel-CamelContexts-volume-snapshotter-routes-folder",
                            "run-schedule"));
            browser.awaitText("From direct:run-s");
            await().until(() -> counter(browser).equals(runs(program)));
            browser.screenshot(IMAGES.resolve("hawtio-route.png"));

            browser.click("//a[normalize-space()='JMX']");
            browser.click("//*[@id='io.volumesnapshotter-folder']//button");
            browser.click("//*[@id='io.volumesnapshotter-Schedule-folder']//button");
            browser.click("//*[@id='io.volumesnapshotter-Schedule-hourly']//button");
            browser.awaitText("NextFireTimes");
            browser.screenshot(IMAGES.resolve("hawtio-schedule.png"));

            browser.click("//*[normalize-space()='Operations' and (self::a or self::button)]");
            browser.click("//button[@aria-labelledby='operation runNow() ex-toggle1']");
            browser.click("//section[@id='operation-execute-runNow()']//button[.='Execute']");
            browser.awaitText(" starts");
            String run = RUN.matcher(browser.text()).results().findFirst().orElseThrow().group();
            await().until(() -> created(cluster, run));
            browser.screenshot(IMAGES.resolve("hawtio-run-now.png"));

            browser.click("//a[normalize-space()='Camel']");
            browser.click(
                    TREE.formatted(
                            "org.apache.camel-CamelContexts-volume-snapshotter-routes-folder",
                            "run-schedule"));
            await().until(() -> counter(browser).equals(runs(program)));
            assertThat(program.lines()).noneMatch(line -> line.contains(" ERROR "));
            program.kill();
        } finally {
            console.destroy();
            console.waitFor();
        }
    }

    private static boolean created(SimulatedCluster cluster, String run) {
        return cluster
                .log()
                .entries(entry -> entry.verb().equals("create") && entry.code() == 201)
                .stream()
                .anyMatch(entry -> entry.name().equals("data-" + run));
    }

    /** How many runs the program says it has started. */
    private static String runs(PackagedProgram program) {
        return String.valueOf(
                program.lines().stream().filter(line -> line.contains(": starts,")).count());
    }

    private static void connect(Browser browser, String page, int management) throws Exception {
        await().until(() -> browser.opens(page));
        browser.click("//button[normalize-space()='Add connection']");
        browser.type("//input[@id='connection-form-name']", "volume-snapshotter");
        browser.click("//label[.//input[@id='connection-form-scheme']]");
        browser.type("//input[@id='connection-form-host']", "localhost");
        browser.type("//input[@id='connection-form-port']", String.valueOf(management));
        browser.type("//input[@id='connection-form-path']", "/observe/jolokia");
        browser.click("//button[normalize-space()='Add']");
        browser.click("//button[normalize-space()='Connect']");
        browser.lastWindow();
        browser.type("//input[@id='connect-login-form-username']", "ops");
        browser.type("//input[@id='connect-login-form-password']", "s3cret");
        browser.click("//button[normalize-space()='Log in']");
    }

    /** How many exchanges the diagram says began where the route does. */
    private static String counter(Browser browser) throws IOException, InterruptedException {
        String[] lines = browser.text().split("\\R+");
        for (int i = 1; i < lines.length; i++) {
            if (lines[i].startsWith("From direct:run-s")) {
                return lines[i - 1];
            }
        }
        return "";
    }

    private PackagedProgram program(SimulatedCluster cluster, int port) throws IOException {
        cluster.claim(NAMESPACE, "data");
        Path users = Files.writeString(directory.resolve("users.properties"), "user.ops=s3cret\n");
        return PackagedProgram.start(
                directory,
                Map.of(
                        "KUBECONFIG",
                        cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString(),
                        "SNAPSHOTTER_CLAIMS",
                        "data",
                        "SNAPSHOTTER_SCHEDULE",
                        "*/15 * * * * ?",
                        "CAMEL_MANAGEMENT_ENABLED",
                        "true",
                        "CAMEL_MANAGEMENT_JOLOKIA_ENABLED",
                        "true",
                        "CAMEL_MANAGEMENT_BASIC_PROPERTIES_FILE",
                        users.toString(),
                        "JAVA_OPTS",
                        PackagedProgram.JVM + "-Dcamel.management.port=" + port));
    }

    private Process console(int port) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        LIBRARIES + "/*",
                        "examples/hawtio/Console.java",
                        "--server.port=" + port)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("console.log").toFile())
                .start();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
