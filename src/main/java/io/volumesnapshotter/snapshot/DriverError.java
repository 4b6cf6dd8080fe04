package io.volumesnapshotter.snapshot;

import java.util.regex.Pattern;

/**
 * Reads {@code status.error.message}. The snapshot controller tries for ever, and most of what it
 * reports clears by itself, so only what is known to stay ends a wait.
 */
public final class DriverError {

    /**
     * Errors of the snapshot controller and gRPC codes of the CSI specification that do not heal:
     * the class is not there, there is not exactly one default class, the volume or the driver
     * cannot be snapshotted.
     */
    private static final Pattern FINAL =
            Pattern.compile(
                    "volumesnapshotclass\\S* \"[^\"]*\" not found"
                            + "|cannot find default snapshot class"
                            + "|\\d+ default snapshot classes were found"
                            + "|non-CSI volume"
                            + "|persistentvolumeclaims?\\s+\\S*\"[^\"]+\" not found"
                            + "|failed to retrieve PVC \\S+ from the lister"
                            + "|cannot get claim from snapshot"
                            + "|code = (?:InvalidArgument|PermissionDenied|Unimplemented)\\b",
                    Pattern.CASE_INSENSITIVE);

    /** What drivers say when a limit of theirs or their storage is full. */
    private static final Pattern FULL =
            Pattern.compile(
                    "code = ResourceExhausted|no space left|quota\\b|limit\\s*exceeded"
                            + "|exceed\\w*\\s(?:\\w+\\s){0,4}(?:limit|quota|maximum)"
                            + "|(?:maximum|max|limit)\\s(?:\\w+\\s){0,4}snapshots?"
                            + "|snapshots?\\s(?:\\w+\\s){0,3}(?:limit|maximum)"
                            + "|too many snapshots",
                    Pattern.CASE_INSENSITIVE);

    /** What drivers say when they are called too often, whatever code they put on it. */
    private static final Pattern THROTTLED =
            Pattern.compile(
                    "\\b429\\b|too many requests|rate.?limit|rate exceeded|throttl"
                            + "|try again later|retry later",
                    Pattern.CASE_INSENSITIVE);

    private DriverError() {}

    /** Whether two messages differ in nothing but ids, times and counts. */
    public static boolean areSame(String message, String other) {
        return other != null && constant(message).equals(constant(other));
    }

    /** A message without what drivers put anew into each answer: ids of requests, times, counts. */
    private static String constant(String message) {
        StringBuilder constant = new StringBuilder(message.length());
        int from = 0;
        while (from < message.length()) {
            int to = from;
            boolean varies = false;
            while (to < message.length() && isOfId(message.charAt(to))) {
                varies |= isDigit(message.charAt(to));
                to++;
            }
            to = Math.max(to, from + 1);
            if (!varies) {
                constant.append(message, from, to);
            }
            from = to;
        }
        return constant.toString();
    }

    private static boolean isOfId(char c) {
        return isDigit(c) || c == '-' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** Whether it is of no use to wait until the snapshot is ready. */
    public static boolean isFinal(String message) {
        return FINAL.matcher(message).find()
                && !isFull(message)
                && !THROTTLED.matcher(message).find();
    }

    /**
     * Whether the driver has no room for one more snapshot, so that deleting some may help. A
     * driver that is called too often is not full.
     */
    public static boolean isFull(String message) {
        return FULL.matcher(message).find() && !THROTTLED.matcher(message).find();
    }
}
