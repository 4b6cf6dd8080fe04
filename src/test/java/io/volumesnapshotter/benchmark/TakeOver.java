package io.volumesnapshotter.benchmark;

import static io.volumesnapshotter.simulation.SimulatedCluster.NAMESPACE;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Measures how long two replicas of the packaged program are without a leader, with the default
 * settings, and when the first run of the new one starts. System property {@code takeover.times}
 * (3): how often each kind of trouble is tried.
 */
public final class TakeOver {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private TakeOver() {}

    /** What befalls the leader. */
    private interface Trouble {

        void befall(PackagedProgram leader) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        int times = Integer.getInteger("takeover.times", 3);
        measure("killed", times, PackagedProgram::kill);
        measure("told to stop", times, PackagedProgram::terminate);
        measure("frozen", times, PackagedProgram::freeze);
    }

    private static void measure(String kind, int times, Trouble trouble) throws Exception {
        List<String> leads = new ArrayList<>();
        List<String> starts = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            measure(trouble, leads, starts);
        }
        System.out.printf(
                "%-13s leader after %s; first run after %s%n",
                kind, String.join(", ", leads), String.join(", ", starts));
    }

    private static void measure(Trouble trouble, List<String> leads, List<String> starts)
            throws Exception {
        Path directory = Files.createTempDirectory("volume-snapshotter-takeover");
        try (SimulatedCluster cluster = SimulatedCluster.withClaims("data")) {
            cluster.access()
                    .grant(NAMESPACE, "leases.coordination.k8s.io", "create", "get", "patch");
            try (PackagedProgram leader = start("pod-1", directory, cluster)) {
                leader.awaitLine("pod-1 is the leader", LIMIT);
                try (PackagedProgram other = start("pod-2", directory, cluster)) {
                    other.awaitLine("pod-2 stands by", LIMIT);
                    leader.awaitLine(": succeeded", LIMIT);
                    // At any moment between two renewals.
                    leader.endsWithin(Duration.ofMillis((long) (Math.random() * 4000)));
                    Instant begin = Instant.now();
                    trouble.befall(leader);
                    other.awaitLine("pod-2 is the leader", LIMIT);
                    other.awaitLine(": starts", LIMIT);
                    leads.add(since(begin, other, "pod-2 is the leader"));
                    starts.add(since(begin, other, ": starts"));
                    leader.thaw();
                }
            }
        }
    }

    private static String since(Instant begin, PackagedProgram program, String words) {
        Instant told =
                program.lines().stream()
                        .filter(line -> line.contains(words))
                        .map(line -> Instant.parse(line.split(" ")[0]))
                        .findFirst()
                        .orElseThrow();
        return "%.1f s".formatted(Duration.between(begin, told).toMillis() / 1000.0);
    }

    private static PackagedProgram start(String pod, Path directory, SimulatedCluster cluster)
            throws IOException {
        Path own = Files.createDirectory(directory.resolve(pod));
        return PackagedProgram.start(
                cluster,
                own,
                Map.of(
                        "HOSTNAME", pod,
                        "SNAPSHOTTER_CLAIMS", "data",
                        "SNAPSHOTTER_LEADER_ELECTION", "true"));
    }
}
