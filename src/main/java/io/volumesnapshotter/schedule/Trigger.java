package io.volumesnapshotter.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Date;
import java.util.Objects;
import java.util.Optional;
import org.apache.camel.DelegateEndpoint;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.component.quartz.QuartzEndpoint;
import org.quartz.CronTrigger;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;

/**
 * When a schedule is due.
 *
 * @param cron the expression, in Quartz's form
 * @param zone the time zone in which it is meant
 */
public record Trigger(String cron, ZoneId zone) {

    /**
     * The trigger of a route that starts with Quartz and a cron expression, also where only the
     * leader of several replicas starts it.
     */
    public static Optional<Trigger> of(Route route) {
        if (route != null
                && start(route) instanceof QuartzEndpoint endpoint
                && endpoint.getCron() != null) {
            Object zone = endpoint.getTriggerParameters().get("timeZone");
            return Optional.of(
                    new Trigger(
                            endpoint.getCron(),
                            zone == null
                                    ? ZoneId.systemDefault()
                                    : ZoneId.of(Objects.toString(zone))));
        }
        return Optional.empty();
    }

    private static Endpoint start(Route route) {
        return route.getEndpoint() instanceof DelegateEndpoint outer
                ? outer.getEndpoint()
                : route.getEndpoint();
    }

    /**
     * Lets Quartz compute when it fires next: it does so only when it fires, and else would wait
     * until a clock that was set back has caught up. Key, zone and what becomes of misfires stay.
     *
     * @param now the present, by the clock as it is now
     * @throws IllegalStateException when Quartz does not do it
     */
    public static void restart(Route route, Instant now) {
        if (start(route) instanceof QuartzEndpoint endpoint) {
            Scheduler scheduler = endpoint.getComponent().getScheduler();
            try {
                // None where another replica fires.
                if (scheduler.getTrigger(endpoint.getTriggerKey()) instanceof CronTrigger cron) {
                    scheduler.rescheduleJob(
                            cron.getKey(),
                            cron.getTriggerBuilder().startAt(Date.from(now)).build());
                }
            } catch (SchedulerException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** The latest time at or before an instant at which it was due. */
    public Optional<Instant> lastDue(Instant instant) {
        return Cron.lastDue(cron, zone, instant);
    }

    /** How far apart two times are meant to be at an instant; empty when it was due only once. */
    public Optional<Duration> intervalAt(Instant instant) {
        return Cron.intervalAt(cron, zone, instant);
    }

    /** The first time after an instant at which it will be due. */
    public Optional<Instant> nextDue(Instant instant) {
        return Cron.nextDue(cron, zone, instant);
    }
}
