package io.volumesnapshotter.restore;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Predicate;

/**
 * Waits between looks, longer and longer, up to a limit.
 *
 * @param steady a clock that nobody can set
 * @param limit how long to wait in all
 * @param pause waits for a time; false when the wait was interrupted
 */
public record Waiting(InstantSource steady, Duration limit, Predicate<Duration> pause) {

    private static final Duration SHORTEST = Duration.ofMillis(250);
    private static final Duration LONGEST = Duration.ofSeconds(5);

    /** A look that says whether there is nothing to wait for any more. */
    public interface Look {
        boolean isOver();
    }

    /** How a wait ended. */
    public enum End {
        OVER,
        LATE,
        INTERRUPTED
    }

    /** Looks until it is over. */
    public End until(Look look) {
        Instant end = steady.instant().plus(limit);
        Duration wait = SHORTEST;
        while (!look.isOver()) {
            if (!steady.instant().isBefore(end)) {
                return End.LATE;
            }
            if (!pause.test(wait)) {
                return End.INTERRUPTED;
            }
            wait = wait.multipliedBy(2).compareTo(LONGEST) < 0 ? wait.multipliedBy(2) : LONGEST;
        }
        return End.OVER;
    }
}
