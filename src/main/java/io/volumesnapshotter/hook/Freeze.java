package io.volumesnapshotter.hook;

import io.volumesnapshotter.schedule.Quiesce;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One freeze of an application, from before its snapshot is asked for until storage has cut it.
 * Routes see it as the variable {@code freeze}. It proves a snapshot consistent only if nothing
 * went wrong from its beginning to its end. Safe for use by several threads.
 */
public final class Freeze {

    /** Variable of an exchange that carries it. */
    static final String VARIABLE = "freeze";

    private static final int MIN_SECONDS = 1;

    private final Claim claim;
    private final String snapshot;
    private final Quiesce quiesce;
    private final long began;
    private final Map<String, String> notes = new LinkedHashMap<>();
    private JdbcSession session;
    private boolean over;
    private boolean cut;
    private boolean alreadyThere;
    private String trouble;
    private String remedy;

    Freeze(Claim claim, String snapshot, Quiesce quiesce, long nanoTime) {
        this.claim = claim;
        this.snapshot = snapshot;
        this.quiesce = quiesce;
        began = nanoTime;
    }

    public Claim claim() {
        return claim;
    }

    /** Name of the snapshot that is taken meanwhile: letters, digits, '-' and '.'. */
    public String snapshot() {
        return snapshot;
    }

    /** Name of the data source that the schedule names; empty for none. */
    public String dataSource() {
        return quiesce.dataSource().orElse("");
    }

    /** How long it may last, in whole seconds: for what the application can bound itself. */
    public long seconds() {
        return Math.max(MIN_SECONDS, quiesce.timeout().toSeconds());
    }

    String kind() {
        return quiesce.kind();
    }

    Duration timeout() {
        return quiesce.timeout();
    }

    Duration lasted() {
        return Duration.ofNanos(System.nanoTime() - began);
    }

    /** How much of its time is left; never less than nothing. */
    Duration left() {
        Duration left = quiesce.timeout().minus(lasted());
        return left.isNegative() ? Duration.ZERO : left;
    }

    /**
     * Holds a session until it is over.
     *
     * @throws HookException when it is over already
     */
    synchronized void hold(JdbcSession opened) throws HookException {
        if (over) {
            opened.abort();
            throw new HookException(trouble == null ? "the freeze is over" : trouble, remedy);
        }
        end(session);
        session = opened;
    }

    /**
     * The session that is held.
     *
     * @throws HookException when there is none
     */
    synchronized JdbcSession session() throws HookException {
        if (session == null) {
            throw new HookException(
                    "no session is held",
                    "let the route freeze-" + kind() + " call bean session, method open, first");
        }
        return session;
    }

    /** Notes something that is to be written on the snapshot. */
    synchronized void note(String annotation, String value) {
        notes.put(annotation, value);
    }

    synchronized Map<String, String> notes() {
        return Map.copyOf(notes);
    }

    /** Storage has cut. */
    synchronized void markCut() {
        cut = true;
    }

    /** The snapshot was there before this freeze; what it is worth, the next look says. */
    synchronized void markAlreadyThere() {
        alreadyThere = true;
    }

    synchronized boolean isAlreadyThere() {
        return alreadyThere;
    }

    /** Notes what went wrong, unless something did before. */
    synchronized void markTrouble(String words, String advice) {
        if (trouble == null && !over) {
            trouble = words;
            remedy = advice;
        }
    }

    /** Why its snapshot is not consistent; empty where it is. */
    synchronized Optional<HookException> trouble() {
        if (trouble != null) {
            return Optional.of(new HookException(trouble, remedy));
        }
        return cut && over
                ? Optional.empty()
                : Optional.of(
                        new HookException(
                                "the freeze ended before storage had cut",
                                "raise freeze-timeout, if the application can bear it"));
    }

    /** Ends it because its time is over, whatever the application is in the middle of. */
    synchronized void cutOff() {
        if (over) {
            return;
        }
        markTrouble(
                "the freeze was ended after "
                        + Settings.text(quiesce.timeout())
                        + (cut ? ", as it had not been thawed" : ", before storage had cut"),
                "look at the driver; raise freeze-timeout, if the application can bear it");
        if (session != null) {
            session.abort();
        }
        over = true;
    }

    /** Ends it. */
    synchronized void end() {
        over = true;
        end(session);
        session = null;
    }

    private static void end(JdbcSession held) {
        if (held != null) {
            held.close();
        }
    }
}
