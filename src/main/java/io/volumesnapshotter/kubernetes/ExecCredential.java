package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a plugin is told and answers with.
 *
 * @param credentials what it gives
 * @param expires from when on that is worth nothing; {@link Instant#MAX} when it says nothing of it
 * @see <a href="https://kubernetes.io/docs/reference/config-api/client-authentication.v1/">the
 *     group client.authentication.k8s.io</a>
 */
record ExecCredential(Credentials credentials, Instant expires) {

    static final String V1 = "client.authentication.k8s.io/v1";
    static final String V1BETA1 = "client.authentication.k8s.io/v1beta1";

    private static final String INFO = "KUBERNETES_EXEC_INFO";
    private static final String KIND = "ExecCredential";
    private static final Set<String> MODES = Set.of("Never", "IfAvailable", "Always");
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * The plugin of a kubeconfig's user.
     *
     * @param authority the cluster's authorities, for a plugin that wants to know the cluster
     */
    static ExecPlugin plugin(KubeconfigEntry exec, ClusterAddress cluster, byte[] authority) {
        String command = exec.text("command");
        if (command.isEmpty()) {
            throw exec.invalid("command", command, "name the program to run");
        }
        String version = exec.text("apiVersion");
        if (!version.equals(V1) && !version.equals(V1BETA1)) {
            throw exec.invalid("apiVersion", version, "give " + V1 + " or " + V1BETA1);
        }
        checkMode(exec, version);
        Map<String, String> environment = new LinkedHashMap<>();
        for (KubeconfigEntry variable : exec.parts("env")) {
            String name = variable.text("name");
            if (name.isEmpty() || name.contains("=")) {
                throw variable.invalid("name", name, "name the variable");
            }
            environment.put(name, variable.text("value"));
        }
        ObjectNode spec = JSON.createObjectNode();
        if (exec.flag("provideClusterInfo")) {
            spec.set("cluster", describe(cluster, authority));
        }
        spec.put("interactive", false);
        ObjectNode info = JSON.createObjectNode().put("kind", KIND).put("apiVersion", version);
        environment.put(INFO, info.<ObjectNode>set("spec", spec).toString());
        return new ExecPlugin(
                exec.placeOf("command"),
                command.contains("/") ? exec.resolve(command).normalize().toString() : command,
                exec.texts("args"),
                environment,
                exec.text("installHint"),
                ExecPlugin.LIMIT);
    }

    private static void checkMode(KubeconfigEntry exec, String version) {
        String mode = exec.text("interactiveMode");
        if (mode.equals("Always")) {
            throw exec.invalid(
                    "interactiveMode",
                    mode,
                    "there is nobody to ask: a plugin that asks is no use");
        }
        if (!MODES.contains(mode) && !(mode.isEmpty() && version.equals(V1BETA1))) {
            throw exec.invalid("interactiveMode", mode, "give Never or IfAvailable");
        }
    }

    private static ObjectNode describe(ClusterAddress cluster, byte[] authority) {
        ObjectNode told = JSON.createObjectNode().put("server", cluster.server().toString());
        if (!cluster.tlsServerName().isEmpty()) {
            told.put("tls-server-name", cluster.tlsServerName());
        }
        if (cluster.insecure()) {
            told.put("insecure-skip-tls-verify", true);
        }
        if (authority.length > 0) {
            told.put("certificate-authority-data", Base64.getEncoder().encodeToString(authority));
        }
        if (!cluster.proxyUrl().isEmpty()) {
            told.put("proxy-url", cluster.proxyUrl());
        }
        if (cluster.disableCompression()) {
            told.put("disable-compression", true);
        }
        told.set("config", cluster.pluginConfig());
        return told;
    }

    /**
     * Runs a plugin.
     *
     * @throws NoCredentialException when it gives nothing that a request could be sent with
     */
    static ExecCredential ask(ExecPlugin plugin) {
        String text = plugin.run();
        JsonNode answer;
        try {
            answer = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw plugin.failed("what it wrote is no JSON");
        }
        JsonNode told = told(plugin);
        if (!answer.path("kind").asText(KIND).equals(KIND)
                || !answer.path("apiVersion").equals(told.path("apiVersion"))) {
            throw plugin.failed(
                    "it answered with no %s of %s"
                            .formatted(KIND, told.path("apiVersion").asText()));
        }
        JsonNode status = answer.path("status");
        String token = status.path("token").asText("");
        String certificate = status.path("clientCertificateData").asText("");
        String key = status.path("clientKeyData").asText("");
        if (token.isEmpty() && certificate.isEmpty() && key.isEmpty()) {
            throw plugin.failed("it answered with no token and no certificate");
        }
        try {
            Optional<String> authorization =
                    token.isEmpty() ? Optional.empty() : Optional.of(Tokens.header(token));
            return new ExecCredential(
                    new Credentials(authorization, certificate(certificate, key)),
                    expiry(status.path("expirationTimestamp").asText("")));
        } catch (IOException e) {
            throw plugin.failed("it answered with what cannot be used: " + e.getMessage());
        } catch (DateTimeParseException e) {
            throw plugin.failed("it answered with an expirationTimestamp that is no time");
        }
    }

    private static JsonNode told(ExecPlugin plugin) {
        try {
            return JSON.readTree(plugin.environment().get(INFO));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Optional<ClientCertificate> certificate(String certificate, String key)
            throws IOException {
        if (certificate.isEmpty() && key.isEmpty()) {
            return Optional.empty();
        }
        if (certificate.isEmpty() || key.isEmpty()) {
            throw new IOException("a certificate comes with its key");
        }
        return Optional.of(
                ClientCertificate.of(
                        certificate.getBytes(StandardCharsets.UTF_8),
                        key.getBytes(StandardCharsets.UTF_8)));
    }

    private static Instant expiry(String time) {
        return time.isEmpty() ? Instant.MAX : OffsetDateTime.parse(time).toInstant();
    }

    /** Tells nothing of what it holds. */
    @Override
    public String toString() {
        return List.of(KIND, expires).toString();
    }
}
