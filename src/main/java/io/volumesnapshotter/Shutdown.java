package io.volumesnapshotter;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.main.Main;
import org.slf4j.LoggerFactory;

/**
 * The shutdown hook that ends the process in order when a signal tells it to: triggers stop, runs
 * may end for as long as Camel's shutdown timeout says, and the exit code is 0. Left to itself, a
 * JVM that a signal ends has the code 143, which looks like a failure.
 */
final class Shutdown extends Thread {

    /** What the end may take beyond the time for the runs. */
    private static final Duration MARGIN = Duration.ofSeconds(10);

    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Main main;
    private volatile int exitCode;

    Shutdown() {
        super("shutdown");
    }

    /** Stops this when the signal comes. */
    void stops(Main started) {
        main = started;
    }

    /** Tells that the program has ended, and with which code. */
    void ended(int code) {
        exitCode = code;
        ended.countDown();
    }

    @Override
    public void run() {
        Main running = main;
        if (running != null && ended.getCount() > 0) {
            running.completed();
            await(limit(running));
        }
        Runtime.getRuntime().halt(exitCode);
    }

    private static Duration limit(Main running) {
        return running.getCamelContext() == null
                ? MARGIN
                : MARGIN.plusSeconds(running.getCamelContext().getShutdownStrategy().getTimeout());
    }

    private void await(Duration limit) {
        try {
            if (!ended.await(limit.toSeconds(), TimeUnit.SECONDS)) {
                LoggerFactory.getLogger(Shutdown.class)
                        .warn(
                                "not stopped in order within {} s; the next run completes all",
                                limit.toSeconds());
            }
        } catch (InterruptedException e) {
            interrupt();
        }
    }
}
