package io.volumesnapshotter.run;

import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.StartupListener;
import org.apache.camel.support.service.ServiceHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks all the time whether each schedule's last fire time came to its run, and makes it up if it
 * did not: after a start, after a take-over from another replica, after a route was restarted just
 * when it was due. A run of it that took place finds its snapshots there and takes none; one that
 * was cut off is completed; {@link RunStart} tells of one that is too old. Of several fire times
 * that were missed the last one is made up, as Kubernetes does for a CronJob.
 *
 * <p>Times before a schedule came into the running program, or got its present trigger, are not
 * made up.
 */
public final class MissedFires implements StartupListener {

    private static final Duration TICK = Duration.ofMillis(500);

    /** How long a fire may be on its way before it counts as missed. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    /** A look takes milliseconds. */
    private static final Duration STUCK = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(MissedFires.class);

    private final ScheduleRegistry registry;
    private final RunStart runs;
    private final FireTimes fireTimes;
    private final FailureLog failures;
    private final BooleanSupplier leader;
    private final ScheduledExecutorService ticks;
    private final ExecutorService executor;
    private final InstantSource clock;
    private final InstantSource steady;
    private final ClockWatch clockWatch;
    private final Map<String, Instant> attempted = new HashMap<>();
    private volatile Instant lastLook;

    /**
     * @param leader whether this program is the one that fires
     * @param ticks where to look
     * @param executor where the runs are waited for, one thread for each
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    public MissedFires(
            ScheduleRegistry registry,
            RunStart runs,
            FireTimes fireTimes,
            FailureLog failures,
            BooleanSupplier leader,
            ScheduledExecutorService ticks,
            ExecutorService executor,
            InstantSource clock,
            InstantSource steady) {
        this.registry = registry;
        this.runs = runs;
        this.fireTimes = fireTimes;
        this.failures = failures;
        this.leader = leader;
        this.ticks = ticks;
        this.executor = executor;
        this.clock = clock;
        this.steady = steady;
        clockWatch = new ClockWatch(clock, steady);
    }

    @Override
    public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
        // the routes are not started yet
    }

    @Override
    public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
        ticks.scheduleWithFixedDelay(
                () -> tick(context), 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void tick(CamelContext context) {
        lastLook = steady.instant();
        if (!context.isStarted()) {
            return;
        }
        try {
            look(context);
        } catch (RuntimeException e) {
            LOG.error("looking for missed fire times failed: {}", ErrorText.rootWords(e));
        }
    }

    private void look(CamelContext context) {
        clockWatch.takeJump().ifPresent(jump -> adjust(context, jump));
        registry.advance();
        Instant now = clock.instant();
        boolean leads = leader.getAsBoolean();
        if (!leads) {
            fireTimes.forgetAll();
            failures.forgetAll();
        }
        List<ScheduleEntry> schedules = registry.entries();
        for (ScheduleEntry schedule : schedules) {
            if (!leads || fireTimes.takeRetry(schedule.name())) {
                attempted.remove(schedule.name());
            } else if (isMissed(schedule, now)) {
                Route route = schedule.route().orElseThrow();
                Instant due = schedule.lastDue().orElseThrow();
                attempted.put(schedule.name(), due);
                executor.execute(() -> makeUp(route, due));
            }
        }
        attempted.keySet().retainAll(schedules.stream().map(ScheduleEntry::name).toList());
    }

    /** After the wall clock was set, the next fire times are those that it has now. */
    private void adjust(CamelContext context, Duration jump) {
        LOG.warn(
                "this machine's clock was set {} by {} s{}: the next fire times are computed anew",
                jump.isNegative() ? "back" : "ahead",
                jump.abs().plusMillis(500).toSeconds(),
                jump.isNegative() ? "" : ", or it slept");
        Instant now = clock.instant();
        fireTimes.forgetFuture(now);
        registry.adjustToClock();
        attempted.values().removeIf(due -> due.isAfter(now));
        for (Route route : context.getRoutes()) {
            if (isStarted(route)) {
                Trigger.restart(route, now);
            }
        }
    }

