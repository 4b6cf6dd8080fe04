package io.volumesnapshotter.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Objects;
import java.util.Optional;
import org.apache.camel.DelegateEndpoint;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.component.quartz.QuartzEndpoint;

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
