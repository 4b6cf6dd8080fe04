package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;

/**
 * A step that goes on when it is the exchange's turn, so that no more creations of a schedule are
 * under way at once than its concurrency allows, and no more of a storage class over all schedules
 * than {@link StorageLimits} allow. What waits for its turn holds no thread; what waits to be sent
 * again holds no turn of the schedule.
 *
 * <p>The turn ends when the thread comes back: the steps up to the request must not hand over to
 * another one.
 */
public final class CreationLimiter extends AsyncProcessorSupport {

    private final StorageLimits storage;
    private final Brake brake;
    private final Executor threads;
    private final ScheduledExecutorService timer;

    /** Only of schedules with creations that are under way or wait. */
    private final Map<String, Slots> bySchedule = new ConcurrentHashMap<>();

    /**
     * @param storage whether there is room for one more of its storage class
     * @param brake ends the waiting for that
     * @param threads has a thread for each turn of all schedules
     * @param timer asks again
     */
    public CreationLimiter(
            StorageLimits storage, Brake brake, Executor threads, ScheduledExecutorService timer) {
        this.storage = storage;
        this.brake = brake;
        this.threads = threads;
        this.timer = timer;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        Run run = exchange.getVariable("run", Run.class);
        Claim claim = exchange.getVariable("claim", Claim.class);
        try {
            awaitTurn(run, claim, exchange, callback);
            return false;
        } catch (RejectedExecutionException e) {
            exchange.setException(e);
            callback.done(true);
            return true;
        }
    }

    private void awaitTurn(Run run, Claim claim, Exchange exchange, AsyncCallback callback) {
        boolean isOver = !run.mayBeRequested(claim) || brake.reasonToStop(run).isPresent();
        if (isOver || storage.takeCreation(run, claim)) {
            take(run.schedule(), () -> callback.done(false), run.concurrency());
            return;
        }
        run.touch();
        Runnable again =
                () -> {
                    try {
                        awaitTurn(run, claim, exchange, callback);
                    } catch (RejectedExecutionException e) {
                        exchange.setException(e);
                        callback.done(false);
                    }
                };
        timer.schedule(again, StorageLimits.PAUSE, TimeUnit.MILLISECONDS);
    }

    private void take(String schedule, Runnable task, int limit) {
        AtomicBoolean starts = new AtomicBoolean();
        bySchedule.compute(
                schedule,
                (same, known) -> {
                    Slots slots = known == null ? new Slots() : known;
                    starts.set(slots.take(task, limit));
                    return slots;
                });
        if (starts.get()) {
            start(schedule, task);
        }
    }

    private void start(String schedule, Runnable task) {
        try {
            threads.execute(
                    () -> {
                        try {
                            task.run();
                        } finally {
                            passOn(schedule);
                        }
                    });
        } catch (RejectedExecutionException e) {
            passOn(schedule);
            throw e;
        }
    }

    private void passOn(String schedule) {
        AtomicReference<Runnable> next = new AtomicReference<>();
        bySchedule.compute(
                schedule,
                (same, slots) -> {
                    next.set(slots.passOn());
                    return slots.taken == 0 ? null : slots;
                });
        if (next.get() != null) {
            start(schedule, next.get());
        }
    }

    /** The turns of one schedule; used only while the map is being computed for it. */
    private static final class Slots {

        private final Queue<Runnable> waiting = new ArrayDeque<>();
        private int taken;

        /** Whether the task is to start; it waits otherwise. */
        boolean take(Runnable task, int limit) {
            if (taken >= limit) {
                waiting.add(task);
                return false;
            }
            taken++;
            return true;
        }

        /** What takes the turn that ends, or null. */
        Runnable passOn() {
            Runnable next = waiting.poll();
            if (next == null) {
                taken--;
            }
            return next;
        }
    }
}
