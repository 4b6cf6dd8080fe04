package io.volumesnapshotter.observe;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.core.instrument.Tags;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.run.FailureLog;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.run.Snapshots;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows the schedules that are there: each as an MBean, in the metrics and in the health. It looks
 * every second, so that schedules may come, go and be exchanged while the program runs.
 *
 * <p>When this program begins to lead, after a start or a fail-over, the cluster tells when each
 * claim was well last; a replica that does not lead shows nothing of claims.
 */
public final class ScheduleMonitor implements StartupListener {

    /** How long a route may be gone, while it is exchanged, and still be the same schedule. */
    private static final Duration EXCHANGE = Duration.ofSeconds(10);

    /** How long to wait before the cluster is asked again that did not answer. */
    private static final Duration RETRY = Duration.ofSeconds(30);

    /** The same of what it refused: only a run needs that to work. */
    private static final Duration REFUSED = Duration.ofMinutes(10);

    /** The label of a claim where several are shown as one. */
    private static final String SEVERAL = "";

    private static final int FORBIDDEN = 403;

    private static final Logger LOG = LoggerFactory.getLogger(ScheduleMonitor.class);

    private final RunStart runs;
    private final Snapshots snapshots;
    private final RunHistory journal;
    private final FailureLog failures;
    private final Metrics metrics;
    private final BooleanSupplier leader;
    private final int claims;
    private final boolean asksCluster;
    private final Function<String, ScheduleMXBean> beans;
    private final ScheduledExecutorService ticks;
    private final InstantSource clock;
    private final Map<String, Watch> watches = new TreeMap<>();
    private volatile List<State> states = List.of();

    /** When the cluster was asked last and did not answer. */
    private Instant asked;

    /** One schedule as it was seen last. */
    private static final class Watch {
        private Route route;
        private Schedule schedule;
        private Optional<Trigger> trigger;
        private Optional<Instant> next = Optional.empty();
        private Optional<Duration> interval = Optional.empty();
        private Instant seen;
        private boolean known;
        private Instant refused = Instant.MIN;
    }

    /**
     * What is to be said of a schedule.
     *
     * @param next when it is due next
     * @param interval how far apart its runs are meant to be at this time
     */
    record State(
            String name, boolean suspended, Optional<Instant> next, Optional<Duration> interval) {}

    /**
     * @param leader whether this program is the one that fires
     * @param claims how many claims have metrics of their own
     * @param asksCluster whether to ask the cluster when claims were well last
     * @param beans makes the MBean of a schedule
     * @param ticks where to look
     */
    public ScheduleMonitor(
            RunStart runs,
            Snapshots snapshots,
            RunHistory journal,
            FailureLog failures,
            Metrics metrics,
            BooleanSupplier leader,
            int claims,
            boolean asksCluster,
            Function<String, ScheduleMXBean> beans,
            ScheduledExecutorService ticks,
            InstantSource clock) {
        this.runs = runs;
        this.snapshots = snapshots;
        this.journal = journal;
        this.failures = failures;
        this.metrics = metrics;
        this.leader = leader;
        this.claims = claims;
        this.asksCluster = asksCluster;
        this.beans = beans;
        this.ticks = ticks;
        this.clock = clock;
    }

