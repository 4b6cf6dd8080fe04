package io.volumesnapshotter.testing;

import io.volumesnapshotter.simulation.SimulatedCluster;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;

/**
 * A schedule that runs once and not again while a test goes on: it is due once a year, and was due
 * five minutes ago. The program makes that run up as soon as it has started, because the claim's
 * last snapshot is older. A program that is told to stop after the run's success is therefore
 * stopped between two runs, however slow the machine.
 */
public final class OneRun {

    private static final Duration SINCE_DUE = Duration.ofMinutes(5);
    private static final Duration SINCE_LAST = Duration.ofDays(2);

    private OneRun() {}

    /**
     * Gives a claim the snapshot that makes the run a missed one.
     *
     * @return the cron expression of the schedule
     */
    public static String of(SimulatedCluster cluster, String claim) {
        Instant now = Instant.now();
        Program.hadTaken(cluster, claim, now.minus(SINCE_LAST));
        ZonedDateTime due = now.minus(SINCE_DUE).atZone(ZoneOffset.UTC);
        return "0 %d %d %d %d ?"
                .formatted(
                        due.getMinute(), due.getHour(), due.getDayOfMonth(), due.getMonthValue());
    }
}
