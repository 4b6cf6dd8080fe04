package io.volumesnapshotter.command;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Waits for a time, which Ctrl-C cuts short: then the command says what it leaves behind. */
final class Pause implements Predicate<Duration> {

    private final CountDownLatch interrupted = new CountDownLatch(1);

    Pause(Interrupts interrupts) {
        interrupts.onInterrupt(interrupted::countDown);
    }

    /** Waits; false when it was interrupted. */
    @Override
    public boolean test(Duration time) {
        try {
            return !interrupted.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
