package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.testing.Program;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.quartz.SchedulerConfigException;

class RunThreadsTest {

    /** Of this test's own: threads of the one before may not be gone yet. */
    private final String name = "run-threads-test-" + UUID.randomUUID();

    private final RunThreads threads = new RunThreads();
    private final CountDownLatch end = new CountDownLatch(1);

    @BeforeEach
    void two() throws SchedulerConfigException {
        threads.setInstanceName(name);
        threads.setThreadCount(2);
        threads.initialize();
    }

    @AfterEach
    void endAll() {
        end.countDown();
        threads.shutdown(true);
    }

    @Test
    void noThreadIsThereBeforeThereIsARun() {
        assertThat(threads.getPoolSize()).isEqualTo(2);
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(thread -> thread.startsWith(name));

        threads.runInThread(this::untilTheEnd);

        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .contains(name + "_Worker-1");
    }

    @Test
    void anotherRunWaitsUntilAThreadIsFree() {
        threads.runInThread(this::untilTheEnd);
        threads.runInThread(this::untilTheEnd);
        AtomicInteger third = new AtomicInteger();
        AtomicInteger free = new AtomicInteger();

        Program.later(() -> threads.runInThread(third::incrementAndGet));
        Program.later(() -> free.set(threads.blockForAvailableThreads()));
        await().until(() -> waiting() == 2);
        assertThat(third).hasValue(0);
        assertThat(free).hasValue(0);
        end.countDown();

        await().untilAsserted(() -> assertThat(third).hasValue(1));
        await().untilAsserted(() -> assertThat(free.get()).isPositive());
    }

    @Test
    void aRunThatFailsGivesItsThreadBack() {
        for (int run = 0; run < 5; run++) {
            threads.runInThread(
                    () -> {
                        throw new QuietFailure();
                    });
        }

        assertThat(threads.blockForAvailableThreads()).isPositive();
        await().dontCatchUncaughtExceptions().until(() -> threads.blockForAvailableThreads() == 2);
    }

    @Test
    void oneThreadAtLeastIsNeeded() {
        RunThreads none = new RunThreads();

        assertThatThrownBy(none::initialize)
                .isInstanceOf(SchedulerConfigException.class)
                .hasMessageContaining("threadCount: 0 is not valid");
    }

    /** How many wait for a thread. */
    private static long waiting() {
        return Thread.getAllStackTraces().values().stream()
                .filter(
                        stack ->
                                Arrays.stream(stack)
                                        .map(StackTraceElement::getMethodName)
                                        .anyMatch("acquireUninterruptibly"::equals))
                .count();
    }

    private void untilTheEnd() {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class QuietFailure extends RuntimeException {

        private static final long serialVersionUID = 1L;
    }
}
