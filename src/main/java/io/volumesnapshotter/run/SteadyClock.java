package io.volumesnapshotter.run;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * A clock that nobody can set, to measure how long something takes: it shows the time at which it
 * was made and what has passed since by the monotonic clock. Once the wall clock was set the two
 * differ, so its instants are to be compared only with each other.
 */
public final class SteadyClock implements InstantSource {

    private final Instant start;
    private final long startNanos;
    private final LongSupplier nanoTime;

    /**
     * @param wall where it starts
     * @param nanoTime the monotonic clock, in nanoseconds
     */
    public SteadyClock(InstantSource wall, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        start = wall.instant();
        startNanos = nanoTime.getAsLong();
    }

    @Override
    public Instant instant() {
        return start.plusNanos(nanoTime.getAsLong() - startNanos);
    }
}
