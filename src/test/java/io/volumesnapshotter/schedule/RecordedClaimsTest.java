package io.volumesnapshotter.schedule;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.testing.Program;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a restore needs of a claim is on its snapshots, where the claim was read. */
class RecordedClaimsTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final String CLAIMS = "persistentvolumeclaims";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @Test
    void aClaimThatIsSelectedIsWrittenDown() {
        cluster.access().grant(NAMESPACE, CLAIMS, "list");
        assertThat(annotations(Map.of("claims", "*")))
                .containsEntry(RecordedClaim.STORAGE_CLASS, SimulatedCluster.STORAGE_CLASS)
                .containsEntry(RecordedClaim.ACCESS_MODES, "ReadWriteOnce")
                .containsKeys(RecordedClaim.REQUEST, Snapshot.CLAIM_UID);
    }

    @Test
    void aClaimThatIsNamedIsNotLookedAt() {
        assertThat(annotations(Map.of("claims", "data")))
                .doesNotContainKeys(RecordedClaim.STORAGE_CLASS, Snapshot.CLAIM_UID);
        assertThat(
                        cluster.log()
                                .entries(
                                        entry ->
                                                entry.verb().equals("get")
                                                        && entry.resource().equals(CLAIMS)
                                                        && entry.code() == 200))
                .isEmpty();
    }

    @Test
    void aClaimThatIsNamedIsWrittenDownWhereThatIsWanted() {
        cluster.access().grant(NAMESPACE, CLAIMS, "get");
        assertThat(annotations(Map.of("claims", "data", "read-claims", "true")))
                .containsEntry(RecordedClaim.ACCESS_MODES, "ReadWriteOnce")
                .containsKey(Snapshot.CLAIM_UID);
    }

    @Test
    void withoutTheRightTheSnapshotIsTakenAllTheSameAndItIsTold() {
        try (Program program =
                Program.start(cluster, Map.of("claims", "data", "read-claims", "true"))) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .anyMatch(
                            line ->
                                    line.startsWith(
                                                    "hourly apps/data: nothing of the claim is written")
                                            && line.contains("as in k8s/components/read-claims"));
            assertThat(program.told(Level.ERROR))
                    .anyMatch(line -> line.contains("may not get persistentvolumeclaims"));
        }
        assertThat(cluster.snapshots(NAMESPACE))
                .singleElement()
                .extracting(SimulatedSnapshot::readyToUse)
                .isEqualTo(true);
    }

    private Map<String, String> annotations(Map<String, String> settings) {
        try (Program program = Program.start(cluster, settings)) {
            program.fire(TEN);
        }
        return cluster.snapshots(NAMESPACE, "data").get(0).annotations();
    }
}