    private boolean isMissed(ScheduleEntry schedule, Instant now) {
        String name = schedule.name();
        Instant due = schedule.lastDue().orElse(null);
        if (due == null
                || schedule.route().isEmpty()
                || due.equals(attempted.get(name))
                || due.plus(GRACE).isAfter(now)
                || runs.isBusy(name)) {
            return false;
        }
        if (fireTimes.hasFired(name, due)) {
            attempted.put(name, due);
            return false;
        }
        Route route = schedule.route().get();
        boolean rests = registry.isSuspended(schedule.schedule()) || !isStarted(route);
        if (rests && due.isBefore(now.minus(schedule.schedule().policy().startingDeadline()))) {
            attempted.put(name, due);
            fireTimes.markSuspended(name, due);
        }
        return !rests && takesFires(route);
    }

    private static boolean isStarted(Route route) {
        ServiceStatus status =
                route.getCamelContext().getRouteController().getRouteStatus(route.getRouteId());
        return status != null && status.isStarted();
    }

    /**
     * Whether a fire would reach the route's steps. They are stopped when leadership is lost, and
     * start a second after it is regained.
     */
    public static boolean takesFires(Route route) {
        return isStarted(route) && ServiceHelper.isStarted(route.getProcessor());
    }

    /** Whether it has not looked for so long that nothing will be made up any more. */
    public boolean isStuck() {
        Instant last = lastLook;
        return last != null && last.isBefore(steady.instant().minus(STUCK));
    }

    /** A fire that meets a route that is just being stopped is lost, and made up once more. */
    void makeUp(Route route, Instant due) {
        Exchange exchange = send(route, due, Firing.Cause.MADE_UP);
        boolean rejected =
                Causes.has(RejectedExecutionException.class, exchange.getException())
                        && exchange.getProperty(RunStart.BEGAN) == null;
        if (rejected && !(leader.getAsBoolean() && takesFires(route))) {
            LOG.debug("{}: the fire for {} met a route that stops", route.getRouteId(), due);
            fireTimes.retryLater(route.getRouteId(), due, false);
        } else {
            tell(route, due, exchange);
        }
    }

    /**
     * Fires a schedule's route as its trigger would, and returns when the run has ended.
     *
     * @param cause why it fires
     */
    public static void fire(Route route, Instant due, Firing.Cause cause) {
        tell(route, due, send(route, due, cause));
    }

    /**
     * Fires a route for somebody who has chosen everything about it, and returns when the run has
     * ended.
     *
     * @param targets what to take snapshots of
     * @return what the exchange failed of, if it did not end in the dead letter
     */
    public static Optional<Exception> fire(Route route, Firing firing, List<Target> targets) {
        Exchange exchange = exchange(route, firing.due());
        exchange.setProperty(Firing.PROPERTY, firing);
        exchange.setProperty(Chosen.PROPERTY, new Chosen(List.copyOf(targets)));
        return Optional.ofNullable(process(route, exchange).getException());
    }

    private static Exchange send(Route route, Instant due, Firing.Cause cause) {
        Exchange exchange = exchange(route, due);
        exchange.setProperty(RunStart.CAUSE, cause);
        return process(route, exchange);
    }

    private static Exchange exchange(Route route, Instant due) {
        Exchange exchange = route.getEndpoint().createExchange();
        exchange.getExchangeExtension().setFromRouteId(route.getRouteId());
        exchange.getIn().setHeader("scheduledFireTime", Date.from(due));
        return exchange;
    }

    private static Exchange process(Route route, Exchange exchange) {
        try {
            route.getProcessor().process(exchange);
        } catch (Exception e) {
            exchange.setException(e);
        }
        return exchange;
    }

    private static void tell(Route route, Instant due, Exchange exchange) {
        if (exchange.getException() != null && !exchange.getContext().isStopping()) {
            String schedule = route.getRouteId();
            LogKeys.with(
                    schedule,
                    SnapshotNames.run(schedule, due),
                    () ->
                            LOG.error(
                                    "{}: the run for {} failed: {}; run the schedule now if the"
                                            + " next fire time is too far off",
                                    schedule,
                                    due,
                                    ErrorText.rootWords(exchange.getException())));
        }
    }
}
