package io.volumesnapshotter.run;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Lets runs of one schedule follow one another, whoever starts them. */
final class Turns {

    /** Only of schedules with a run that goes on or waits. */
    private final Map<String, Turn> bySchedule = new ConcurrentHashMap<>();

    /**
     * A schedule's turn.
     *
     * @param free has its one permit while nobody has the turn
     * @param users how many have it or wait for it
     */
    private record Turn(Semaphore free, int users) {

        Turn with(int more) {
            return users + more == 0 ? null : new Turn(free, users + more);
        }
    }

    /**
     * Waits until no run of the schedule goes on.
     *
     * @param ends whether to wait no longer
     * @return whether it is the caller's turn, which has to {@link #release} it
     */
    boolean take(String schedule, BooleanSupplier ends) throws InterruptedException {
        Semaphore free =
                bySchedule
                        .merge(
                                schedule,
                                new Turn(new Semaphore(1, true), 1),
                                (turn, another) -> turn.with(1))
                        .free();
        boolean taken = false;
        try {
            while (!taken && !ends.getAsBoolean()) {
                taken = free.tryAcquire(1, TimeUnit.SECONDS);
            }
        } finally {
            if (!taken) {
                leave(schedule);
            }
        }
        return taken;
    }

    void release(String schedule) {
        bySchedule.get(schedule).free().release();
        leave(schedule);
    }

    private void leave(String schedule) {
        bySchedule.computeIfPresent(schedule, (same, turn) -> turn.with(-1));
    }

    /** Whether a run of a schedule goes on or waits to start. */
    boolean isBusy(String schedule) {
        return bySchedule.containsKey(schedule);
    }
}
