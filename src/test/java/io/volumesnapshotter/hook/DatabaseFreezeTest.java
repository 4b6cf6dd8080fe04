package io.volumesnapshotter.hook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The databases of examples/hooks, on servers of the distribution's packages: what is promised
 * between freeze and thaw, and that it ends with the program.
 */
class DatabaseFreezeTest {

    private static final Instant DUE = Instant.parse("2026-11-27T03:00:00Z");
    private static final Path EXAMPLES = Path.of("examples", "hooks");

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private Path routes;
    private Path dataSources;

    @BeforeEach
    void routes() throws IOException {
        routes = directory.resolve("routes");
        dataSources = Files.createDirectory(directory.resolve("data-sources"));
        copyRoutes(routes);
        cluster.access()
                .grant(SimulatedCluster.NAMESPACE, SimulatedCluster.SNAPSHOTS, "patch", "watch");
    }

    /** The routes that ship, and those of examples/hooks. */
    static void copyRoutes(Path routes) throws IOException {
        Files.createDirectory(routes);
        TestRoutes.copyTo(routes);
        try (Stream<Path> files = Files.list(EXAMPLES)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".camel.yaml")).toList()) {
                Files.copy(file, routes.resolve(file.getFileName()));
            }
        }
    }

    private Program.Builder program(String kind) {
        return Program.of(cluster)
                .with("claims", "data")
                .with("quiesce", kind)
                .with("data-source", "shop")
                .with("data-sources", dataSources.toString())
                .routes(routes);
    }

    private SimulatedSnapshot snapshot() {
        return cluster.snapshots(SimulatedCluster.NAMESPACE, "data").get(0);
    }

    private static ConditionFactory eventually() {
        return await().atMost(Patience.LIMIT);
    }

    @Test
    void postgresqlIsInBackupModeInOneSessionAndItsLabelStaysWithTheSnapshot() throws Exception {
        try (DatabaseServer server = DatabaseServer.postgresql();
                Program program = program("postgresql").start()) {
            server.describe(dataSources, "shop", DatabaseServer.PASSWORD);

            program.fire(DUE);

            assertThat(program.told(Level.INFO)).anyMatch(l -> l.contains("succeeded, 1 of 1"));
            assertThat(snapshot().annotations())
                    .containsEntry("volume-snapshotter/consistent", "true")
                    .hasEntrySatisfying(
                            "volume-snapshotter/backup-label",
                            label ->
                                    assertThat(label)
                                            .contains("START WAL LOCATION")
                                            .contains("LABEL: data-hourly-20261127030000"));
            eventually().until(() -> server.sessions().isEmpty());
        }
    }

    @Test
    void mariadbLetsNobodyWriteUntilStorageHasCutAndEverybodyFromThenOn() throws Exception {
        cluster.driver().cutsAfter(Duration.ofMillis(500)).neverReady();
        try (DatabaseServer server = DatabaseServer.mariadb();
                Program program = program("mariadb").start()) {
            server.describe(dataSources, "shop", DatabaseServer.PASSWORD);
            List<Boolean> writtenBeforeCut = new CopyOnWriteArrayList<>();
            CompletableFuture<CompletableFuture<Void>> write = new CompletableFuture<>();
            cluster.watch(
                    (before, now) -> {
                        if (before == null) {
                            write.complete(Program.later(() -> server.write(1)));
                        } else if (before.creationTime() == null && now.creationTime() != null) {
                            writtenBeforeCut.add(write.join().isDone());
                        }
                    });

            CompletableFuture<Void> run = program.fireLater(DUE);

            eventually().until(() -> !writtenBeforeCut.isEmpty());
            assertThat(writtenBeforeCut).containsExactly(false);
            write.join().join();
            assertThat(snapshot().ready()).isFalse();
            cluster.driver().heal();
            run.join();
            assertThat(snapshot().annotations())
                    .containsEntry("volume-snapshotter/consistent", "true");
            eventually().until(() -> server.sessions().isEmpty());
        }
    }

    @Test
    void aFreezeThatLastsTooLongIsCutOff() throws Exception {
        cluster.driver().neverReady();
        try (DatabaseServer server = DatabaseServer.mariadb();
                Program program = program("mariadb").with("freeze-timeout", "1s").start()) {
            server.describe(dataSources, "shop", DatabaseServer.PASSWORD);

            program.fire(DUE);

            assertThat(program.told(Level.ERROR))
                    .anyMatch(line -> line.contains("not consistent: the freeze was ended"));
            eventually().until(() -> server.sessions().isEmpty());
            server.write(1);
        }
    }

    @Test
    void aWrongPasswordIsToldWithoutIt() throws Exception {
        String wrong = "wr0ng-passw0rd";
        for (String kind : List.of("postgresql", "mariadb")) {
            try (DatabaseServer server = DatabaseServer.of(kind);
                    Program program = program(kind).start()) {
                server.describe(dataSources, "shop", wrong);

                program.fire(DUE);

                assertThat(program.told(Level.ERROR))
                        .anyMatch(
                                line ->
                                        line.contains("login to data source shop failed")
                                                && line.contains(
                                                        "-> correct username and password in the"
                                                                + " Secret of the data source"));
                assertThat(program.told(Level.TRACE)).noneMatch(line -> line.contains(wrong));
                assertThat(cluster.snapshots(SimulatedCluster.NAMESPACE)).isEmpty();
            }
        }
    }

    @Test
    void aStatementThatTheServerRefusesIsTold() throws Exception {
        Files.writeString(
                routes.resolve("freeze-postgresql.camel.yaml"),
                Files.readString(EXAMPLES.resolve("freeze-postgresql.camel.yaml"))
                        .replace("pg_backup_start(", "pg_backup_begin("));
        try (DatabaseServer server = DatabaseServer.postgresql();
                Program program = program("postgresql").start()) {
            server.describe(dataSources, "shop", DatabaseServer.PASSWORD);

            program.fire(DUE);

            assertThat(program.told(Level.ERROR))
                    .anyMatch(
                            line ->
                                    line.contains("function pg_backup_begin(")
                                            && line.contains("-> look at the database and"));
            eventually().until(() -> server.sessions().isEmpty());
        }
    }

    @Test
    void aMissingDataSourceAndAMissingDriverAreTold() throws Exception {
        try (Program program = program("postgresql").start()) {
            program.fire(DUE);
            Path folder = Files.createDirectory(dataSources.resolve("shop"));
            Files.writeString(folder.resolve("url"), "jdbc:oracle:thin:hook/s3cret@//db:1521/x");
            program.fire(DUE.plusSeconds(3600));

            assertThat(program.told(Level.ERROR))
                    .anyMatch(
                            line ->
                                    line.contains("there is no data source shop: ")
                                            && line.contains(
                                                    "-> mount a Secret with url, username"))
                    .anyMatch(
                            line ->
                                    line.contains("no JDBC driver knows the url of data source")
                                            && line.contains("-> put the driver's jar into"));
            assertThat(program.told(Level.TRACE)).noneMatch(line -> line.contains("s3cret"));
        }
    }

    @Test
    void aKilledProgramLeavesNoLock() throws Exception {
        cluster.driver().neverReady();
        try (DatabaseServer server = DatabaseServer.mariadb()) {
            server.describe(dataSources, "shop", DatabaseServer.PASSWORD);
            try (ForkedProgram program = new ForkedProgram(directory, cluster, "mariadb")) {
                eventually()
                        .failFast("the program ended", () -> !program.isAlive())
                        .until(() -> !cluster.snapshots(SimulatedCluster.NAMESPACE).isEmpty());
                CompletableFuture<Void> write = Program.later(() -> server.write(1));
                eventually()
                        .until(
                                () ->
                                        server.ask(
                                                        "SELECT state FROM"
                                                                + " information_schema.processlist")
                                                .contains("Waiting for backup lock"));
                assertThat(write.isDone()).isFalse();

                program.kill();

                write.get(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS);
                eventually().until(() -> server.sessions().isEmpty());
            }
        }
    }
}
