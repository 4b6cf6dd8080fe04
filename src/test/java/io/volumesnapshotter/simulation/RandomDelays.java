package io.volumesnapshotter.simulation;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * How long requests and their answers travel: a time by chance for each. Whichever of two requests
 * usually comes first then comes second now and then, so a test that counts on the usual order
 * falls.
 *
 * @param millis the times to choose from, in milliseconds; none for a wire without any delay
 */
record RandomDelays(List<Integer> millis) {

    /** The system property with the times, separated by commas, such as {@code 0,50,500}. */
    static final String PROPERTY = "cluster.delays";

    /** The delays that the system property asks for; none without it. */
    static RandomDelays ofThisTestRun() {
        return of(System.getProperty(PROPERTY, ""));
    }

    /**
     * @throws NumberFormatException when a time is no whole number
     */
    static RandomDelays of(String times) {
        return new RandomDelays(
                Arrays.stream(times.split(","))
                        .map(String::strip)
                        .filter(time -> !time.isEmpty())
                        .map(Integer::valueOf)
                        .toList());
    }

    /** An executor that begins each task as late as chance has it. */
    Executor of(Executor executor) {
        return millis.isEmpty()
                ? executor
                : task -> {
                    int delay = millis.get(ThreadLocalRandom.current().nextInt(millis.size()));
                    CompletableFuture.delayedExecutor(delay, TimeUnit.MILLISECONDS, executor)
                            .execute(task);
                };
    }
}
