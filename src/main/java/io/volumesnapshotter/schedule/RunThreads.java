package io.volumesnapshotter.schedule;

import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.quartz.SchedulerConfigException;
import org.quartz.spi.ThreadPool;

/**
 * Quartz's threads, one for each run at the same time. Runs hardly ever overlap, so a thread comes
 * with a run and goes a minute after it; Quartz's own pool holds all of them from the start.
 *
 * <p>Quartz makes it by its name and sets what {@code application.properties} says.
 */
public final class RunThreads implements ThreadPool {

    private static final long IDLE_SECONDS = 60;

    private final AtomicInteger numbers = new AtomicInteger();
    private int threadCount;
    private String schedulerName = "quartz";

    /** Bounds the executor: a thread that is done with a run may not yet be there for the next. */
    private Semaphore free;

    private ThreadPoolExecutor executor;

    /** How many runs may go on at the same time; the next one waits. */
    public void setThreadCount(int count) {
        threadCount = count;
    }

    @Override
    public void setInstanceId(String id) {
        // Nothing goes by it.
    }

    @Override
    public void setInstanceName(String name) {
        schedulerName = name;
    }

    @Override
    public void initialize() throws SchedulerConfigException {
        if (threadCount < 1) {
            throw new SchedulerConfigException(
                    "threadCount: " + threadCount + " is not valid: give a number above 0");
        }
        free = new Semaphore(threadCount);
        executor =
                new ThreadPoolExecutor(
                        0,
                        Integer.MAX_VALUE,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        task ->
                                new Thread(
                                        task,
                                        schedulerName + "_Worker-" + numbers.incrementAndGet()));
    }

    /** Waits until a thread is free. */
    @Override
    public int blockForAvailableThreads() {
        free.acquireUninterruptibly();
        free.release();
        return Math.max(1, free.availablePermits());
    }

    @Override
    public boolean runInThread(Runnable task) {
        if (task == null) {
            return false;
        }
        free.acquireUninterruptibly();
        try {
            executor.execute(
                    () -> {
                        try {
                            task.run();
                        } finally {
                            free.release();
                        }
                    });
            return true;
        } catch (RuntimeException e) {
            free.release();
            throw e;
        }
    }

    @Override
    public int getPoolSize() {
        return threadCount;
    }

    @Override
    public void shutdown(boolean waitForJobsToComplete) {
        executor.shutdown();
        if (waitForJobsToComplete) {
            try {
                executor.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
