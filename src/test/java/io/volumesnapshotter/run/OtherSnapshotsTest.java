package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.testing.Program;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of snapshots that no schedule of the program took. */
class OtherSnapshotsTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    private static final Map<String, String> ORIGINAL = Map.of("job", "volume-snapshotter");
    private static final Map<String, String> VELERO = Map.of("made-by", "velero");

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @BeforeEach
    void startCluster() {
        snapshot("original-1", "data", ORIGINAL, NINE.minusSeconds(7200));
        snapshot("original-2", "data", ORIGINAL, NINE.minusSeconds(3600));
        snapshot("original-db", "db", ORIGINAL, NINE);
        snapshot(
                "data-nightly-20261122000000",
                "data",
                SnapshotLabels.of(
                        "data-nightly-20261122000000",
                        "nightly",
                        "nightly-20261122000000",
                        Program.INSTALLATION),
                NINE);
    }

    @Test
    void thoseOfTheOriginalCronJobAreLeftAlone() {
        run(Map.of("claims", "data"));
        assertThat(cluster.kept(NAMESPACE)).contains("original-1", "original-2", "original-db");
    }

    @Test
    void aScheduleThatAdoptsCountsAndPrunesThoseOfItsClaims() {
        run(Map.of("claims", "data", "adopt", "true", "keep-last", "2"));
        awaitNames(
                "data-hourly-20261122100000",
                "data-nightly-20261122000000",
                "original-2",
                "original-db");
    }

    @Test
    void aScheduleThatOnlyPrunesAppliesItsRulesToTheSelectedOnesAndTakesNone() {
        for (int i = 1; i <= 4; i++) {
            snapshot("velero-data-" + i, "data", VELERO, NINE.plusSeconds(60L * i));
            snapshot("velero-db-" + i, "db", VELERO, NINE.plusSeconds(60L * i));
        }
        run(Map.of("claims", "*", "prune-only", "made-by=velero", "keep-last", "1"));
        awaitNames(
                "data-nightly-20261122000000",
                "original-1",
                "original-2",
                "original-db",
                "velero-data-4",
                "velero-db-4");
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
        assertThat(cluster.log().count("list", "persistentvolumeclaims")).isZero();
    }

    @Test
    void aDeletionOfAScheduleThatOnlyPrunesIsSentAgainWhenThatHelps() {
        snapshot("velero-data-1", "data", VELERO, NINE);
        snapshot("velero-data-2", "data", VELERO, TEN);
        cluster.faults()
                .answer(
                        request -> request.is("delete"),
                        1,
                        ApiAnswer.status(500, "InternalError", "etcd has a hiccup"));
        run(Map.of("claims", "data", "prune-only", "made-by=velero", "keep-last", "1"));
        await().untilAsserted(
                        () -> assertThat(cluster.kept(NAMESPACE)).doesNotContain("velero-data-1"));
    }

    @Test
    void aScheduleThatOnlyPrunesIsNoSuccessWhenADeletionFails() {
        snapshot("velero-data-1", "data", VELERO, NINE);
        snapshot("velero-data-2", "data", VELERO, TEN);
        cluster.faults()
                .answer(
                        request -> request.is("delete"),
                        Faults.ALWAYS,
                        ApiAnswer.status(422, "Invalid", "not like this"));
        Map<String, String> settings =
                Map.of(
                        "snapshotter.claims", "data",
                        "snapshotter.prune-only", "made-by=velero");
        try (Program program = Program.start(cluster, settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .last()
                    .asString()
                    .contains("failed, 0 of 0 ready, failed: apps/data");
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("succeeded"));
        }
    }

    @Test
    void anAdoptedSnapshotMakesRoomInAFullQuotaButTheLastGoodOneStays() {
        cluster.quota(NAMESPACE, 4);
        run(Map.of("claims", "data", "adopt", "true"));
        awaitNames("data-hourly-20261122100000", "data-nightly-20261122000000", "original-db");
    }

    @Test
    void aScheduleThatOnlyPrunesGoesByTheNamesOfClaims() {
        snapshot("velero-data-1", "data", VELERO, NINE);
        snapshot("velero-data-2", "data", VELERO, TEN);
        snapshot("velero-db-1", "db", VELERO, NINE);
        snapshot("velero-db-2", "db", VELERO, TEN);
        run(Map.of("claims", "db", "prune-only", "made-by=velero", "keep-last", "1"));
        await().untilAsserted(
                        () -> assertThat(cluster.kept(NAMESPACE)).doesNotContain("velero-db-1"));
        assertThat(cluster.kept(NAMESPACE))
                .contains("velero-data-1", "velero-data-2", "velero-db-2");
    }

    @Test
    void aSelectorThatFindsSnapshotsOfTheProgramDoesNotPruneThem() {
        snapshot(
                "old",
                "data",
                SnapshotLabels.of("old", "nightly", "nightly-1", Program.INSTALLATION),
                NINE);
        run(Map.of("claims", "*", "prune-only", "job", "keep-last", "1"));
        awaitNames("data-nightly-20261122000000", "old", "original-2", "original-db");
    }

    private void run(Map<String, String> settings) {
        try (Program program = Program.start(cluster, settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
            assertThat(program.told(Level.INFO)).anyMatch(line -> line.contains(": succeeded"));
        }
    }

    private void snapshot(String name, String claim, Map<String, String> labels, Instant at) {
        cluster.snapshot(NAMESPACE, name, claim, labels, at);
    }

    private void awaitNames(String... expected) {
        await().untilAsserted(() -> assertThat(cluster.kept(NAMESPACE)).containsExactly(expected));
    }
}
