package io.volumesnapshotter.run;

import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.HashMap;
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

    /** How long a route may be gone, while it is exchanged, and still be the same schedule. */
    private static final Duration EXCHANGE = Duration.ofSeconds(10);

    /** A look takes milliseconds. */
    private static final Duration STUCK = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(MissedFires.class);

    private final RunStart runs;
    private final FireTimes fireTimes;
    private final FailureLog failures;
    private final BooleanSupplier leader;
    private final ScheduledExecutorService ticks;
    private final ExecutorService executor;
    private final InstantSource clock;
    private final InstantSource steady;
    private final ClockWatch clockWatch;
    private final Map<String, Watch> watches = new HashMap<>();
    private boolean first = true;
    private volatile Instant lastLook;

    /** One schedule as it was seen last. Times are null as long as there is none. */
    private static final class Watch {
        private final Trigger trigger;
        private Route route;
        private Instant seen;
        private Instant due;
        private Instant next;
        private Instant attempted;

        Watch(Trigger trigger) {
            this.trigger = trigger;
        }

        /**
         * Lets times that are in the future come again. One that was passed over is due: the last
         * one is made up if it did not come.
         */
        private void adjust(Instant now) {
            due = isAfter(due, now) ? null : due;
            attempted = isAfter(attempted, now) ? null : attempted;
            if (next != null && trigger.nextDue(now).filter(next::isAfter).isPresent()) {
                next = trigger.nextDue(now).get();
            }
        }

        private static boolean isAfter(Instant time, Instant now) {
            return time != null && time.isAfter(now);
        }
    }

    /**
     * @param leader whether this program is the one that fires
     * @param ticks where to look
     * @param executor where the runs are waited for, one thread for each
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    public MissedFires(
            RunStart runs,
            FireTimes fireTimes,
            FailureLog failures,
            BooleanSupplier leader,
            ScheduledExecutorService ticks,
            ExecutorService executor,
            InstantSource clock,
            InstantSource steady) {
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
        Instant now = clock.instant();
        Instant steadyNow = steady.instant();
        boolean leads = leader.getAsBoolean();
        if (!leads) {
            fireTimes.forgetAll();
            failures.forgetAll();
        }
        for (Route route : context.getRoutes()) {
            Watch watch = watch(route, now);
            if (watch == null) {
                continue;
            }
            watch.seen = steadyNow;
            if (!leads || fireTimes.takeRetry(route.getRouteId())) {
                watch.attempted = null;
            } else if (isMissed(route, watch, now)) {
                Instant due = watch.due;
                watch.attempted = due;
                executor.execute(() -> makeUp(route, due));
            }
        }
        watches.values().removeIf(watch -> watch.seen.isBefore(steadyNow.minus(EXCHANGE)));
        first = false;
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
        watches.values().forEach(watch -> watch.adjust(now));
        for (Route route : context.getRoutes()) {
            if (watches.containsKey(route.getRouteId())
                    && context.getRouteController()
                            .getRouteStatus(route.getRouteId())
                            .isStarted()) {
                Trigger.restart(route, now);
            }
        }
    }

    /** The schedule of a route as of now, or null where there is none. */
    private Watch watch(Route route, Instant now) {
        Watch watch = watches.get(route.getRouteId());
        if (watch == null || watch.route != route) {
            Trigger trigger = Trigger.of(route).orElse(null);
            if (trigger == null) {
                return null;
            }
            if (watch == null || !watch.trigger.equals(trigger)) {
                watch = new Watch(trigger);
                watch.due = first ? trigger.lastDue(now).orElse(null) : null;
                watch.next = trigger.nextDue(now).orElse(null);
                watches.put(route.getRouteId(), watch);
            }
            watch.route = route;
        }
        if (watch.next != null && !watch.next.isAfter(now)) {
            watch.due = watch.trigger.lastDue(now).orElse(watch.next);
            watch.next = watch.trigger.nextDue(now).orElse(null);
        }
        return watch;
    }

    private boolean isMissed(Route route, Watch watch, Instant now) {
        CamelContext context = route.getCamelContext();
        String schedule = route.getRouteId();
        Instant due = watch.due;
        if (due == null
                || due.equals(watch.attempted)
                || due.plus(GRACE).isAfter(now)
                || runs.isBusy(schedule)) {
            return false;
        }
        if (fireTimes.hasFired(schedule, due)) {
            watch.attempted = due;
            return false;
        }
        Optional<Schedule> found = PolicyComponent.scheduleOf(context, schedule);
        if (found.isEmpty()) {
            return false;
        }
        boolean suspended =
                policies(context).isSuspended(found.get())
                        || !context.getRouteController().getRouteStatus(schedule).isStarted();
        if (suspended && due.isBefore(now.minus(found.get().policy().startingDeadline()))) {
            watch.attempted = due;
            fireTimes.markSuspended(schedule, due);
        }
        return !suspended && takesFires(route);
    }

    /**
     * Whether a fire would reach the route's steps. They are stopped when leadership is lost, and
     * start a second after it is regained.
     */
    public static boolean takesFires(Route route) {
        return route.getCamelContext()
                        .getRouteController()
                        .getRouteStatus(route.getRouteId())
                        .isStarted()
                && ServiceHelper.isStarted(route.getProcessor());
    }

    private static PolicyComponent policies(CamelContext context) {
        return context.getComponent("policy", PolicyComponent.class);
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

    private static Exchange send(Route route, Instant due, Firing.Cause cause) {
        Exchange exchange = route.getEndpoint().createExchange();
        exchange.getExchangeExtension().setFromRouteId(route.getRouteId());
        exchange.getIn().setHeader("scheduledFireTime", Date.from(due));
        exchange.setProperty(RunStart.CAUSE, cause);
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
