package io.volumesnapshotter;

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

    private DriverError() {}

    /** Whether waiting is of no use. */
    public static boolean isFinal(String message) {
        return FINAL.matcher(message).find();
    }
}
