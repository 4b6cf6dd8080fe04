package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.testing.Authority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A server with certificates, users of it, and their kubeconfigs. */
public final class AccessLab implements AutoCloseable {

    static final int CONNECTION_TIMEOUT = 60_000;
    static final int REQUEST_TIMEOUT = 60_000;

    /** The name that the server's certificate has beside its address. */
    static final String SERVER_NAME = "api.cluster.test";

    private static final String KUBECONFIG =
            """
            apiVersion: v1
            kind: Config
            current-context: lab
            contexts:
            - name: lab
              context: {cluster: lab, user: dev, namespace: shop}
            clusters:
            - name: lab
              cluster:
            %susers:
            - name: dev
              user:
            %s""";

    /**
     * What became of a question.
     *
     * @param seen what the server saw of it
     * @param problem why it was not asked, or refused
     */
    record Outcome(List<KubeServer.Seen> seen, String problem) {

        KubeServer.Seen last() {
            if (seen.isEmpty()) {
                throw new AssertionError("nothing was asked: " + problem);
            }
            return seen.get(seen.size() - 1);
        }
    }

    final Path directory;
    final Authority authority;
    private final KubeServer server;

    AccessLab(Path directory) throws Exception {
        this(directory, false);
    }

    public AccessLab(Path directory, boolean http2) throws Exception {
        this.directory = directory;
        authority = new Authority(directory);
        Path certificate =
                certificate(
                        "server",
                        "RSA",
                        "CN=server",
                        "serverAuth",
                        "ip:127.0.0.1,ip:::1,dns:" + SERVER_NAME);
        server = http2 ? KubeServer.withHttp2(certificate) : KubeServer.with(certificate);
    }

    /** A certificate of the lab's authority, in a directory of its name. */
    Path certificate(
            String name, String algorithm, String subject, String usage, String alternatives)
            throws Exception {
        authority.sign(name, algorithm, subject, usage, alternatives);
        Path own = Files.createDirectories(directory.resolve(name));
        authority.write(name, own);
        return own;
    }

    Path clientCertificate(String name, String algorithm) throws Exception {
        return certificate(name, algorithm, "CN=" + name, "clientAuth", "dns:" + name);
    }

    public KubeServer server() {
        return server;
    }

    /** The server, trusted. */
    String cluster() throws IOException {
        return "server: " + server.url() + "\ncertificate-authority-data: " + authorityData();
    }

    Path authorityFile() {
        return directory.resolve("server/ca.crt");
    }

    public String authorityData() throws IOException {
        return base64(authorityFile());
    }

    static String base64(Path file) throws IOException {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
    }

    /** Writes a kubeconfig, and gives the environment that names it. */
    Map<String, String> kubeconfig(String cluster, String user) throws IOException {
        Path file =
                Files.writeString(
                        directory.resolve("kubeconfig"),
                        KUBECONFIG.formatted(cluster.indent(4), user.indent(4)));
        return environment(Map.of("KUBECONFIG", file.toString()));
    }

    Map<String, String> environment(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(Map.of("HOME", directory.toString()));
        all.putAll(more);
        return all;
    }

    /** A program in the lab that a kubeconfig may name. */
    Path script(String name, String text) throws IOException {
        Path file = Files.writeString(directory.resolve(name), "#!/bin/sh\n" + text);
        if (!file.toFile().setExecutable(true)) {
            throw new IOException("cannot be made executable: " + file);
        }
        return file;
    }

    /** What becomes of the program's question. */
    Outcome program(Map<String, String> environment) {
        server.takeSeen();
        String problem = "";
        try (KubernetesClient client = connect(Cluster.find(environment))) {
            client.getKubernetesVersion();
        } catch (InvalidSettingException | KubernetesClientException e) {
            problem = e.getMessage();
        }
        return new Outcome(server.takeSeen(), problem);
    }

    static KubernetesClient connect(Cluster cluster) {
        return cluster.connect(CONNECTION_TIMEOUT, REQUEST_TIMEOUT, http -> {});
    }

    /** What becomes of kubectl's. */
    Outcome kubectl(Map<String, String> environment) throws IOException, InterruptedException {
        return kubectl(environment, "/version");
    }

    Outcome kubectl(Map<String, String> environment, String path)
            throws IOException, InterruptedException {
        server.takeSeen();
        Kubectl.Answer answer = Kubectl.ask(environment, directory, "get", "--raw", path);
        return new Outcome(server.takeSeen(), answer.isYes() ? "" : answer.output());
    }

    @Override
    public void close() {
        server.close();
    }
}
