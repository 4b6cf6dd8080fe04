package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SnapshotState;
import io.volumesnapshotter.snapshot.Hold;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ListCommandTest {

    private static final Instant HOUR = Instant.now().truncatedTo(ChronoUnit.HOURS);

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @BeforeEach
    void grantWhatThePageNames() {
        cluster.access().revokeAll().grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "list");
    }

    @Test
    void eachSnapshotIsShownWithWhatKeepsItAndUntilWhen() {
        taken("data", 1);
        taken("data", 2);
        taken("data", 3);
        held(taken("data", 4), HOUR.plus(Duration.ofDays(2)));
        JsonNode items = items(cli("list", "-o", "json"));
        assertThat(items).hasSize(4);
        assertThat(items.at("/0/reasons"))
                .extracting(JsonNode::asText)
                .containsExactly("last snapshot", "newest ready");
        assertThat(items.at("/1/reasons/0").asText()).isEqualTo("last snapshot");
        assertThat(items.at("/0/goesAt").asText())
                .as("two are kept, so it goes with the second run from now")
                .isEqualTo(HOUR.plus(Duration.ofHours(2)).toString());
        assertThat(items.at("/1/goesAt").asText())
                .isEqualTo(HOUR.plus(Duration.ofHours(1)).toString());
        assertThat(items.at("/2/kept").asBoolean()).isFalse();
        assertThat(items.at("/3/reasons/0").asText()).startsWith("held until ");
        assertThat(items.at("/3/goesAt").asText())
                .as("it is not held any more at that hour")
                .isEqualTo(HOUR.plus(Duration.ofDays(2)).toString());
    }

    @Test
    void theTableHasAColumnForEach() {
        taken("data", 1);
        cluster.snapshot(
                NAMESPACE,
                "data-broken",
                "data",
                Map.of("velero.io/backup-name", "b", SnapshotLabels.MANAGED_BY, "velero"),
                HOUR.minus(Duration.ofHours(2)),
                SnapshotState.CREATING);
        List<String> lines = cli("list").out();
        assertThat(lines.get(0))
                .matches("CLAIM +SNAPSHOT +AGE +CUT +READY +SIZE +SCHEDULE +KEPT BY +GOES");
        assertThat(lines.get(1))
                .matches("data +data-hourly-\\d{14} +.*true .*hourly +last snapshot.*");
        assertThat(lines.get(2))
                .matches("data +data-broken +.*false .*\\(velero\\) +not of this program.*");
        assertThat(cli("list", "--no-headers").out()).hasSize(2);
    }

    @Test
    void theLineIsForOneClaimOrScheduleWhereThatIsAskedFor() {
        taken("data", 1);
        taken("db", 1);
        cluster.snapshot(NAMESPACE, "by-hand", "data", Map.of(), HOUR);
        assertThat(names(cli("list", "data", "-o", "name")))
                .containsExactly("by-hand", name("data", 1));
        assertThat(names(cli("list", "--schedule", "hourly", "-o", "name")))
                .containsExactly(name("data", 1), name("db", 1));
        assertThat(names(cli("list", "--schedule", "on-demand", "-o", "name"))).isEmpty();
    }

    @Test
    void snapshotsOfAnotherInstallationAreNotShownAsKeptByOursRules() {
        Instant due = HOUR.minus(Duration.ofHours(1));
        String name = SnapshotNames.snapshot("data", "hourly", due);
        cluster.snapshot(
                NAMESPACE,
                name,
                "data",
                SnapshotLabels.of(name, "hourly", SnapshotNames.run("hourly", due), "other.one"),
                due);
        assertThat(items(cli("list", "-o=json")).at("/0/reasons/0").asText())
                .isEqualTo("of installation other.one");
    }

    @Test
    void allNamespacesAreListedAtOnce() {
        cluster.access().grant("*", SimulatedCluster.SNAPSHOTS, "list");
        cluster.claim("shop", "carts");
        taken("data", 1);
        cluster.snapshot("shop", "by-hand", "carts", Map.of(), HOUR);
        Cli.Answer answer = cli("list", "-A");
        assertThat(answer.out().get(0)).startsWith("NAMESPACE   CLAIM");
        assertThat(answer.out())
                .hasSize(3)
                .anyMatch(line -> line.matches("shop +carts +by-hand .*"));
    }

    @Test
    void anUnknownClaimScheduleOrNamespaceIsToldWithTheNearMisses() {
        taken("data", 1);
        assertThat(error(cli("list", "dta"), 1)).contains("claim dta", "did you mean data?");
        assertThat(error(cli("list", "data", "dta"), 3)).contains("did you mean data?");
        assertThat(error(cli("list", "--schedule", "hourl"), 1)).contains("did you mean hourly?");
        cluster.access()
                .grant("*", SimulatedCluster.SNAPSHOTS, "list")
                .grant("*", "namespaces", "get", "list");
        assertThat(error(cli("list", "-n", "aps"), 1))
                .contains("there is no namespace aps", "did you mean apps?");
    }

    @Test
    void anEmptyNamespaceIsNoError() {
        Cli.Answer answer = cli("list");
        assertThat(answer.code()).isZero();
        assertThat(answer.out()).isEmpty();
        assertThat(answer.err()).containsExactly("No snapshots found in namespace apps.");
        assertThat(items(cli("list", "-o", "json"))).isEmpty();
        assertThat(OutputSchema.yaml(cli("list", "-o", "yaml")).at("/items")).isEmpty();
    }

    @Test
    void withoutTheRightItSaysWhichAndWhatGrantsIt() {
        cluster.access().revokeAll();
        assertThat(error(cli("list"), 1))
                .contains("cannot list resource \"volumesnapshots\"")
                .endsWith("-> grant it, as in k8s/role.yaml");
    }

    @Test
    void aListTakesNoMoreRequestsThanItHasPagesAndOneForWhatIsProven() {
        for (int i = 0; i < 1100; i++) {
            cluster.snapshot(NAMESPACE, "s" + i, "data", Map.of(), HOUR);
        }
        int before = cluster.log().total();
        assertThat(cli("list", "-o", "name").out()).hasSize(1100);
        assertThat(cluster.log().total() - before).isEqualTo(4);
    }

    @Test
    void bothFlagsForWhereAreTooMuch() {
        assertThat(error(cli("list", "-A", "-n", "apps"), 2)).contains("exclude each other");
    }

    private static String error(Cli.Answer answer, int code) {
        assertThat(answer.code()).as(answer.toString()).isEqualTo(code);
        assertThat(answer.err()).hasSize(1);
        return answer.err().get(0);
    }

    private static Stream<String> names(Cli.Answer answer) {
        return answer.out().stream().map(line -> line.substring(line.indexOf('/') + 1));
    }

    private static JsonNode items(Cli.Answer answer) {
        assertThat(answer.code()).as(answer.toString()).isZero();
        return OutputSchema.json(answer).at("/items");
    }

    private Cli.Answer cli(String... arguments) {
        return Cli.of(cluster).with("schedule", "@hourly").with("keep-last", "2").run(arguments);
    }

    private static String name(String claim, int hoursAgo) {
        return SnapshotNames.snapshot(claim, "hourly", HOUR.minus(Duration.ofHours(hoursAgo)));
    }

    private String taken(String claim, int hoursAgo) {
        return Program.hadTaken(cluster, claim, HOUR.minus(Duration.ofHours(hoursAgo)));
    }

    private void held(String name, Instant until) {
        cluster.admin()
                .genericKubernetesResources(SnapshotApi.KIND)
                .inNamespace(NAMESPACE)
                .withName(name)
                .edit(
                        (GenericKubernetesResource snapshot) -> {
                            snapshot.getMetadata()
                                    .setAnnotations(Map.of(Hold.UNTIL, until.toString()));
                            return snapshot;
                        });
    }
}
