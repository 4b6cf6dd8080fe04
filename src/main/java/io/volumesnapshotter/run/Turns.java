package io.volumesnapshotter.run;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Lets runs of one schedule follow one another, whoever starts them. */
final class Turns {

    private final Map<String, Semaphore> bySchedule = new ConcurrentHashMap<>();

    /**
     * Waits until no run of the schedule goes on.
     *
     * @param ends whether to wait no longer
     * @return whether it is the caller's turn, which has to {@link #release} it
     */
    boolean take(String schedule, BooleanSupplier ends) throws InterruptedException {
        Semaphore turn = bySchedule.computeIfAbsent(schedule, any -> new Semaphore(1, true));
        while (!turn.tryAcquire(1, TimeUnit.SECONDS)) {
            if (ends.getAsBoolean()) {
                return false;
            }
        }
        return true;
    }

    void release(String schedule) {
        bySchedule.get(schedule).release();
    }

    /** Whether a run of a schedule goes on or waits to start. */
    boolean isBusy(String schedule) {
        Semaphore turn = bySchedule.get(schedule);
        return turn != null && (turn.availablePermits() == 0 || turn.hasQueuedThreads());
    }
}
