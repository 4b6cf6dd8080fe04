package io.volumesnapshotter.hook;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session with a database. What was locked in it is locked as long as it lasts: if the program
 * dies, its connection goes, and the database lets go by itself.
 */
final class JdbcSession {

    private static final Logger LOG = LoggerFactory.getLogger(JdbcSession.class);

    /** Class of SQLSTATE for a login that is refused. */
    private static final String NOT_AUTHORIZED = "28";

    private final DataSource source;
    private final Connection connection;
    private final Executor threads;

    private JdbcSession(DataSource source, Connection connection, Executor threads) {
        this.source = source;
        this.connection = connection;
        this.threads = threads;
    }

    /**
     * Logs in.
     *
     * @param limit how long that may take
     * @param threads where it is waited for, and where a connection is cut off
     */
    static JdbcSession open(DataSource source, Duration limit, Executor threads)
            throws HookException, InterruptedException {
        try {
            DriverManager.getDriver(source.url());
        } catch (SQLException e) {
            throw new HookException(
                    "no JDBC driver knows the url of data source " + source.name(),
                    "put the driver's jar into the folder ext, or correct the url");
        }
        CompletableFuture<Connection> opened = new CompletableFuture<>();
        threads.execute(
                () -> {
                    try {
                        Connection connection = connect(source);
                        if (!opened.complete(connection)) {
                            connection.close();
                        }
                    } catch (SQLException | RuntimeException e) {
                        opened.completeExceptionally(e);
                    }
                });
        try {
            Connection connection = opened.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return new JdbcSession(source, connection, threads);
        } catch (TimeoutException e) {
            // One that comes later is closed where it comes.
            opened.completeExceptionally(e);
            throw new HookException(
                    "data source " + source.name() + " did not answer in time",
                    "look whether the database is there and a NetworkPolicy lets the program to it");
        } catch (ExecutionException e) {
            throw failure(source, "login to data source " + source.name(), e.getCause());
        }
    }

    private static Connection connect(DataSource source) throws SQLException {
        Properties login = new Properties();
        source.username().ifPresent(user -> login.setProperty("user", user));
        source.password().ifPresent(password -> login.setProperty("password", password));
        Connection connection = DriverManager.getConnection(source.url(), login);
        connection.setAutoCommit(true);
        return connection;
    }

    /**
     * Executes a statement.
     *
     * @param limit how long it may take
     * @return the first row that it answers with, by column in lower case; empty where there is
     *     none
     */
    Map<String, String> execute(String sql, Duration limit) throws HookException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout((int) Math.max(1, limit.toSeconds()));
            if (!statement.execute(sql)) {
                return Map.of();
            }
            try (ResultSet rows = statement.getResultSet()) {
                return rows.next() ? row(rows) : Map.of();
            }
        } catch (SQLException e) {
            throw failure(source, "\"" + sql + "\" on data source " + source.name(), e);
        }
    }

    private static Map<String, String> row(ResultSet rows) throws SQLException {
        Map<String, String> row = new LinkedHashMap<>();
        ResultSetMetaData columns = rows.getMetaData();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            row.put(
                    columns.getColumnLabel(i).toLowerCase(Locale.ROOT),
                    Objects.toString(rows.getString(i), ""));
        }
        return row;
    }

    private static HookException failure(DataSource source, String what, Throwable cause) {
        boolean isLogin =
                cause instanceof SQLException refused
                        && Objects.toString(refused.getSQLState(), "").startsWith(NOT_AUTHORIZED);
        HookException failure =
                new HookException(
                        source.withoutSecrets(what + " failed: " + cause.getMessage()),
                        isLogin
                                ? "correct username and password in the Secret of the data source"
                                : "look at the database and at what its user may do");
        return failure;
    }

    /** Ends the session in peace. */
    void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            LOG.debug("{}", source.withoutSecrets(String.valueOf(e.getMessage())));
            abort();
        }
    }

    /** Ends the session, whatever it is in the middle of. */
    void abort() {
        try {
            connection.abort(threads);
        } catch (SQLException e) {
            LOG.warn(
                    "the session with data source {} could not be cut off: {}",
                    source.name(),
                    source.withoutSecrets(String.valueOf(e.getMessage())));
        }
    }
}
