package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.Waiting;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What drills and browses work with.
 *
 * @param send has a change carried out; what fails is thrown
 * @param clock the present
 * @param steady measures how long something takes, whatever becomes of the other clock
 * @param pause waits for a time; false when the wait was interrupted
 * @param told is told what goes on
 * @param labels what temporary objects are labelled with besides, so that whose they are is known
 */
public record TrialAccess(
        KubernetesClient client,
        Consumer<Change> send,
        InstantSource clock,
        InstantSource steady,
        Predicate<Duration> pause,
        Consumer<String> told,
        Map<String, String> labels) {

    /** How long to wait until what was made is removed. */
    static final Duration TO_REMOVE = Duration.ofMinutes(5);

    /** For a command: what it makes is nobody's but its own. */
    public TrialAccess(
            KubernetesClient client,
            Consumer<Change> send,
            InstantSource clock,
            Predicate<Duration> pause,
            Consumer<String> told) {
        this(client, send, clock, clock, pause, told, Map.of());
    }

    Restores restores() {
        return new Restores(client, send);
    }

    Waiting waiting(Duration limit) {
        return new Waiting(steady, limit, pause);
    }

    /** What was begun is removed also when the wait was interrupted. */
    Waiting removal() {
        return new Waiting(
                steady,
                TO_REMOVE,
                time -> {
                    if (!pause.test(time)) {
                        LockSupport.parkNanos(time.toNanos());
                    }
                    return true;
                });
    }
}
