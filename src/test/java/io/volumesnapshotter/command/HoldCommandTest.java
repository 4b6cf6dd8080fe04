package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.Hold;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HoldCommandTest {

    private static final String SNAPSHOT = "data-hourly-20261122100000";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @BeforeEach
    void grantWhatThePageNames() {
        cluster.access().revokeAll().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "get", "patch");
        cluster.snapshot(
                NAMESPACE,
                SNAPSHOT,
                "data",
                Map.of("team", "shop"),
                Instant.parse("2026-11-22T10:00:00Z"));
    }

    @Test
    void aHoldPinsUntilItIsReleased() {
        Cli.Answer held = cli("hold", SNAPSHOT, "--reason", "audit of 2026");
        assertThat(held.code()).isZero();
        assertThat(held.out())
                .containsExactly("volumesnapshot.snapshot.storage.k8s.io/" + SNAPSHOT + " held");
        assertThat(annotations())
                .containsEntry(Hold.HOLD, "true")
                .containsEntry(Hold.REASON, "audit of 2026")
                .doesNotContainKey(Hold.UNTIL);

        Cli.Answer released = cli("release", "vs/" + SNAPSHOT);
        assertThat(released.code()).isZero();
        assertThat(released.text()).endsWith(" released");
        assertThat(annotations()).doesNotContainKeys(Hold.HOLD, Hold.REASON, Hold.UNTIL);
        assertThat(object().getMetadata().getLabels()).containsEntry("team", "shop");
    }

    @Test
    void aHoldForATimeSaysWhenItEnds() {
        Cli.Answer held = cli("hold", SNAPSHOT, "--until", "7d", "-o", "json");
        String until = OutputSchema.json(held).at("/items/0/until").asText();
        assertThat(Instant.parse(until))
                .isBetween(
                        Instant.now().plus(Duration.ofDays(7)).minusSeconds(600),
                        Instant.now().plus(Duration.ofDays(7)));
        assertThat(annotations()).containsEntry(Hold.UNTIL, until);

        assertThat(cli("hold", SNAPSHOT).code()).isZero();
        assertThat(annotations()).as("held for good").doesNotContainKey(Hold.UNTIL);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    --until tomorrow             | 2 | "tomorrow" is not a time -> give one such as
                    --until 2026-13-01           | 2 | is not a time
                    --until 2020-01-01T00:00:00Z | 2 | is over -> give a time in the future
                    --until 0h                   | 2 | is over
                    """)
    void aTimeThatIsNoneIsTold(String option, int code, String words) {
        Cli.Answer answer = cli(("hold " + SNAPSHOT + " " + option).split(" "));
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.err()).singleElement().asString().contains(words);
        assertThat(annotations()).doesNotContainKey(Hold.HOLD);
    }

    @Test
    void anUnknownSnapshotIsToldWithTheNearMisses() {
        cluster.access().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "list");
        Cli.Answer answer = cli("hold", "data-hourly-20261122110000");
        assertThat(answer.code()).isEqualTo(1);
        assertThat(answer.err())
                .containsExactly(
                        "error: there is no snapshot data-hourly-20261122110000 in namespace apps"
                                + " -> did you mean "
                                + SNAPSHOT
                                + "?");
    }

    @Test
    void oneOfTwoThatFailsIsToldAndTheOtherIsHeld() {
        Cli.Answer answer = cli("hold", "none", SNAPSHOT);
        assertThat(answer.code()).isEqualTo(3);
        assertThat(answer.err()).singleElement().asString().contains("there is no snapshot none");
        assertThat(annotations()).containsEntry(Hold.HOLD, "true");
    }

    @Test
    void withoutTheRightItSaysWhichAndWhatGrantsIt() {
        cluster.access().revoke(NAMESPACE, SimulatedCluster.SNAPSHOTS, "patch");
        Cli.Answer answer = cli("hold", SNAPSHOT);
        assertThat(answer.code()).isEqualTo(1);
        assertThat(answer.err())
                .singleElement()
                .asString()
                .contains("cannot patch resource \"volumesnapshots\"")
                .endsWith("-> grant it, as in k8s/components/commands");
    }

    @Test
    void anApiServerThatIsAwayIsToTryAgain() {
        cluster.goDown();
        Cli.Answer answer = cli("hold", SNAPSHOT);
        assertThat(answer.code()).isEqualTo(75);
        assertThat(answer.err()).singleElement().asString().contains("no connection", "try again");
    }

    @Test
    void aNameThatCanBeNoneIsToldBeforeAnythingIsDone() {
        Cli.Answer answer = cli("hold", SNAPSHOT, "pod/data");
        assertThat(answer.code()).isEqualTo(2);
        assertThat(answer.err()).singleElement().asString().contains("\"pod/data\"");
        assertThat(annotations()).doesNotContainKey(Hold.HOLD);
    }

    private Cli.Answer cli(String... arguments) {
        return Cli.of(cluster).run(arguments);
    }

    private GenericKubernetesResource object() {
        return cluster.admin()
                .genericKubernetesResources(SnapshotApi.KIND)
                .inNamespace(NAMESPACE)
                .withName(SNAPSHOT)
                .get();
    }

    private Map<String, String> annotations() {
        Map<String, String> annotations = object().getMetadata().getAnnotations();
        return annotations == null ? Map.of() : annotations;
    }
}
