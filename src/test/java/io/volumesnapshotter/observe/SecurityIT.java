package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.OneRun;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.TlsFront;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program as others may attack it: what listens, what it logs, whom it trusts. */
class SecurityIT {

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @Test
    @EnabledOnOs(OS.LINUX)
    void nothingListens() throws Exception {
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("succeeded");
            assertThat(listening(program.pid())).isEmpty();
            program.terminate();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void theManagementPortIsTheOnlyOneAndHasHealthAndMetricsAndNothingElse() throws Exception {
        Map<String, String> onAnyPort =
                Map.of(
                        "CAMEL_MANAGEMENT_ENABLED",
                        "true",
                        "JAVA_OPTS",
                        PackagedProgram.JVM
                                + "-Dcamel.management.port=0 -Dlogback.configurationFile="
                                + logAll("WARN"));
        try (PackagedProgram program = start(onAnyPort)) {
            await().until(() -> !listening(program.pid()).isEmpty());
            int port = listening(program.pid()).iterator().next();
            await().until(() -> code(port, "/observe/health/ready") == 200);
            await().until(() -> cluster.log().count("create", "volumesnapshots") > 0);
            assertThat(listening(program.pid())).containsExactly(port);
            assertThat(code(port, "/observe/health/live")).isEqualTo(200);
            for (String path :
                    List.of(
                            "/",
                            "/observe",
                            "/observe/info",
                            "/jolokia",
                            "/q/dev",
                            "/q/health",
                            "/q/info",
                            "/q/send",
                            "/q/upload/routes",
                            "/q/download",
                            "/console")) {
                assertThat(code(port, path)).describedAs(path).isEqualTo(404);
            }
            program.terminate();
        }
    }

    @Test
    void theTokenIsNotLoggedAtAnyLevel() throws Exception {
        for (int code : List.of(500, 403, 422)) {
            cluster.faults()
                    .answer(
                            request -> request.is("create", "volumesnapshots"),
                            1,
                            ApiAnswer.status(code, "Refused", "refused"));
        }
        String first = cluster.token();
        try (PackagedProgram program =
                start(
                        Map.of(
                                "JAVA_OPTS",
                                PackagedProgram.JVM
                                        + "-Dlogback.configurationFile="
                                        + logAll("TRACE")))) {
            program.awaitLine("succeeded");
            String second = cluster.rotateToken();
            program.awaitLine("credentials");
            program.terminate();
            assertThat(program.lines())
                    .noneMatch(line -> line.contains(first) || line.contains(second));
        }
    }

    @Test
    void aTokenInTheWordsOfAProxyIsNotLogged() throws Exception {
        cluster.faults()
                .answer(
                        request -> request.is("create", "volumesnapshots"),
                        1,
                        ApiAnswer.status(422, "Invalid", "got Bearer " + cluster.token()));
        try (PackagedProgram program = start(Map.of())) {
            program.awaitLine("got Bearer ");
            program.terminate();
            assertThat(program.lines()).noneMatch(line -> line.contains(cluster.token()));
        }
    }

    @Test
    void aProjectedTokenThatIsRotatedIsReadAnew() throws Exception {
        Path volume = Files.createDirectory(directory.resolve("serviceaccount"));
        project(volume, "..1", cluster.token());
        Files.createSymbolicLink(volume.resolve("token"), Path.of("..data/token"));
        Map<String, String> inCluster =
                Map.of(
                        "HOME", directory.toString(),
                        "KUBECONFIG", "",
                        "KUBERNETES_MASTER", cluster.url(),
                        "KUBERNETES_NAMESPACE", NAMESPACE,
                        "KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN", volume.resolve("token").toString());
        try (PackagedProgram program = start(inCluster)) {
            program.awaitLine("succeeded");
            for (String next : List.of("..2", "..3")) {
                project(volume, next, cluster.rotateToken());
                awaitSuccessAfter(program);
            }
            // While it runs: told to stop in the middle of a run, it would say that it gives up.
            assertThat(program.lines()).noneMatch(line -> line.matches(".* (WARN|ERROR) .*"));
            program.terminate();
        }
    }

    @Test
    void aKubeconfigWhoseTokenIsReplacedIsReadAnew() throws Exception {
        Path kubeconfig = cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE);
        try (PackagedProgram program = start(Map.of("KUBECONFIG", kubeconfig.toString()))) {
            program.awaitLine("succeeded");
            cluster.rotateToken();
            Path next = cluster.kubeconfig(directory.resolve("next"), NAMESPACE);
            Files.move(next, kubeconfig, StandardCopyOption.ATOMIC_MOVE);
            awaitSuccessAfter(program);
            program.terminate();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aPluginOfTheKubeconfigIsAskedForATokenAnew() throws Exception {
        Path credential = directory.resolve("credential");
        credential(credential);
        Path kubeconfig = cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE);
        Files.writeString(
                kubeconfig,
                Files.readString(kubeconfig)
                        .replace(
                                "token: " + cluster.token(),
                                """
                                exec:
                                      apiVersion: client.authentication.k8s.io/v1
                                      interactiveMode: Never
                                      command: cat
                                      args: [%s]"""
                                        .formatted(credential)));
        try (PackagedProgram program = start(Map.of("KUBECONFIG", kubeconfig.toString()))) {
            program.awaitLine("succeeded");
            cluster.rotateToken();
            credential(credential);
            awaitSuccessAfter(program);
            program.terminate();
        }
    }

    @Test
    void aServerIsTrustedWhoseCertificateTheKubeconfigNames() throws Exception {
        try (TlsFront front = TlsFront.of(cluster.url())) {
            Map<String, String> settings =
                    new HashMap<>(
                            tls(
                                    front.url(),
                                    "certificate-authority-data: " + front.authorityData()));
            settings.put("SNAPSHOTTER_SCHEDULE", OneRun.of(cluster, "data"));
            try (PackagedProgram program = start(settings)) {
                program.awaitLine("succeeded");
                program.terminate();
                assertThat(program.lines()).noneMatch(line -> line.matches(".* (WARN|ERROR) .*"));
            }
        }
    }

    @Test
    void aServerWithACertificateOfAnUnknownAuthorityIsNotTalkedTo() throws Exception {
        try (TlsFront front = TlsFront.of(cluster.url());
                PackagedProgram program = start(tls(front.url(), "extensions: []"))) {
            program.awaitLine("certificate-authority");
            program.kill();
            assertThat(program.lines())
                    .filteredOn(line -> line.contains("its certificate is not accepted"))
                    .singleElement()
                    .asString()
                    .contains(front.url());
            assertThat(cluster.log().total()).isZero();
        }
    }

    @Test
    void aServerWithACertificateForAnotherNameIsNotTalkedTo() throws Exception {
        try (TlsFront front = TlsFront.of(cluster.url());
                PackagedProgram program =
                        start(
                                tls(
                                        front.otherUrl(),
                                        "certificate-authority-data: " + front.authorityData()))) {
            program.awaitLine("its certificate is not accepted");
            program.kill();
            assertThat(cluster.log().total()).isZero();
        }
    }

    @Test
    void checksThatAreOffAreToldAtTheStart() throws Exception {
        try (TlsFront front = TlsFront.of(cluster.url());
                PackagedProgram program =
                        start(tls(front.url(), "insecure-skip-tls-verify: true"))) {
            program.awaitLine("succeeded");
            program.terminate();
            assertThat(program.lines())
                    .filteredOn(line -> line.contains("insecure-skip-tls-verify"))
                    .singleElement()
                    .asString()
                    .contains("WARN", front.url());
        }
    }

    // ---- what the tests need

    private PackagedProgram start(Map<String, String> settings) throws IOException {
        Map<String, String> all = new HashMap<>(settings);
        all.put("SNAPSHOTTER_CLAIMS", "data");
        return PackagedProgram.start(cluster, directory, all);
    }

    private Path logAll(String level) throws IOException {
        return Files.writeString(
                directory.resolve("logback.xml"),
                """
                <configuration>
                  <appender name="stdout" class="ch.qos.logback.core.ConsoleAppender">
                    <encoder><pattern>%%level %%logger %%msg %%ex%%n</pattern></encoder>
                  </appender>
                  <root level="%s"><appender-ref ref="stdout"/></root>
                </configuration>
                """
                        .formatted(level));
    }

    /** Waits for a run that began after now to succeed. */
    private static void awaitSuccessAfter(PackagedProgram program) {
        int before = program.lines().size();
        await().until(
                        () -> {
                            List<String> since =
                                    program.lines().subList(before, program.lines().size());
                            int start = indexOf(since, "starts");
                            return start >= 0
                                    && indexOf(since.subList(start, since.size()), "succeeded")
                                            >= 0;
                        });
    }

    private static int indexOf(List<String> lines, String words) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).contains(words)) {
                return i;
            }
        }
        return -1;
    }

    /** Writes a token as the kubelet does: a new directory, and a link that is replaced. */
    private static void project(Path volume, String generation, String token) throws IOException {
        Path next = Files.createDirectory(volume.resolve(generation));
        Files.writeString(next.resolve("token"), token);
        Path link = Files.createSymbolicLink(volume.resolve("..data_tmp"), Path.of(generation));
        Files.move(link, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    }

    private void credential(Path file) throws IOException {
        Path next =
                Files.writeString(
                        directory.resolve("next-credential"),
                        """
                        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                         "status": {"token": "%s"}}
                        """
                                .formatted(cluster.token()));
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private Map<String, String> tls(String url, String trust) throws IOException {
        Path kubeconfig = cluster.kubeconfig(directory.resolve("tls"), NAMESPACE);
        Files.writeString(
                kubeconfig,
                Files.readString(kubeconfig).replace(cluster.url(), url + "\n    " + trust));
        return Map.of("KUBECONFIG", kubeconfig.toString());
    }

    private static int code(int port, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    /** The ports on which a process accepts connections. */
    private static Set<Integer> listening(long pid) throws IOException {
        Path process = Path.of("/proc", Long.toString(pid));
        Set<String> sockets = new HashSet<>();
        try (var descriptors = Files.list(process.resolve("fd"))) {
            for (Path descriptor : descriptors.toList()) {
                try {
                    sockets.add(Files.readSymbolicLink(descriptor).toString());
                } catch (IOException e) {
                    // Closed since it was listed.
                    continue;
                }
            }
        }
        List<String> lines = new ArrayList<>();
        lines.addAll(Files.readAllLines(process.resolve("net/tcp")));
        lines.addAll(Files.readAllLines(process.resolve("net/tcp6")));
        Set<Integer> ports = new HashSet<>();
        for (String line : lines) {
            String[] fields = line.trim().split("\\s+");
            boolean accepts = fields[3].equals("0A");
            if (accepts && sockets.contains("socket:[" + fields[9] + "]")) {
                ports.add(Integer.parseInt(fields[1].substring(fields[1].indexOf(':') + 1), 16));
            }
        }
        return ports;
    }
}
