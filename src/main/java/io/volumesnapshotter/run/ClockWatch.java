package io.volumesnapshotter.run;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/**
 * Notices when the wall clock is set: between two looks it then has not passed what a steady clock
 * has. A clock that is merely slewed stays below the tolerance. For use by one thread.
 */
final class ClockWatch {

    /** What is no jump. */
    static final Duration TOLERANCE = Duration.ofSeconds(1);

    /** Both clocks are read in less; where it took more, the thread was held up in between. */
    private static final Duration LONGEST_READING = Duration.ofMillis(100);

    private final InstantSource wall;
    private final InstantSource steady;
    private Instant lastWall;
    private Instant lastSteady;

    ClockWatch(InstantSource wall, InstantSource steady) {
        this.wall = wall;
        this.steady = steady;
        takeJump();
    }

    /**
     * How far the wall clock was set since the last look; negative when it was set back, empty when
     * it was not. A machine that slept looks like one whose clock was set ahead.
     */
    Optional<Duration> takeJump() {
        Instant before = steady.instant();
        Instant now = wall.instant();
        Instant after = steady.instant();
        if (Duration.between(before, after).compareTo(LONGEST_READING) > 0) {
            return Optional.empty();
        }
        Optional<Duration> jump =
                Optional.ofNullable(lastWall)
                        .map(last -> last.plus(Duration.between(lastSteady, after)))
                        .map(expected -> Duration.between(expected, now))
                        .filter(difference -> difference.abs().compareTo(TOLERANCE) > 0);
        lastWall = now;
        lastSteady = after;
        return jump;
    }
}
