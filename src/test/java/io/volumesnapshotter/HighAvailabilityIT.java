package io.volumesnapshotter;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two packaged programs as processes, of which one leads: killed, frozen, told to stop. */
class HighAvailabilityIT {

    private static final int PERIOD = 5;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @BeforeEach
    void startCluster() {
        cluster.access().grant(NAMESPACE, "leases.coordination.k8s.io", "create", "get", "patch");
    }

    @Test
    void aLeaderThatIsKilledIsReplacedAndItsLastFireTimeIsMadeUp() throws Exception {
        try (PackagedProgram leader = start("pod-1")) {
            leader.awaitLine("pod-1 is the leader");
            try (PackagedProgram other = start("pod-2")) {
                other.awaitLine("pod-1 is the leader; pod-2 stands by");
                leader.awaitLine(": succeeded");
                leader.kill();
                Instant killed = Instant.now();
                other.awaitLine("pod-2 is the leader");
                assertNothingLostOrDoubled(killed, other);
            }
        }
    }

    @Test
    void aLeaderThatIsToldToStopHandsOver() throws Exception {
        try (PackagedProgram leader = start("pod-1")) {
            leader.awaitLine("pod-1 is the leader");
            try (PackagedProgram other = start("pod-2")) {
                other.awaitLine("pod-1 is the leader; pod-2 stands by");
                leader.awaitLine(": succeeded");
                Instant stopped = Instant.now();
                leader.terminate();
                assertThat(leader.lines()).anyMatch(l -> l.contains("is free for another replica"));
                other.awaitLine("pod-2 is the leader");
                assertNothingLostOrDoubled(stopped, other);
            }
        }
    }

    @Test
    void aLeaderThatWasFrozenDoesNotFireWhenItWakes() throws Exception {
        try (PackagedProgram leader = start("pod-1")) {
            leader.awaitLine("pod-1 is the leader");
            try (PackagedProgram other = start("pod-2")) {
                other.awaitLine("pod-1 is the leader; pod-2 stands by");
                leader.awaitLine(": succeeded");
                signal("STOP", leader);
                Instant frozen = Instant.now();
                other.awaitLine("pod-2 is the leader");
                await().until(() -> starts(other).count() >= 2);
                long before = starts(leader).count();
                signal("CONT", leader);
                leader.awaitLine("pod-2 is the leader; pod-1 stands by");
                assertNothingLostOrDoubled(frozen, other);
                assertThat(starts(leader)).hasSize((int) before);
                assertThat(leader.lines())
                        .filteredOn(line -> line.contains("pod-1 is not the leader any more"))
                        .hasSize(1);
            }
        }
    }

    /**
     * After the event and until the other replica has run twice, each time has had its run, but for
     * those that passed without a leader before the last one; and none was run twice.
     */
    private void assertNothingLostOrDoubled(Instant event, PackagedProgram other)
            throws IOException {
        await().until(
                        () ->
                                other.lines().stream()
                                                .filter(l -> l.contains(": succeeded"))
                                                .count()
                                        > 2);
        List<Instant> runs = runs();
        assertThat(created()).doesNotHaveDuplicates();
        Instant first =
                runs.stream()
                        .filter(due -> starts(other).anyMatch(of(due)))
                        .findFirst()
                        .orElseThrow();
        Instant took =
                other.lines().stream()
                        .filter(line -> line.contains("pod-2 is the leader, by"))
                        .map(line -> Instant.parse(line.split(" ")[0]))
                        .findFirst()
                        .orElseThrow();
        assertThat(first)
                .as("the last fire time that was due before the take-over at %s", took)
                .isAfter(took.minusSeconds(PERIOD))
                .isAfter(event.minusSeconds(PERIOD));
        for (Instant due = first; due.isBefore(runs.get(runs.size() - 1)); ) {
            assertThat(runs).contains(due);
            due = due.plusSeconds(PERIOD);
        }
        assertThat(cluster.admin().leases().inNamespace(NAMESPACE).list().getItems())
                .singleElement()
                .satisfies(
                        lease ->
                                assertThat(lease.getSpec().getHolderIdentity()).isEqualTo("pod-2"));
    }

    private static Predicate<String> of(Instant due) {
        return line -> line.contains(SnapshotNames.run("hourly", due) + ":");
    }

    private static Stream<String> starts(PackagedProgram program) {
        return program.lines().stream().filter(line -> line.contains(": starts"));
    }

    private List<String> created() {
        return cluster
                .log()
                .entries(entry -> entry.verb().equals("create") && entry.code() == 201)
                .stream()
                .map(RequestLog.Entry::name)
                .filter(name -> name.startsWith("data-"))
                .toList();
    }

    /** The times for which a snapshot was created, in order. */
    private List<Instant> runs() {
        return created().stream()
                .map(name -> name.substring("data-hourly-".length()))
                .map(time -> LocalDateTime.parse(time, TIME).toInstant(ZoneOffset.UTC))
                .sorted()
                .toList();
    }

    private static void signal(String signal, PackagedProgram program) throws Exception {
        assertThat(
                        new ProcessBuilder("kill", "-" + signal, Long.toString(program.pid()))
                                .start()
                                .waitFor())
                .isZero();
    }

    private PackagedProgram start(String pod) throws IOException {
        Path own = Files.createDirectory(directory.resolve(pod));
        return PackagedProgram.start(
                cluster,
                own,
                Map.of(
                        "HOSTNAME", pod,
                        "SNAPSHOTTER_CLAIMS", "data",
                        "SNAPSHOTTER_SCHEDULE", "*/" + PERIOD + " * * * * ?",
                        "SNAPSHOTTER_LEADER_ELECTION", "true",
                        "SNAPSHOTTER_LEASE_DURATION", "8s",
                        "SNAPSHOTTER_RENEW_DEADLINE", "5s",
                        "SNAPSHOTTER_RETRY_PERIOD", "500ms"));
    }
}