    @Override
    public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
        // the routes are not started yet
    }

    @Override
    public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
        ticks.scheduleWithFixedDelay(() -> tick(context), 0, 1, TimeUnit.SECONDS);
    }

    private void tick(CamelContext context) {
        if (!context.isStarted()) {
            return;
        }
        try {
            look(context);
        } catch (RuntimeException e) {
            if (context.isStarted()) {
                LOG.warn("showing the schedules failed: {}", ErrorText.rootWords(e));
                LOG.debug("showing the schedules failed", e);
            }
        }
    }

    private void look(CamelContext context) {
        Instant now = clock.instant();
        context.getRoutes().forEach(route -> watch(context, route, now));
        List<String> gone =
                watches.entrySet().stream()
                        .filter(entry -> entry.getValue().seen.isBefore(now.minus(EXCHANGE)))
                        .map(Map.Entry::getKey)
                        .toList();
        for (String schedule : gone) {
            watches.remove(schedule);
            Management.hide(context, Management.name("Schedule", schedule));
            metrics.forget(schedule);
            journal.forget(schedule);
            failures.forget(schedule);
        }
        PolicyComponent policies = context.getComponent("policy", PolicyComponent.class);
        List<State> found = new ArrayList<>();
        watches.forEach(
                (name, watch) ->
                        found.add(
                                new State(
                                        name,
                                        isSuspended(context, policies, name, watch),
                                        watch.next,
                                        watch.interval)));
        states = List.copyOf(found);
        show();
        askCluster(now);
    }

    private static boolean isSuspended(
            CamelContext context, PolicyComponent policies, String name, Watch watch) {
        return policies.isSuspended(watch.schedule)
                || context.getRoute(name) != null
                        && context.getRouteController().getRouteStatus(name).isStopped();
    }

    private void watch(CamelContext context, Route route, Instant now) {
        String name = route.getRouteId();
        Watch watch = watches.get(name);
        if (watch == null || watch.route != route) {
            Schedule schedule = PolicyComponent.scheduleOf(context, name).orElse(null);
            if (schedule == null) {
                return;
            }
            if (watch == null) {
                watch = new Watch();
                watches.put(name, watch);
                metrics.welcome(name);
                Management.show(context, Management.name("Schedule", name), beans.apply(name));
            }
            watch.route = route;
            watch.schedule = schedule;
            watch.trigger = Trigger.of(route);
            watch.next = Optional.empty();
        }
        watch.seen = now;
        if (watch.next.isEmpty() || !watch.next.get().isAfter(now)) {
            watch.next = watch.trigger.flatMap(trigger -> trigger.nextDue(now));
            watch.interval = watch.trigger.flatMap(trigger -> trigger.intervalAt(now));
        }
    }

    private void askCluster(Instant now) {
        if (!leader.getAsBoolean()) {
            journal.forgetSuccesses();
            watches.values().forEach(watch -> watch.known = false);
            return;
        }
        if (!asksCluster || asked != null && asked.isAfter(now.minus(RETRY))) {
            return;
        }
        for (Watch watch : watches.values()) {
            if (watch.known || watch.refused.isAfter(now.minus(REFUSED))) {
                continue;
            }
            try {
                Run run = runs.imagine(watch.schedule, watch.trigger, now);
                journal.listed(run, snapshots.ofSchedule(run));
                watch.known = true;
            } catch (KubernetesClientException e) {
                LOG.debug("the cluster does not tell when claims were well", e);
                if (e.getCode() != FORBIDDEN) {
                    asked = now;
                    return;
                }
                watch.refused = now;
            }
        }
    }

    private void show() {
        boolean leads = leader.getAsBoolean();
        Map<Tags, Double> last = new HashMap<>();
        Map<Tags, Double> next = new HashMap<>();
        Map<Tags, Double> failing = new HashMap<>();
        Map<Tags, Double> suspended = new HashMap<>();
        Map<Tags, Double> stored = new HashMap<>();
        Map<Tags, Double> terminating = new HashMap<>();
        for (State state : states) {
            Tags tags = Tags.of("schedule", state.name);
            last.put(tags, seconds(lastRun(state.name)));
            state.next.ifPresent(at -> next.put(tags, seconds(at)));
            if (leads) {
                failing.put(tags, (double) failures.count(state.name));
            }
            suspended.put(tags, state.suspended ? 1.0 : 0.0);
            journal.stored(state.name)
                    .ifPresent(
                            count -> {
                                stored.put(tags.and("state", "kept"), (double) count.kept());
                                stored.put(tags.and("state", "failed"), (double) count.failed());
                                stored.put(
                                        tags.and("state", "terminating"),
                                        (double) count.terminating());
                                count.terminatingSince()
                                        .ifPresent(at -> terminating.put(tags, seconds(at)));
                            });
        }
        metrics.set(Metrics.Series.LAST_RUN, last);
        metrics.set(Metrics.Series.NEXT_FIRE, next);
        metrics.set(Metrics.Series.FAILING_CLAIMS, failing);
        metrics.set(Metrics.Series.SUSPENDED, suspended);
        metrics.set(Metrics.Series.STORED_SNAPSHOTS, stored);
        metrics.set(Metrics.Series.TERMINATING_OLDEST, terminating);
        showClaims();
    }

    private Instant lastRun(String schedule) {
        return journal.running(schedule).isPresent()
                ? clock.instant()
                : journal.lastRun(schedule).map(RunHistory.LastRun::ended).orElse(Instant.EPOCH);
    }

    private void showClaims() {
        Map<Tags, Double> successes = new HashMap<>();
        Map<Tags, Double> intervals = new HashMap<>();
        int shown = 0;
        for (State state : states) {
            for (Map.Entry<Claim, Instant> success : journal.successes(state.name).entrySet()) {
                Claim claim = success.getKey();
                boolean alone = shown < claims;
                shown++;
                Tags tags =
                        Tags.of(
                                "schedule",
                                state.name,
                                "namespace",
                                claim.namespace(),
                                "claim",
                                alone ? claim.name() : SEVERAL);
                successes.merge(tags, seconds(success.getValue()), Math::min);
                state.interval.ifPresent(
                        interval -> intervals.put(tags, (double) interval.toSeconds()));
            }
        }
        metrics.set(Metrics.Series.LAST_SUCCESS, successes);
        metrics.set(Metrics.Series.EXPECTED_INTERVAL, intervals);
    }

    private static double seconds(Instant instant) {
        return instant.toEpochMilli() / 1000.0;
    }

    /** The schedules that are there, by their names. */
    Collection<State> states() {
        return states;
    }
}
