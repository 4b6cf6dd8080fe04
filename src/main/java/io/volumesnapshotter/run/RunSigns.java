package io.volumesnapshotter.run;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a run that a command waits for looks at. A watch holds the next look until there is
 * something to see, and shows it, so that the snapshots are listed once in a while only. Where the
 * watch is refused or breaks, each look is a list. For one run.
 */
public final class RunSigns {

    /** How long after another a look that sends a request may follow. */
    private static final Duration BETWEEN_LISTS = Duration.ofSeconds(1);

    /** How long a look is held where nothing is seen: the watch may have died without a word. */
    private static final Duration QUIET = Duration.ofSeconds(5);

    /** How long a server is asked to watch. */
    private static final Duration WATCH = Duration.ofSeconds(30);

    /** A watch that ends sooner than that is none; another one would end as soon. */
    private static final Duration SHORTEST = Duration.ofSeconds(1);

    /** How soon it is noticed that the run was given up. */
    private static final Duration STEP = Duration.ofMillis(100);

    private static final String TYPE = "/type";
    private static final String OBJECT = "/object";
    private static final List<String> FIELDS =
            Stream.concat(Stream.of(TYPE), SnapshotReader.FIELDS.stream().map(OBJECT::concat))
                    .toList();

    private static final Logger LOG = LoggerFactory.getLogger(RunSigns.class);

    private final Optional<ClusterReader> reader;
    private final Executor executor;
    private final Map<String, Snapshot> seen = new ConcurrentHashMap<>();
    private final AtomicBoolean begun = new AtomicBoolean();
    private final Semaphore signs = new Semaphore(0);
    private volatile long listedAt = System.nanoTime() - QUIET.toNanos();

    /**
     * @param reader watches; empty where nobody waits for runs
     * @param executor has a thread for the watch
     */
    public RunSigns(Optional<ClusterReader> reader, Executor executor) {
        this.reader = reader;
        this.executor = executor;
    }

    /**
     * Returns when it is time to look. What is looked at then is what the watch has shown, if none
     * that was asked for is missing there and they were listed not long ago; else a list.
     */
    public void await(@Variable("run") Run run) throws InterruptedException {
        if (reader.isEmpty()) {
            return;
        }
        if (begun.compareAndSet(false, true)) {
            run.view().markWatched(true);
            executor.execute(() -> watch(reader.get(), run));
        }
        boolean isSeen = false;
        while (run.view().isWatched() && run.isOpen() && !isOver(QUIET)) {
            isSeen |= signs.tryAcquire(STEP.toMillis(), TimeUnit.MILLISECONDS);
            signs.drainPermits();
            if (isSeen && run.view().show(run, List.copyOf(seen.values()))) {
                return;
            }
            if (isSeen && isOver(BETWEEN_LISTS)) {
                break;
            }
        }
        listedAt = System.nanoTime();
    }

    private boolean isOver(Duration sinceList) {
        return System.nanoTime() - listedAt > sinceList.toNanos();
    }

    private void watch(ClusterReader watcher, Run run) {
        try {
            long begin;
            do {
                begin = System.nanoTime();
                seen.clear();
                watcher.watchSelected(
                        SnapshotApi.KIND,
                        run.listedNamespace(),
                        run.selector(),
                        FIELDS,
                        WATCH,
                        event -> {
                            mark(event);
                            return !run.isOpen();
                        });
            } while (run.isOpen() && System.nanoTime() - begin > SHORTEST.toNanos());
        } catch (KubernetesClientException e) {
            LOG.debug("{}: no watch, so it looks once a second: {}", run.name(), e.getMessage());
        } finally {
            run.view().markWatched(false);
        }
    }

    private void mark(ApiObject event) {
        String type = event.text(TYPE, "");
        ApiObject object = event.within(OBJECT);
        String key = object.text(ApiObject.NAMESPACE) + "/" + object.text(ApiObject.NAME);
        switch (type) {
            case "ADDED", "MODIFIED" -> {
                Snapshot snapshot = SnapshotReader.read(object);
                seen.put(key, snapshot);
                if (snapshot.ready() || snapshot.terminating() || snapshot.error() != null) {
                    signs.release();
                }
            }
            case "DELETED" -> {
                seen.remove(key);
                signs.release();
            }
            default -> LOG.debug("the watch says {}", type);
        }
    }
}
