package io.volumesnapshotter.benchmark;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Measures how long after a snapshot is ready the command {@code take} says so, with the right to
 * watch and without it. One command takes all; storage is ready with each at a random moment.
 *
 * <p>System properties: {@code benchmark.snapshots} (200) and {@code benchmark.seconds} (60),
 * within which they become ready.
 */
public final class ReadyLag {

    private static final int SNAPSHOTS = Integer.getInteger("benchmark.snapshots", 200);
    private static final int SECONDS = Integer.getInteger("benchmark.seconds", 60);
    private static final String SAID = ": ready ";

    private ReadyLag() {}

    public static void main(String[] args) throws Exception {
        measure("with a watch", true);
        measure("without one", false);
    }

    private static void measure(String how, boolean mayWatch) throws Exception {
        Map<String, Long> ready = new ConcurrentHashMap<>();
        Map<String, Long> said = new ConcurrentHashMap<>();
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            if (mayWatch) {
                cluster.access()
                        .grant(SimulatedCluster.NAMESPACE, SimulatedCluster.SNAPSHOTS, "watch");
            }
            List<String> command = new ArrayList<>(List.of("take"));
            Random random = new Random(SNAPSHOTS);
            for (int i = 0; i < SNAPSHOTS; i++) {
                String claim = "claim-" + i;
                cluster.claim(SimulatedCluster.NAMESPACE, claim);
                cluster.driver()
                        .readyAfter(claim, Duration.ofMillis(random.nextInt(1000 * SECONDS)));
                command.add(claim);
            }
            cluster.watch(
                    (before, now) -> {
                        if (now != null && now.ready()) {
                            ready.putIfAbsent(now.name(), System.nanoTime());
                        }
                    });
            Cli cli = Cli.of(cluster).with("ready-timeout", "10m");
            CompletableFuture<Void> running =
                    Program.later(() -> cli.run(command.toArray(String[]::new)));
            boolean isOver = false;
            while (!isOver) {
                isOver = running.isDone();
                for (String line : cli.errLines()) {
                    int at = line.indexOf(SAID);
                    if (at > 0) {
                        said.putIfAbsent(line.substring(at + SAID.length()), System.nanoTime());
                    }
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
            running.get();
            long requests = cluster.log().entries(any -> true).size();
            print(how, ready, said, requests);
        }
    }

    private static void print(
            String how, Map<String, Long> ready, Map<String, Long> said, long requests) {
        double[] lags =
                said.entrySet().stream()
                        .mapToDouble(e -> (e.getValue() - ready.get(e.getKey())) / 1e9)
                        .sorted()
                        .toArray();
        System.out.printf(
                "%s: %d snapshots, p50 %.2f s, p99 %.2f s, most %.2f s; %d requests beside creations%n",
                how,
                lags.length,
                lags[lags.length / 2],
                lags[(int) Math.ceil(lags.length * 0.99) - 1],
                Arrays.stream(lags).max().orElseThrow(),
                requests - SNAPSHOTS);
    }
}
