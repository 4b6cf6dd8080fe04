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
                            + "|code = (?:InvalidArgument|PermissionDenied|Unimplemented)\\b",
                    Pattern.CASE_INSENSITIVE);

    /** What drivers put anew into each answer: ids of requests, times, counts. */
    private static final Pattern VARYING = Pattern.compile("[0-9a-fA-F-]*\\d[0-9a-fA-F-]*");

    private DriverError() {}

    /** Whether two messages say the same, but for ids, times and counts in them. */
    public static boolean areSame(String message, String other) {
        return other != null
                && VARYING.matcher(message)
                        .replaceAll("")
                        .equals(VARYING.matcher(other).replaceAll(""));
    }

    /** Whether waiting is of no use. */
    public static boolean isFinal(String message) {
        return FINAL.matcher(message).find();
    }
}
