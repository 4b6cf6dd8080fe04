package io.volumesnapshotter.kubernetes;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The headers that ask the API server to take a request for somebody else's, as a kubeconfig's
 * {@code as} wants it.
 *
 * @see <a
 *     href="https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/">Kubernetes
 *     on impersonation</a>
 */
final class Impersonation {

    /** What the HTTP client sends as it is; it would turn other characters into question marks. */
    private static final Pattern SENDABLE = Pattern.compile("[\\x20-\\x7e]*");

    /** What a header's name may have, but for the percent sign that escapes the rest. */
    private static final String IN_NAMES = "!#$&'*+-.^_`|~";

    private Impersonation() {}

    /** The headers of a user, in the order of the fields. */
    static Map<String, List<String>> of(KubeconfigEntry user) {
        String name = user.text("as");
        String uid = user.text("as-uid");
        List<String> groups = user.texts("as-groups");
        Map<String, List<String>> extra = user.textsByName("as-user-extra");
        if (name.isEmpty()) {
            if (!uid.isEmpty() || !groups.isEmpty() || !extra.isEmpty()) {
                throw user.invalid(
                        "as",
                        name,
                        "name the user that as-uid, as-groups and as-user-extra go with");
            }
            return Map.of();
        }
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Impersonate-User", List.of(name));
        if (!uid.isEmpty()) {
            headers.put("Impersonate-Uid", List.of(uid));
        }
        if (!groups.isEmpty()) {
            headers.put("Impersonate-Group", groups);
        }
        extra.forEach((key, values) -> headers.put("Impersonate-Extra-" + escaped(key), values));
        return sendable(headers, value -> user.invalid("as", value, "only ASCII can be sent"));
    }

    /**
     * The headers of a user that the command line names.
     *
     * @throws InvalidSettingException when that cannot be sent
     */
    static Map<String, List<String>> of(String name, List<String> groups) {
        if (name.isEmpty()) {
            throw new InvalidSettingException(
                    "--as-group", String.join(",", groups), "name the user, too, by --as");
        }
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Impersonate-User", List.of(name));
        if (!groups.isEmpty()) {
            headers.put("Impersonate-Group", groups);
        }
        return sendable(
                headers,
                value -> new InvalidSettingException("--as", value, "only ASCII can be sent"));
    }

    private static Map<String, List<String>> sendable(
            Map<String, List<String>> headers, Function<String, InvalidSettingException> mistake) {
        headers.values().stream()
                .flatMap(List::stream)
                .filter(value -> !SENDABLE.matcher(value).matches())
                .findFirst()
                .ifPresent(
                        value -> {
                            throw mistake.apply(value);
                        });
        return headers;
    }

    private static String escaped(String key) {
        StringBuilder name = new StringBuilder();
        for (byte next : key.getBytes(StandardCharsets.UTF_8)) {
            boolean alphanumeric =
                    next >= '0' && next <= '9'
                            || next >= 'A' && next <= 'Z'
                            || next >= 'a' && next <= 'z';
            if (alphanumeric || next > 0 && IN_NAMES.indexOf(next) >= 0) {
                name.append((char) next);
            } else {
                name.append("%%%02X".formatted(next));
            }
        }
        return name.toString();
    }
}
