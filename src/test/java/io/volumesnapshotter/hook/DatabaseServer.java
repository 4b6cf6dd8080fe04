package io.volumesnapshotter.hook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.volumesnapshotter.testing.Patience;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * A database server of the distribution's package, with a directory of its own, on loopback. Where
 * it is not installed, the test is skipped.
 */
final class DatabaseServer implements AutoCloseable {

    /** Who hooks log in as; the password must never be in a log. */
    static final String USER = "hook";

    static final String PASSWORD = "s3cret-of-the-hook";

    private static final String ADMIN = "the-admin";

    private final Path directory;
    private final Process process;
    private final String url;
    private final String admin;

    private DatabaseServer(Path directory, String url, String admin, List<String> command)
            throws IOException {
        this.directory = directory;
        this.url = url;
        this.admin = admin;
        process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("server.log").toFile())
                        .start();
    }

    /** The server for a kind of freeze. */
    static DatabaseServer of(String kind) throws IOException, InterruptedException {
        return kind.equals("mariadb") ? mariadb() : postgresql();
    }

    /** PostgreSQL, in the newest version that is there. */
    static DatabaseServer postgresql() throws IOException, InterruptedException {
        Path bin = newest(Path.of("/usr/lib/postgresql")).resolve("bin");
        assumeTrue(Files.isExecutable(bin.resolve("initdb")), "PostgreSQL is not installed");
        Path directory = directoryOf("postgres");
        Path data = directory.resolve("data");
        Path password = Files.writeString(directory.resolve("password"), ADMIN);
        run(
                as(
                        "postgres",
                        bin.resolve("initdb").toString(),
                        "--no-sync",
                        "--auth=scram-sha-256",
                        "--username=postgres",
                        "--pwfile=" + password,
                        data.toString()));
        int port = freePort();
        DatabaseServer server =
                new DatabaseServer(
                        directory,
                        "jdbc:postgresql://127.0.0.1:" + port + "/postgres",
                        "postgres",
                        as(
                                "postgres",
                                bin.resolve("postgres").toString(),
                                "-D",
                                data.toString(),
                                "-p",
                                "" + port,
                                "-c",
                                "listen_addresses=127.0.0.1",
                                "-c",
                                "unix_socket_directories=" + directory,
                                "-c",
                                "fsync=off"));
        server.prepare(
                ADMIN,
                "CREATE USER hook PASSWORD '" + PASSWORD + "'",
                "GRANT EXECUTE ON FUNCTION pg_backup_start TO hook",
                "GRANT EXECUTE ON FUNCTION pg_backup_stop TO hook",
                "CREATE SCHEMA shop",
                "CREATE TABLE shop.orders (id int)");
        return server;
    }

    /** MariaDB. */
    static DatabaseServer mariadb() throws IOException, InterruptedException {
        Path program = Path.of("/usr/sbin/mariadbd");
        assumeTrue(Files.isExecutable(program), "MariaDB is not installed");
        Path directory = directoryOf("mysql");
        String data = "--datadir=" + directory.resolve("data");
        run(
                as(
                        "mysql",
                        "mariadb-install-db",
                        "--no-defaults",
                        data,
                        "--skip-test-db",
                        "--auth-root-authentication-method=normal"));
        int port = freePort();
        DatabaseServer server =
                new DatabaseServer(
                        directory,
                        "jdbc:mariadb://127.0.0.1:" + port + "/",
                        "root",
                        as(
                                "mysql",
                                program.toString(),
                                "--no-defaults",
                                data,
                                "--bind-address=127.0.0.1",
                                "--port=" + port,
                                "--socket=" + directory.resolve("socket"),
                                "--pid-file=" + directory.resolve("pid")));
        server.prepare(
                "",
                "CREATE USER hook@'%' IDENTIFIED BY '" + PASSWORD + "'",
                "GRANT RELOAD ON *.* TO hook@'%'",
                "ALTER USER root@localhost IDENTIFIED BY '" + ADMIN + "'",
                "CREATE SCHEMA shop",
                "CREATE TABLE shop.orders (id int)");
        return server;
    }

    private static Path newest(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return directory;
        }
        try (Stream<Path> versions = Files.list(directory)) {
            return versions.max(
                            Comparator.comparing(
                                    version -> Integer.parseInt(version.getFileName().toString())))
                    .orElse(directory);
        }
    }

    /** Servers refuse to run as root. */
    private static List<String> as(String user, String... command) {
        List<String> all = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            all.addAll(
                    List.of(
                            "setpriv",
                            "--reuid=" + user,
                            "--regid=" + user,
                            "--clear-groups",
                            "--"));
        }
        all.addAll(List.of(command));
        return all;
    }

    private static Path directoryOf(String user) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("database");
        if (System.getProperty("user.name").equals("root")) {
            run(List.of("chown", user, directory.toString()));
        }
        return directory;
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String told = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(told).isZero();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private void prepare(String password, String... statements) {
        Awaitility.await()
                .atMost(Patience.LIMIT)
                .ignoreExceptionsMatching(SQLException.class::isInstance)
                .until(
                        () -> {
                            try (Connection connection =
                                            DriverManager.getConnection(url, admin, password);
                                    Statement statement = connection.createStatement()) {
                                for (String sql : statements) {
                                    statement.execute(sql);
                                }
                                return true;
                            }
                        });
    }

    String url() {
        return url;
    }

    /** The folder with a data source of this server, as a mounted Secret makes it. */
    void describe(Path dataSources, String name, String password) throws IOException {
        Path folder = Files.createDirectories(dataSources.resolve(name));
        Files.writeString(folder.resolve("url"), url + "\n");
        Files.writeString(folder.resolve("username"), USER);
        Files.writeString(folder.resolve("password"), password + "\n");
    }

    /** A session that may do everything. */
    Connection connect() throws SQLException {
        return DriverManager.getConnection(url, admin, ADMIN);
    }

    /** The first column of what a query answers with. */
    List<String> ask(String query) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> answers = new ArrayList<>();
            while (rows.next()) {
                answers.add(rows.getString(1));
            }
            return answers;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The sessions of hooks that are open. */
    List<String> sessions() {
        return ask(
                url.contains("postgresql")
                        ? "SELECT usename FROM pg_stat_activity WHERE usename = 'hook'"
                        : "SELECT user FROM information_schema.processlist WHERE user = 'hook'");
    }

    /** Writes, for as long as that takes. */
    void write(int id) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO shop.orders VALUES (" + id + ")");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
