package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.HeldBySchedule;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Which fire times came, had their run, or are to be asked about again. It only spares questions:
 * what took place is seen in the cluster. Safe for use by several threads.
 */
public final class FireTimes implements HeldBySchedule {

    private static final Duration RETRY = Duration.ofSeconds(10);

    /** After a refusal asking sooner cannot help. */
    private static final Duration RETRY_AFTER_REFUSAL = Duration.ofMinutes(10);

    private final InstantSource steady;
    private final Map<String, Instant> lastFires = new ConcurrentHashMap<>();
    private final Map<String, Instant> lastRuns = new ConcurrentHashMap<>();
    private final Map<String, Instant> retries = new ConcurrentHashMap<>();
    private final Map<String, Instant> suspended = new ConcurrentHashMap<>();

    /**
     * @param steady measures waits, whatever becomes of the wall clock
     */
    public FireTimes(InstantSource steady) {
        this.steady = steady;
    }

    /** A fire for this time came while this program was the leader. */
    void markFired(String schedule, Instant due) {
        lastFires.merge(schedule, due, (a, b) -> a.isAfter(b) ? a : b);
    }

    /** Whether a fire for this time, or a later one, came while this program was the leader. */
    public boolean hasFired(String schedule, Instant due) {
        Instant last = lastFires.get(schedule);
        return last != null && !last.isBefore(due);
    }

    /** Whether a fire for a later time came. */
    boolean hasFiredLater(String schedule, Instant due) {
        Instant last = lastFires.get(schedule);
        return last != null && last.isAfter(due);
    }

    /** A fire did not come to its run here; another replica, or a later try, is to have it. */
    void forgetFire(String schedule, Instant due) {
        lastFires.remove(schedule, due);
    }

    /** A fire did not come to its run, and is to be made up again in a while. */
    void retryLater(String schedule, Instant due, boolean refused) {
        forgetFire(schedule, due);
        retries.put(schedule, steady.instant().plus(refused ? RETRY_AFTER_REFUSAL : RETRY));
    }

    /** Takes the note that it is time to try again, if there is one. */
    public boolean takeRetry(String schedule) {
        Instant again = retries.get(schedule);
        return again != null && again.isBefore(steady.instant()) && retries.remove(schedule, again);
    }

    /** The run for a fire time began. */
    void markBegun(String schedule, Instant due) {
        lastRuns.put(schedule, due);
    }

    /** Whether the last run that began was for this time. */
    boolean hasBegun(String schedule, Instant due) {
        return due.equals(lastRuns.get(schedule));
    }

    /** A schedule was suspended when it was due, and now it is too late. */
    void markSuspended(String schedule, Instant due) {
        suspended.put(schedule, due);
    }

    /** Whether a schedule was suspended when it was due. */
    boolean wasSuspended(String schedule, Instant due) {
        return due.equals(suspended.get(schedule));
    }

    /** Lets every fire time count as not yet run: another replica leads. */
    void forgetAll() {
        lastFires.clear();
        lastRuns.clear();
        retries.clear();
    }

    /**
     * Forgets what is later than the present, after this machine's clock was set back.
     *
     * @param now the present by the wall clock
     */
    void forgetFuture(Instant now) {
        lastFires.values().removeIf(time -> time.isAfter(now));
        lastRuns.values().removeIf(time -> time.isAfter(now));
        suspended.values().removeIf(time -> time.isAfter(now));
    }

    @Override
    public void retain(Predicate<String> isThere) {
        Stream.of(lastFires, lastRuns, retries, suspended)
                .forEach(times -> times.keySet().removeIf(isThere.negate()));
    }
}
