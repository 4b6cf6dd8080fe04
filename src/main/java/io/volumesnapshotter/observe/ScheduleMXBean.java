package io.volumesnapshotter.observe;

import java.util.List;
import java.util.Map;

/**
 * A schedule as JMX shows it, as {@code io.volumesnapshotter:type=Schedule,name=<schedule>}. Times
 * are in UTC, as {@code 2026-11-23T03:00:00Z}.
 */
public interface ScheduleMXBean {

    /** The next five times at which it is due; none for a schedule without a cron expression. */
    List<String> getNextFireTimes();

    /** Its cron expression in Quartz's form; null without one. */
    String getCron();

    /** The time zone in which the cron expression is meant; null without one. */
    String getTimeZone();

    /** Whether it does nothing, by its settings or by {@link #suspend}. */
    boolean isSuspended();

    /** The name of the run that is under way; null when none is. */
    String getRunning();

    /** Name, start, end and outcome of the last run that ended here; empty when none did. */
    Map<String, String> getLastRun();

    /** What became of each claim in that run: {@code ready}, or why not. */
    Map<String, String> getLastRunClaims();

    /** When the newest good snapshot of each claim was cut, or {@code never}. */
    Map<String, String> getLastSuccess();

    /** Its settings as they are in force, but for those that are empty. */
    Map<String, String> getPolicy();

    /**
     * Starts a run for the present second, in the background.
     *
     * @return what was done
     * @throws IllegalStateException when another replica leads, the schedule is stopped or
     *     suspended, or the run that was asked for last has not ended
     */
    String runNow();

    /**
     * Lets it do nothing from now on, until {@link #resume} or the end of the program. A run that
     * is under way is given up: it creates and deletes nothing more.
     *
     * @return what was done
     */
    String suspend();

    /**
     * Lets it work again. Of the times that it missed the last one is made up, if that is not older
     * than its starting deadline.
     *
     * @return what was done
     * @throws IllegalStateException when its settings suspend it
     */
    String resume();

    /**
     * What a run would do now: what it would take, and, once that is ready, what it would keep, and
     * why, and what it would delete. It only reads.
     */
    String plan();
}
