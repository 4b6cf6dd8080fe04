package io.volumesnapshotter.settings;

import io.fabric8.kubernetes.client.utils.KubernetesResourceUtil;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The names that Kubernetes accepts for objects. Source: "Object Names and IDs" of the Kubernetes
 * documentation.
 */
public final class ObjectNames {

    /** Longest name of an object (RFC 1123 subdomain), in characters. */
    public static final int MAX_NAME = 253;

    /** Longest value of a label and longest RFC 1123 label, in characters. */
    public static final int MAX_LABEL = 63;

    private ObjectNames() {}

    /** Whether this can be the name of a claim, a snapshot or a snapshot class. */
    public static boolean isSubdomain(String name) {
        return KubernetesResourceUtil.isValidSubdomainName(name);
    }

    /** Whether this can be the name of a namespace. */
    public static boolean isLabel(String name) {
        return name.length() <= MAX_LABEL && !name.contains(".") && isSubdomain(name);
    }

    /** The first four bytes of a text's SHA-256, as eight hexadecimal digits. */
    public static String hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
