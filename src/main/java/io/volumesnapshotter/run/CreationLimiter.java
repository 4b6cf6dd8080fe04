package io.volumesnapshotter.run;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;

/**
 * A step that goes on when it is the exchange's turn, so that no more creations of a schedule are
 * under way at once than its concurrency allows. What waits for its turn holds no thread; what
 * waits to be sent again holds no turn.
 *
 * <p>The turn ends when the thread comes back: the steps up to the request must not hand over to
 * another one.
 */
public final class CreationLimiter extends AsyncProcessorSupport {

    private final Executor threads;
    private final Map<String, Slots> bySchedule = new ConcurrentHashMap<>();

    /**
     * @param threads has a thread for each turn of all schedules
     */
    public CreationLimiter(Executor threads) {
        this.threads = threads;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        Run run = exchange.getVariable("run", Run.class);
        try {
            bySchedule
                    .computeIfAbsent(run.schedule(), any -> new Slots())
                    .take(() -> callback.done(false), run.concurrency());
            return false;
        } catch (RejectedExecutionException e) {
            exchange.setException(e);
            callback.done(true);
            return true;
        }
    }

    private final class Slots {

        private final Queue<Runnable> waiting = new ArrayDeque<>();
        private int taken;

        void take(Runnable task, int limit) {
            synchronized (this) {
                if (taken >= limit) {
                    waiting.add(task);
                    return;
                }
                taken++;
            }
            start(task);
        }

        private void start(Runnable task) {
            try {
                threads.execute(
                        () -> {
                            try {
                                task.run();
                            } finally {
                                passOn();
                            }
                        });
            } catch (RejectedExecutionException e) {
                passOn();
                throw e;
            }
        }

        private void passOn() {
            Runnable next;
            synchronized (this) {
                next = waiting.poll();
                if (next == null) {
                    taken--;
                    return;
                }
            }
            start(next);
        }
    }
}
