package io.volumesnapshotter.command;

import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What makes a run that is asked for again the same run: the time at which it was due, or a key in
 * place of that. Either stands in the names of its snapshots.
 *
 * @param due when it is due
 * @param key the key, if it has one
 * @param isRepeatable whether an earlier try may have left snapshots
 */
record RunKey(Instant due, Optional<String> key, boolean isRepeatable) {

    private static final Pattern TIME = Pattern.compile("\\d{14}");

    /** How the CronJob controller names a Job: by the minutes since 1970 of its time. */
    private static final Pattern OF_CRONJOB = Pattern.compile(".+-(\\d{8})");

    /** How far the time of a Job may be from now; what looks like another is no time. */
    private static final Duration OLDEST = Duration.ofDays(7);

    /** One that nobody asked for before. */
    static RunKey now(Instant now) {
        return new RunKey(now.truncatedTo(ChronoUnit.SECONDS), Optional.empty(), false);
    }

    /**
     * What somebody gave: a key of his own, or the time of a run as it stands in its name.
     *
     * @throws CommandException when it can be none
     */
    static RunKey of(String schedule, String text, Instant now) {
        if (TIME.matcher(text).matches()) {
            try {
                return new RunKey(
                        SnapshotNames.fireTime(SnapshotNames.run(schedule, text)),
                        Optional.empty(),
                        true);
            } catch (DateTimeException e) {
                throw CommandException.usage(
                        "--run \"" + text + "\" is not a time",
                        "give yyyyMMddHHmmss in UTC, or a key that is no number");
            }
        }
        if (!SnapshotNames.isKey(schedule, text)) {
            throw CommandException.usage(
                    "--run \"" + text + "\" can be no key",
                    "give lower case letters, digits and '-', at most "
                            + (63 - schedule.length() - 1)
                            + " characters");
        }
        return new RunKey(now.truncatedTo(ChronoUnit.SECONDS), Optional.of(text), true);
    }

    /**
     * What a Job's name says: the time at which its CronJob was due, so that each of its pods works
     * on the same run; or, of a Job that somebody made, the name as a key.
     *
     * @throws CommandException when it can be none
     */
    static RunKey ofJob(String schedule, String job, Instant now) {
        Matcher scheduled = OF_CRONJOB.matcher(job);
        if (scheduled.matches()) {
            Instant due = Instant.ofEpochSecond(60 * Long.parseLong(scheduled.group(1)));
            if (!due.isAfter(now.plus(OLDEST)) && !due.isBefore(now.minus(OLDEST))) {
                return new RunKey(due, Optional.empty(), true);
            }
        }
        if (!SnapshotNames.isKey(schedule, job)) {
            throw CommandException.usage(
                    "--job \"" + job + "\" can be no key",
                    "give the Job a shorter name, of lower case letters, digits and '-'");
        }
        return new RunKey(now.truncatedTo(ChronoUnit.SECONDS), Optional.of(job), true);
    }

    Firing firing(Schedule schedule, ZoneId zone) {
        return new Firing(
                schedule,
                due,
                zone,
                isRepeatable ? Firing.Cause.REPLAY : Firing.Cause.REQUEST,
                key);
    }

    /** It as {@code --run} takes it. */
    String text(String schedule) {
        return key.orElseGet(
                () -> SnapshotNames.run(schedule, due).substring(schedule.length() + 1));
    }
}
