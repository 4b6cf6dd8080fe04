package io.volumesnapshotter.hook;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.camel.Body;
import org.apache.camel.Variable;

/** The steps of freezes that are a session with a database; routes know it as {@code session}. */
public final class Sessions {

    private static final String ANNOTATION = "volume-snapshotter/";

    private final Path directory;
    private final Executor threads;

    /**
     * @param directory holds a folder for each data source
     * @param threads where logins are waited for
     */
    public Sessions(Path directory, Executor threads) {
        this.directory = directory;
        this.threads = threads;
    }

    /** Logs in to the schedule's data source. The freeze holds the session from now on. */
    public void open(@Variable(Freeze.VARIABLE) Freeze freeze)
            throws HookException, InterruptedException {
        DataSource source = DataSource.read(directory, freeze.dataSource());
        freeze.hold(JdbcSession.open(source, freeze.left(), threads));
    }

    /**
     * Executes the statement in the body in the session that is held. The first row that it answers
     * with is the body afterwards, by column.
     */
    public Map<String, String> execute(
            @Variable(Freeze.VARIABLE) Freeze freeze, @Body String statement) throws HookException {
        return freeze.session().execute(statement, freeze.left());
    }

    /** Keeps each column of the row in the body that is not empty as an annotation. */
    public void keep(@Variable(Freeze.VARIABLE) Freeze freeze, @Body Map<String, String> row) {
        row.forEach(
                (column, value) -> {
                    if (!value.isBlank()) {
                        freeze.note(ANNOTATION + column.replace('_', '-'), value.strip());
                    }
                });
    }
}
