package io.volumesnapshotter.testing;

import java.time.Duration;

/**
 * How long tests wait for what has to come. A limit only ends a test that hangs, so all are
 * generous; on a machine that is slower still, the system property {@code test.patience} multiplies
 * every one of them.
 */
public final class Patience {

    /** The system property with the factor; 1 without it. */
    public static final String PROPERTY = "test.patience";

    /**
     * How long a test waits for one thing; what {@code await()} waits without a limit of its own.
     */
    public static final Duration LIMIT = scaled(Duration.ofSeconds(60));

    /** How long one test may take. */
    static final Duration LONGEST_TEST = scaled(Duration.ofMinutes(10));

    private Patience() {}

    /**
     * A limit that a test sets on real time.
     *
     * @param limit what is enough on a machine that has nothing else to do
     * @return what is enough on this one
     * @throws NumberFormatException when the factor is no number
     */
    public static Duration scaled(Duration limit) {
        double factor = Double.parseDouble(System.getProperty(PROPERTY, "1"));
        return Duration.ofMillis(Math.round(limit.toMillis() * factor));
    }
}
