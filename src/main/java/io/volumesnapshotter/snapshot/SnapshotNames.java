package io.volumesnapshotter.snapshot;

import io.volumesnapshotter.settings.ObjectNames;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.regex.Pattern;

/**
 * The names of runs and of the snapshots that they take.
 *
 * <p>A snapshot's name is a function of claim, schedule and scheduled fire time alone, so that a
 * request that is sent twice, a restart and a fail-over all meet the snapshot that is already there
 * instead of making a second one.
 */
public final class SnapshotNames {

    /** Longest name of a schedule: with a dash and 14 digits it still fits into a label value. */
    public static final int MAX_SCHEDULE = ObjectNames.MAX_LABEL - 15;

    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss").withZone(ZoneOffset.UTC);

    private static final Pattern TIME = Pattern.compile("\\d{14}");

    private SnapshotNames() {}

    /** Whether this can be the name of a schedule. */
    public static boolean isSchedule(String name) {
        return name.length() <= MAX_SCHEDULE && ObjectNames.isLabel(name);
    }

    /** The name of a run: {@code <schedule>-<yyyyMMddHHmmss>}, in UTC. */
    public static String run(String schedule, Instant fireTime) {
        return schedule + "-" + SECONDS.format(fireTime);
    }

    /** The name of a run that somebody gave a key: {@code <schedule>-<key>}. */
    public static String run(String schedule, String key) {
        return schedule + "-" + key;
    }

    /**
     * Whether a run of a schedule can have this key. One of 14 digits would be a time.
     *
     * @param schedule name of the schedule
     */
    public static boolean isKey(String schedule, String key) {
        return ObjectNames.isLabel(key)
                && run(schedule, key).length() <= ObjectNames.MAX_LABEL
                && !TIME.matcher(key).matches();
    }

    /** Whether this can be the name of a run of a schedule. */
    static boolean isRun(String schedule, String run) {
        if (!run.startsWith(schedule + "-")) {
            return false;
        }
        String end = run.substring(schedule.length() + 1);
        return TIME.matcher(end).matches() ? isTime(end) : isKey(schedule, end);
    }

    private static boolean isTime(String digits) {
        try {
            SECONDS.parse(digits);
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }

    /** When the run of this name was due. */
    public static Instant fireTime(String run) {
        return Instant.from(SECONDS.parse(run.substring(run.lastIndexOf('-') + 1)));
    }

    /**
     * The name of a run's snapshot of a claim: {@code <claim>-<schedule>-<yyyyMMddHHmmss>}, in UTC.
     *
     * <p>A hash of claim and schedule follows where the plain form could be the name of another
     * claim's snapshot (claim {@code a} in schedule {@code b-c}, claim {@code a-b} in schedule
     * {@code c}) or would be longer than 253 characters, in which case the claim's part is cut.
     */
    public static String snapshot(String claim, String schedule, Instant fireTime) {
        return snapshot(claim, schedule, run(schedule, fireTime));
    }

    /**
     * The name of a run's snapshot of a claim, by the run's name. That of a run with a key always
     * has the hash.
     */
    public static String snapshot(String claim, String schedule, String run) {
        String end = "-" + run;
        boolean isPlain =
                !schedule.contains("-")
                        && TIME.matcher(run.substring(schedule.length() + 1)).matches();
        if (isPlain && claim.length() + end.length() <= ObjectNames.MAX_NAME) {
            return claim + end;
        }
        return hashed(claim, end, claim + "/" + schedule);
    }

    /**
     * The name of a run's snapshot of a claim where another installation has taken the plain one:
     * {@code <claim>-<schedule>-<yyyyMMddHHmmss>-<hash>}.
     *
     * @param installation identity of this installation
     */
    public static String snapshot(
            String claim, String schedule, Instant fireTime, String installation) {
        return snapshot(claim, schedule, run(schedule, fireTime), installation);
    }

    /** The name of such a snapshot, by the name of the run. */
    public static String snapshot(String claim, String schedule, String run, String installation) {
        return hashed(claim, "-" + run, claim + "/" + schedule + "/" + installation);
    }

    private static String hashed(String claim, String plainEnd, String hashedText) {
        String end = plainEnd + "-" + ObjectNames.hash(hashedText);
        int room = Math.min(claim.length(), ObjectNames.MAX_NAME - end.length());
        // A cut must not end in a dot: ".-" is not RFC 1123.
        while (claim.charAt(room - 1) == '.') {
            room--;
        }
        return claim.substring(0, room) + end;
    }
}
