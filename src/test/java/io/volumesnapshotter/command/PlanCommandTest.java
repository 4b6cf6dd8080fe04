package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PlanCommandTest {

    private static final Instant HOUR = Instant.now().truncatedTo(ChronoUnit.HOURS);

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @BeforeEach
    void grantWhatThePageNames() {
        cluster.access().revokeAll().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "list");
    }

    @Test
    void itSaysWhatTheNextRunKeepsAndRemovesAndWhy() {
        taken("data", 1);
        taken("data", 2);
        Cli.Answer answer = cli("data").run("plan");
        assertThat(answer.code()).isZero();
        String next = HOUR.plus(Duration.ofHours(1)).toString();
        assertThat(answer.out())
                .contains(
                        "schedule hourly: 0 0 * * * ? in UTC", "keeps: keep-failed 1, keep-last 2")
                .anyMatch(line -> line.startsWith("next: " + next + ", "))
                .contains("keep 2 snapshots:", "remove 1 snapshot:")
                .anyMatch(line -> line.startsWith("apps/data at " + next + ": takes data-hourly-"))
                .anyMatch(line -> line.matches("SNAPSHOT +TIME +REASONS"))
                .anyMatch(
                        line ->
                                line.startsWith(name("data", 2))
                                        && line.endsWith("no rule keeps it"))
                .anyMatch(
                        line -> line.startsWith(name("data", 1)) && line.endsWith("last snapshot"));
    }

    @Test
    void itSendsNothingButReadsAndChangesNothing() {
        taken("data", 1);
        cli("data").run("plan");
        assertThat(cluster.log().entries(e -> !List.of("list", "get").contains(e.verb())))
                .isEmpty();
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
    }

    @Test
    void whatItMayNotSeeIsTold() {
        Cli.Answer answer = cli("data").run("plan");
        assertThat(answer.out())
                .anyMatch(
                        line ->
                                line.startsWith(
                                                "not seen: whether the claims are there and bound: ")
                                        && line.endsWith(
                                                "-> grant it, as in k8s/components/select-claims"));
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get");
        assertThat(cli("data").run("plan").out()).noneMatch(line -> line.startsWith("not seen"));
    }

    @Test
    void claimsThatAreSkippedAreListedWithTheReason() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        cluster.pendingClaim(NAMESPACE, "pending");
        cluster.claim(
                NAMESPACE, "scratch", Map.of(), Map.of("volume-snapshotter/snapshot", "false"));
        JsonNode plan = plan(cli("*").run("plan", "-o", "json"));
        assertThat(plan.at("/claims"))
                .extracting(c -> c.at("/name").asText() + ": " + c.at("/reason").asText(""))
                .containsExactlyInAnyOrder(
                        "data: ",
                        "db: ",
                        "pending: it is not bound to a volume (phase Pending)",
                        "scratch: its annotation volume-snapshotter/snapshot is false");
        assertThat(plan.at("/plans")).hasSize(2);
    }

    @Test
    void whatAPatternMeansAndLeavesOutIsShown() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        cluster.claim(NAMESPACE, "data-tmp-1");
        cluster.claim(NAMESPACE, "data-2");
        JsonNode plan = plan(cli("data*,!data-tmp-*").run("plan", "-o", "json"));
        assertThat(plan.at("/claims"))
                .extracting(c -> c.at("/name").asText() + ": " + c.at("/reason").asText(""))
                .containsExactlyInAnyOrder(
                        "data: ", "data-2: ", "data-tmp-1: its name is left out by !data-tmp-*");
        assertThat(plan.at("/plans")).hasSize(2);
    }

    @Test
    void aNamedClaimThatIsNotThereIsTold() {
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        JsonNode plan = plan(cli("data,dta").run("plan", "hourly", "-o", "json"));
        assertThat(plan.at("/claims/1/reason").asText()).isEqualTo("there is no such claim");
    }

    @Test
    void theTimeOfTheRunCanBeGiven() {
        JsonNode plan =
                plan(
                        cli("data")
                                .run(
                                        "plan",
                                        "--at",
                                        "2030-01-01T00:00:00Z",
                                        "--next=5",
                                        "-o=json"));
        assertThat(plan.at("/plans/0/takes").asText()).isEqualTo("data-hourly-20300101000000");
        assertThat(plan.at("/next")).hasSize(5);
        Cli.Answer wrong = cli("data").run("plan", "--at", "noon");
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.err()).singleElement().asString().contains("\"noon\" is not a time");
    }

    @Test
    void namesAreThoseOfTheSnapshotsThatGo() {
        taken("data", 1);
        taken("data", 2);
        assertThat(cli("data").run("plan", "-o", "name").out())
                .containsExactly("volumesnapshot.snapshot.storage.k8s.io/" + name("data", 2));
    }

    @Test
    void anUnknownScheduleIsToldWithTheNearMisses() {
        Cli.Answer answer = cli("data").run("plan", "hurly");
        assertThat(answer.code()).isEqualTo(1);
        assertThat(answer.err())
                .containsExactly("error: there is no schedule hurly -> did you mean hourly?");
    }

    @Test
    void aScheduleWithoutTheRightToItsClaimsIsToldAndNotPlanned() {
        Cli.Answer answer = cli("*").run("plan");
        assertThat(answer.code()).isEqualTo(1);
        assertThat(answer.err())
                .hasSize(2)
                .last()
                .asString()
                .contains("cannot list resource \"persistentvolumeclaims\"")
                .endsWith("k8s/components/select-claims");
    }

    private static JsonNode plan(Cli.Answer answer) {
        assertThat(answer.code()).as(answer.toString()).isZero();
        return OutputSchema.json(answer).at("/items/0");
    }

    private Cli cli(String claims) {
        return Cli.of(cluster)
                .with("schedule", "@hourly")
                .with("keep-last", "2")
                .with("claims", claims);
    }

    private static String name(String claim, int hoursAgo) {
        return SnapshotNames.snapshot(claim, "hourly", HOUR.minus(Duration.ofHours(hoursAgo)));
    }

    private void taken(String claim, int hoursAgo) {
        Program.hadTaken(cluster, claim, HOUR.minus(Duration.ofHours(hoursAgo)));
    }
}
