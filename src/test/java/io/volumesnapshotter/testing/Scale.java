package io.volumesnapshotter.testing;

/**
 * How much is done of what takes long by nature. {@code mvn verify} does a small part of it, so
 * that it is run often; {@code mvn verify -Pwhole} sets the system property {@code test.whole} and
 * does it all.
 */
public final class Scale {

    /** Whether all is done. */
    public static final boolean WHOLE = Boolean.getBoolean("test.whole");

    private Scale() {}

    /** As many as are done this time. */
    public static int of(int small, int whole) {
        return WHOLE ? whole : small;
    }
}
