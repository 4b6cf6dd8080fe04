package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.http.HttpClient;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The proxy to the API server, as kubectl finds it: the kubeconfig's, or else the environment's
 * unless it excepts the server.
 *
 * @param host its name or address
 * @param authorization what it is shown, if it asks for that
 */
record HttpProxy(String host, int port, Optional<String> authorization) {

    /** As the JDK has it, its HTTP client shows no password to a proxy that only passes on TLS. */
    private static final String DISABLED_SCHEMES = "jdk.http.auth.tunneling.disabledSchemes";

    private static final int DEFAULT_PORT = 80;
    private static final int MAX_PORT = 65535;

    private static final Pattern ADDRESS =
            Pattern.compile(
                    "(?<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?:(?<user>[^/?#]*)@)?"
                            + "(?<host>\\[[^\\]/]+\\]|[^:/?#@\\s]+)(?::(?<port>\\d{1,5}))?(?:[/?#].*)?");

    private static final Logger LOG = LoggerFactory.getLogger(HttpProxy.class);

    /**
     * The proxy to a server.
     *
     * @param given the kubeconfig's own, if it has one
     * @param place where that stands
     * @throws InvalidSettingException when the one that counts is none that can be talked to
     */
    static Optional<HttpProxy> to(
            URI server, String given, String place, Map<String, String> environment) {
        if (!given.isEmpty()) {
            if (!given.contains("://")) {
                throw new InvalidSettingException(
                        place, shown(given), "give an address that begins with http://");
            }
            return Optional.of(parse(place, given, server));
        }
        String scheme = server.getScheme().toUpperCase(Locale.ROOT);
        Optional<String> variable = variable(environment, scheme + "_PROXY");
        if (variable.isEmpty()) {
            variable(environment, "ALL_PROXY")
                    .ifPresent(
                            all ->
                                    LOG.info(
                                            "{} is not read, as by kubectl: the API server is"
                                                    + " talked to directly; {}_PROXY would name a"
                                                    + " proxy",
                                            all,
                                            scheme));
            return Optional.empty();
        }
        String noProxy = variable(environment, "NO_PROXY").map(environment::get).orElse("");
        if (NoProxy.excepts(noProxy, ClusterAddress.host(server), ClusterAddress.port(server))) {
            return Optional.empty();
        }
        return Optional.of(parse(variable.get(), environment.get(variable.get()), server));
    }

    /** The name of a variable that is set, in capitals or not; capitals go first. */
    private static Optional<String> variable(Map<String, String> environment, String name) {
        return List.<UnaryOperator<String>>of(
                        UnaryOperator.identity(), any -> any.toLowerCase(Locale.ROOT))
                .stream()
                .map(any -> any.apply(name))
                .filter(any -> !environment.getOrDefault(any, "").isEmpty())
                .findFirst();
    }

    private static HttpProxy parse(String place, String value, URI server) {
        Matcher parts =
                ADDRESS.matcher((value.contains("://") ? value : "http://" + value).strip());
        if (!parts.matches()) {
            throw new InvalidSettingException(
                    place, shown(value), "give the proxy's address, as http://proxy:3128");
        }
        if (!parts.group("scheme").equalsIgnoreCase("http")) {
            throw new InvalidSettingException(
                    place,
                    shown(value),
                    "only a proxy that is talked to by plain HTTP is supported, as"
                            + " http://proxy:3128; TLS to the API server passes through it");
        }
        int port =
                Optional.ofNullable(parts.group("port"))
                        .map(Integer::parseInt)
                        .orElse(DEFAULT_PORT);
        if (port < 1 || port > MAX_PORT) {
            throw new InvalidSettingException(place, shown(value), "its port is none");
        }
        if (ClusterAddress.host(server).contains(":") && server.getScheme().equals("https")) {
            // The JDK's HTTP client fails with a name in brackets for which it asks a proxy.
            throw new InvalidSettingException(
                    place,
                    shown(value),
                    "the API server's address, "
                            + server.getAuthority()
                            + ", is of IPv6, which is not supported by a proxy: give the server's"
                            + " name, or except the address by NO_PROXY");
        }
        return new HttpProxy(
                parts.group("host").replaceAll("[\\[\\]]", ""),
                port,
                Optional.ofNullable(parts.group("user")).map(user -> basic(place, value, user)));
    }

    private static String basic(String place, String value, String user) {
        try {
            // A plus is no blank here.
            String plain = URLDecoder.decode(user.replace("+", "%2B"), StandardCharsets.UTF_8);
            String both = plain.contains(":") ? plain : plain + ":";
            return "Basic "
                    + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            throw new InvalidSettingException(
                    place, shown(value), "write a % in its user or password as %25");
        }
    }

    /** An address without its password. */
    private static String shown(String value) {
        return value.replaceFirst("^(.*?://)?[^/]*@", "$1" + KubeconfigEntry.HIDDEN + "@");
    }

    /** Takes this one, or none, and nothing that else is set in the JVM. */
    static void configure(Optional<HttpProxy> proxy, HttpClient.Builder builder) {
        if (proxy.isEmpty()) {
            builder.proxyType(HttpClient.ProxyType.DIRECT);
            return;
        }
        builder.proxyType(HttpClient.ProxyType.HTTP)
                .proxyAddress(
                        InetSocketAddress.createUnresolved(proxy.get().host, proxy.get().port));
        proxy.get()
                .authorization
                .ifPresent(
                        authorization -> {
                            if (System.getProperty(DISABLED_SCHEMES) == null) {
                                System.setProperty(DISABLED_SCHEMES, "");
                            }
                            builder.proxyAuthorization(authorization);
                        });
    }
}
