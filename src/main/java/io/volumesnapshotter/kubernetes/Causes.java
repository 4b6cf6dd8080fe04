package io.volumesnapshotter.kubernetes;

import java.util.Optional;

/**
 * Looks into what caused an exception. Camel's own helper looks into suppressed ones too, where it
 * puts earlier failures of the same exchange, which have healed or been told already.
 */
public final class Causes {

    private Causes() {}

    /** The first of this type, from the exception itself inwards. */
    public static <T extends Throwable> Optional<T> find(Class<T> type, Throwable exception) {
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return Optional.of(type.cast(cause));
            }
        }
        return Optional.empty();
    }

    public static boolean has(Class<? extends Throwable> type, Throwable exception) {
        return find(type, exception).isPresent();
    }
}
