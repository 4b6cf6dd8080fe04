package io.volumesnapshotter.run;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the next look at a run that a command waits for until a watch shows that there is something
 * to see. What is, the look says. Where the watch is refused or breaks, no look is held any more.
 * For one run.
 */
public final class RunSigns {

    /** How long a look is held where nothing is seen: the watch may have died without a word. */
    private static final Duration QUIET = Duration.ofSeconds(5);

    /** How long a server is asked to watch. */
    private static final Duration WATCH = Duration.ofSeconds(30);

    /** A watch that ends sooner than that is none; another one would end as soon. */
    private static final Duration SHORTEST = Duration.ofSeconds(1);

    /** How soon it is noticed that the run was given up. */
    private static final Duration STEP = Duration.ofMillis(100);

    private static final String TYPE = "/type";
    private static final String READY = "/object/status/readyToUse";
    private static final String ERROR = "/object/status/error/message";

    private static final Logger LOG = LoggerFactory.getLogger(RunSigns.class);

    private final Optional<ClusterReader> reader;
    private final Executor executor;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final Semaphore signs = new Semaphore(0);
    private volatile boolean isWatching;

    /**
     * @param reader watches; empty where nobody waits for runs
     * @param executor has a thread for the watch
     */
    public RunSigns(Optional<ClusterReader> reader, Executor executor) {
        this.reader = reader;
        this.executor = executor;
    }

    /** Returns when it is time to look. */
    public void await(@Variable("run") Run run) throws InterruptedException {
        if (reader.isEmpty()) {
            return;
        }
        if (begun.compareAndSet(false, true)) {
            isWatching = true;
            executor.execute(() -> watch(reader.get(), run));
        }
        long until = System.nanoTime() + QUIET.toNanos();
        boolean isSeen = false;
        while (!isSeen && isWatching && run.isOpen() && System.nanoTime() - until < 0) {
            isSeen = signs.tryAcquire(STEP.toMillis(), TimeUnit.MILLISECONDS);
        }
        signs.drainPermits();
    }

    private void watch(ClusterReader watcher, Run run) {
        try {
            long begin;
            do {
                begin = System.nanoTime();
                watcher.watchSelected(
                        SnapshotApi.KIND,
                        run.listedNamespace(),
                        run.selector(),
                        List.of(TYPE, READY, ERROR),
                        WATCH,
                        event -> {
                            if (event.isTrue(READY)
                                    || event.has(ERROR)
                                    || "DELETED".equals(event.text(TYPE))) {
                                signs.release();
                            }
                            return !run.isOpen();
                        });
            } while (run.isOpen() && System.nanoTime() - begin > SHORTEST.toNanos());
        } catch (KubernetesClientException e) {
            LOG.debug("{}: no watch, so it looks once a second: {}", run.name(), e.getMessage());
        } finally {
            isWatching = false;
        }
    }
}
