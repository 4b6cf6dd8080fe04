package io.volumesnapshotter.kubernetes;

import java.net.IDN;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What {@code NO_PROXY} excepts, by the rules of Go's net/http, which kubectl goes by: names with
 * all below them, {@code .name} and {@code *.name} with those below alone, addresses, ranges, each
 * with a port if one likes, and {@code *}. What is none of these excepts nothing.
 *
 * @see <a href="https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config">httpproxy</a>
 */
final class NoProxy {

    private static final Pattern IPV4 =
            Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(?:\\.(?!$)|$)){4}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-f:]*:[0-9a-f:.]*");

    private NoProxy() {}

    /**
     * Whether a server is talked to without the proxy. This machine always is.
     *
     * @param host its name or address, the latter without brackets
     */
    static boolean excepts(String noProxy, String host, int port) {
        String name = ascii(host.toLowerCase(Locale.ROOT).strip());
        Optional<InetAddress> address = address(name);
        if (name.equals("localhost")
                || address.filter(InetAddress::isLoopbackAddress).isPresent()) {
            return true;
        }
        return Arrays.stream(noProxy.split(","))
                .map(entry -> entry.strip().toLowerCase(Locale.ROOT))
                .filter(entry -> !entry.isEmpty())
                .anyMatch(entry -> excepts(entry, name, address, port));
    }

    private static boolean excepts(
            String entry, String name, Optional<InetAddress> address, int port) {
        if (entry.equals("*")) {
            return true;
        }
        int slash = entry.indexOf('/');
        if (slash >= 0) {
            return address.isPresent()
                    && isInRange(
                            address.get(), entry.substring(0, slash), entry.substring(slash + 1));
        }
        String host = entry;
        int colon = entry.lastIndexOf(':');
        boolean bracketed = entry.startsWith("[") && entry.contains("]");
        if (bracketed) {
            host = entry.substring(1, entry.indexOf(']'));
        }
        if (bracketed ? colon > entry.indexOf(']') : colon >= 0 && colon == entry.indexOf(':')) {
            host = bracketed ? host : entry.substring(0, colon);
            if (!entry.substring(colon + 1).equals(Integer.toString(port))) {
                return false;
            }
        }
        Optional<InetAddress> excepted = address(host);
        if (excepted.isPresent() || address.isPresent()) {
            return excepted.equals(address);
        }
        return isBelow(name, host);
    }

    private static boolean isBelow(String name, String entry) {
        String domain = entry.startsWith("*.") ? entry.substring(1) : entry;
        if (domain.isEmpty()) {
            return false;
        }
        domain = ascii(domain);
        return domain.startsWith(".")
                ? name.endsWith(domain)
                : name.equals(domain) || name.endsWith("." + domain);
    }

    private static boolean isInRange(InetAddress address, String network, String length) {
        byte[] base = address(network).map(InetAddress::getAddress).orElse(new byte[0]);
        byte[] bytes = address.getAddress();
        if (base.length != bytes.length || !length.matches("\\d{1,3}")) {
            return false;
        }
        int bits = Integer.parseInt(length);
        if (bits > 8 * base.length) {
            return false;
        }
        for (int i = 0; i < bits; i++) {
            int mask = 0x80 >> (i % 8);
            if ((base[i / 8] & mask) != (bytes[i / 8] & mask)) {
                return false;
            }
        }
        return true;
    }

    /** An address that is written as such; names are not looked up. */
    static Optional<InetAddress> address(String text) {
        if (!IPV4.matcher(text).matches() && !IPV6.matcher(text).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.getByName(text));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    private static String ascii(String name) {
        try {
            return name.startsWith(".") ? "." + IDN.toASCII(name.substring(1)) : IDN.toASCII(name);
        } catch (IllegalArgumentException e) {
            return name;
        }
    }
}
