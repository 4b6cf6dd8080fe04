package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.OutputSchema;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunCommandTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @TempDir private Path directory;

    @BeforeEach
    void grantWhatThePageNames() {
        cluster.access()
                .revokeAll()
                .grant(NAMESPACE, SimulatedCluster.SNAPSHOTS, "create", "list", "delete");
    }

    @Test
    void itRunsTheScheduleAsIfItWereDue() {
        try (Program program = Program.start(cluster, "data,db")) {
            program.fire(TEN);
        }
        JsonNode result = result(cli("run", "hourly", "-o", "json"), 0);
        assertThat(result.at("/schedule").asText()).isEqualTo("hourly");
        assertThat(result.at("/items")).hasSize(2);
        assertThat(result.at("/items/0/deleted/0").asText())
                .isEqualTo(SnapshotNames.snapshot("data", "hourly", TEN));
        // Storage lets go of them in its own time.
        await().untilAsserted(() -> assertThat(cluster.snapshots(NAMESPACE)).hasSize(2));
    }

    @Test
    void ofItsClaimsOnlyThoseAreTakenThatAreWanted() {
        JsonNode result = result(cli("run", "hourly", "--claim", "db", "-o", "json"), 0);
        assertThat(result.at("/items")).singleElement();
        assertThat(cluster.snapshots(NAMESPACE, "data")).isEmpty();
    }

    @Test
    void aPodOfACronJobThatIsTriedAgainTakesNothingTwice() {
        Instant due = Instant.now().truncatedTo(ChronoUnit.HOURS);
        String job = "volume-snapshotter-" + due.getEpochSecond() / 60;
        for (int pod = 0; pod < 2; pod++) {
            result(cli("run", "hourly", "--job", job, "-o", "json"), 0);
        }
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .extracting(SimulatedSnapshot::name)
                .containsExactly(SnapshotNames.snapshot("data", "hourly", due));
    }

    @Test
    void whoseTheSnapshotsAreIsNoMatterOfTheJobsName() {
        Cli.Answer answer =
                Cli.of(cluster)
                        .with("poll-interval", "50ms")
                        .with("claims", "data")
                        .with("installation", "")
                        .variable("HOSTNAME", "nightly-29384567-2b4cd")
                        .variable("WORKLOAD_NAME", "one")
                        .run("run", "hourly");
        assertThat(answer.code()).as(answer.toString()).isZero();
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .singleElement()
                .extracting(snapshot -> snapshot.labels().get(SnapshotLabels.INSTALLATION))
                .isEqualTo(NAMESPACE + ".one");
    }

    @Test
    void aPodOfAJobByHandThatIsTriedAgainTakesNothingTwice() {
        for (int pod = 0; pod < 2; pod++) {
            result(cli("run", "hourly", "--job", "before-upgrade-20261127", "-o", "json"), 0);
        }
        assertThat(cluster.snapshots(NAMESPACE, "data"))
                .singleElement()
                .extracting(SimulatedSnapshot::name)
                .asString()
                .startsWith("data-hourly-before-upgrade-20261127-");
    }

    @Test
    void aRunThatWasCutOffIsGoneOnWithByTheTimeInItsName() {
        cluster.driver().neverReady("db");
        cli("run", "hourly", "--run", "20261122100000", "--wait", "1s");
        cluster.driver().heal();
        JsonNode result = result(cli("run", "hourly", "--run", "20261122100000", "-o=json"), 0);
        assertThat(result.at("/run").asText()).isEqualTo("hourly-20261122100000");
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    run hurly                      | 1 | there is no schedule hurly -> did you mean hourly?
                    run                            | 2 | SCHEDULE
                    run hourly --claim dta         | 1 | schedule hourly takes no claim dta -> did you mean data?
                    run hourly --run X             | 2 | can be no key
                    run hourly --run a --job b     | 2 | leave out one of them
                    run hourly --job Some.Job      | 2 | give the Job a shorter name
                    run hourly --wait              | 2 | --wait
                    """)
    void badInputIsToldInOneLineAndNothingIsCreated(String command, int code, String words) {
        Cli.Answer answer = cli(command.split(" "));
        assertThat(answer.code()).as(answer.toString()).isEqualTo(code);
        assertThat(answer.err())
                .as(answer.toString())
                .singleElement()
                .asString()
                .startsWith("error: ")
                .contains(words);
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }

    @Test
    void aScheduleThatIsSuspendedIsNotRun() {
        Cli.Answer answer =
                Cli.of(cluster).with("claims", "data").with("suspend", "true").run("run", "hourly");
        assertThat(answer.code()).isEqualTo(78);
        assertThat(answer.err())
                .containsExactly(
                        "error: schedule hourly is suspended -> take suspend out of its settings");
    }

    @Test
    void aMistakeInAScheduleFileIsToldByFileAndLineAndNothingIsCreated() throws Exception {
        Path routes = directory;
        TestRoutes.copyTo(routes);
        Path hourly = routes.resolve("hourly.camel.yaml");
        Files.writeString(
                hourly,
                Files.readString(hourly).replace("uri: policy:hourly", "uri: policy:Hourly"));
        Cli.Answer answer =
                Cli.of(cluster)
                        .with("claims", "data")
                        .with("routes", routes.toString())
                        .run("run", "hourly");
        assertThat(answer.code()).as(answer.toString()).isEqualTo(78);
        assertThat(answer.err()).singleElement().asString().contains("hourly.camel.yaml:");
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }

    private static JsonNode result(Cli.Answer answer, int code) {
        assertThat(answer.code()).as(answer.toString()).isEqualTo(code);
        return OutputSchema.json(answer);
    }

    private Cli.Answer cli(String... arguments) {
        return Cli.of(cluster)
                .with("poll-interval", "50ms")
                .with("claims", "data,db")
                .run(arguments);
    }
}
