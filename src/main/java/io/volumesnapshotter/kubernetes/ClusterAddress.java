package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Where an API server is, and by what it is recognised.
 *
 * @param tlsServerName the name that its certificate has to have; empty: that of the address
 * @param insecure whether any certificate will do
 * @param authorityFile the authorities to trust, read again when it changes
 * @param authority the authorities to trust
 * @param proxyUrl the proxy that the kubeconfig names, or empty
 * @param place how messages name where it stands
 * @param pluginConfig what the kubeconfig has for a plugin
 */
record ClusterAddress(
        URI server,
        String tlsServerName,
        boolean insecure,
        Optional<Path> authorityFile,
        Optional<byte[]> authority,
        String proxyUrl,
        String place,
        boolean disableCompression,
        JsonNode pluginConfig) {

    static final Set<String> FIELDS =
            Set.of(
                    "server",
                    "tls-server-name",
                    "insecure-skip-tls-verify",
                    "certificate-authority",
                    "certificate-authority-data",
                    "proxy-url",
                    "disable-compression",
                    "extensions");

    private static final String PLUGIN_EXTENSION = "client.authentication.k8s.io/exec";
    private static final int HTTPS = 443;
    private static final int HTTP = 80;

    /** A cluster of a kubeconfig. */
    static ClusterAddress of(KubeconfigEntry cluster) {
        Optional<Path> file = cluster.path("certificate-authority");
        Optional<byte[]> data = cluster.data("certificate-authority-data");
        if (file.isPresent() && data.isPresent()) {
            throw cluster.invalid(
                    "certificate-authority",
                    file.get().toString(),
                    "certificate-authority-data is there, too: give one of them");
        }
        boolean insecure = cluster.flag("insecure-skip-tls-verify");
        if (insecure && (file.isPresent() || data.isPresent())) {
            throw cluster.invalid(
                    "insecure-skip-tls-verify",
                    cluster.text("insecure-skip-tls-verify"),
                    "there is a certificate-authority, too: give one of them");
        }
        return new ClusterAddress(
                server(cluster),
                cluster.text("tls-server-name"),
                insecure,
                file,
                data,
                cluster.text("proxy-url"),
                cluster.placeOf("proxy-url"),
                cluster.flag("disable-compression"),
                cluster.parts("extensions").stream()
                        .filter(extension -> extension.text("name").equals(PLUGIN_EXTENSION))
                        .map(extension -> extension.body().path("extension"))
                        .findFirst()
                        .orElse(NullNode.getInstance()));
    }

    /** A server that needs no more than its address. */
    static ClusterAddress of(URI server, Optional<Path> authorityFile) {
        return new ClusterAddress(
                server,
                "",
                false,
                authorityFile,
                Optional.empty(),
                "",
                "",
                false,
                NullNode.getInstance());
    }

    private static URI server(KubeconfigEntry cluster) {
        String text = cluster.text("server");
        if (text.isEmpty()) {
            throw cluster.invalid("server", text, "give the API server's address");
        }
        try {
            URI given = new URI(text);
            if (given.getHost() != null && given.getScheme().matches("(?i)https?")) {
                String path = given.getRawPath() == null ? "" : given.getRawPath();
                return new URI(
                        given.getScheme().toLowerCase(Locale.ROOT)
                                + "://"
                                + given.getRawAuthority()
                                + path.replaceFirst("/+$", ""));
            }
        } catch (URISyntaxException e) {
            // As said below.
        }
        throw cluster.invalid("server", text, "give an https address, as https://10.0.0.1:6443");
    }

    boolean isTls() {
        return server.getScheme().equals("https");
    }

    /** The host of an address, without the brackets of IPv6. */
    static String host(URI address) {
        return address.getHost().replaceAll("[\\[\\]]", "");
    }

    /** The port of an address. */
    static int port(URI address) {
        if (address.getPort() >= 0) {
            return address.getPort();
        }
        return address.getScheme().equals("https") ? HTTPS : HTTP;
    }
}
