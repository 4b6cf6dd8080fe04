package io.volumesnapshotter.soak;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.ToIntFunction;

/**
 * Kills the packaged program again and again, at random moments and at random boundaries of its
 * requests, while storage and API misbehave at random, and watches that it keeps its promises all
 * the time. It ends at the first broken one with exit code 1.
 *
 * <p>System properties: {@code soak.kills} (500), {@code soak.seed} (random), {@code soak.lanes}
 * (2), which is how many clusters there are side by side.
 */
public final class Soak {

    private static final int UNDISTURBED_EVERY = 25;
    private static final int TOLD_EVERY = 10;

    private final long seed;
    private final List<SoakLane> lanes = new ArrayList<>();
    private final Instant begin = Instant.now();
    private final int kills;
    private volatile boolean broken;

    private Soak(int kills, long seed) {
        this.kills = kills;
        this.seed = seed;
    }

    public static void main(String[] args) throws Exception {
        long seed = Long.getLong("soak.seed", System.currentTimeMillis());
        try {
            run(Integer.getInteger("soak.kills", 500), seed, Integer.getInteger("soak.lanes", 2));
        } catch (CompletionException e) {
            System.out.println(e.getCause());
            System.exit(1);
        }
    }

    /**
     * Kills the program so many times.
     *
     * @throws CompletionException whose cause tells which promise was broken, at which kill
     */
    static void run(int kills, long seed, int lanes) throws Exception {
        Soak soak = new Soak(kills, seed);
        System.out.printf("%,d kills, seed %d, %d lanes%n", kills, seed, lanes);
        try {
            for (int lane = 0; lane < lanes; lane++) {
                soak.lanes.add(new SoakLane(lane, seed));
            }
            soak.run();
        } finally {
            for (SoakLane lane : soak.lanes) {
                lane.close();
            }
        }
    }

    private void run() {
        CompletableFuture<?>[] ends =
                lanes.stream()
                        .map(
                                lane ->
                                        CompletableFuture.runAsync(
                                                () -> run(lane), task -> new Thread(task).start()))
                        .toArray(CompletableFuture<?>[]::new);
        CompletableFuture.allOf(ends).join();
        tell("; no promise was broken");
    }

    private void run(SoakLane lane) {
        try {
            int own = kills / lanes.size() + (lanes.indexOf(lane) < kills % lanes.size() ? 1 : 0);
            while (lane.kills() < own && !broken) {
                lane.round();
                if (lane.kills() % UNDISTURBED_EVERY == 0 || lane.kills() == own) {
                    lane.settle();
                }
                if (lane.kills() % TOLD_EVERY == 0) {
                    tell("");
                }
            }
        } catch (Exception | AssertionError e) {
            broken = true;
            throw new CompletionException(e);
        }
    }

    private void tell(String end) {
        System.out.printf(
                "%,5d s: %,d kills; runs: %,d succeeded, %,d failed; snapshots: %,d created, %,d"
                        + " deleted%s%n",
                Duration.between(begin, Instant.now()).toSeconds(),
                sum(SoakLane::kills),
                sum(lane -> lane.watch().succeeded()),
                sum(lane -> lane.watch().failed()),
                sum(lane -> lane.watch().created()),
                sum(lane -> lane.watch().deleted()),
                end);
    }

    private int sum(ToIntFunction<SoakLane> of) {
        return lanes.stream().mapToInt(of).sum();
    }
}
