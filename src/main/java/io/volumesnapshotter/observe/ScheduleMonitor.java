package io.volumesnapshotter.observe;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.core.instrument.Tags;
import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.run.FailureLog;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.run.Snapshots;
import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.camel.CamelContext;
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

    /** How long to wait before the cluster is asked again that did not answer. */
    private static final Duration RETRY = Duration.ofSeconds(30);

    /** Wait after a refusal: asking sooner cannot help, and only a run needs the right. */
    private static final Duration REFUSED = Duration.ofMinutes(10);

    /** The label of a claim where several are shown as one. */
    private static final String SEVERAL = "";

    private static final int FORBIDDEN = 403;

    private static final Logger LOG = LoggerFactory.getLogger(ScheduleMonitor.class);

    private final ScheduleRegistry registry;
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
    private final InstantSource steady;
    private final Set<String> shown = new HashSet<>();
    private final Set<String> known = new HashSet<>();
    private final Map<String, Instant> refused = new HashMap<>();

    /** When the cluster was asked last and did not answer. */
    private Instant asked;

    /**
     * @param leader whether this program is the one that fires
     * @param claims how many claims have metrics of their own
     * @param asksCluster whether to ask the cluster when claims were well last
     * @param beans makes the MBean of a schedule
     * @param ticks where to look
     * @param clock the present
     * @param steady measures waits, whatever becomes of the other clock
     */
    public ScheduleMonitor(
            ScheduleRegistry registry,
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
            InstantSource clock,
            InstantSource steady) {
        this.registry = registry;
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
        this.steady = steady;
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
        registry.advance();
        List<ScheduleEntry> schedules = registry.entries();
        List<String> names = schedules.stream().map(ScheduleEntry::name).toList();
        names.stream().filter(shown::add).forEach(name -> show(context, name));
        shown.stream()
                .filter(name -> !names.contains(name))
                .toList()
                .forEach(name -> hide(context, name));
        show(schedules);
        askCluster(schedules);
    }

    private void show(CamelContext context, String name) {
        metrics.welcome(name);
        Management.show(context, Management.name("Schedule", name), beans.apply(name));
    }

    private void hide(CamelContext context, String name) {
        shown.remove(name);
        known.remove(name);
        refused.remove(name);
        Management.hide(context, Management.name("Schedule", name));
    }

    private void askCluster(List<ScheduleEntry> schedules) {
        if (!leader.getAsBoolean()) {
            journal.forgetSuccesses();
            known.clear();
            return;
        }
        Instant now = steady.instant();
        if (!asksCluster || asked != null && asked.isAfter(now.minus(RETRY))) {
            return;
        }
        for (ScheduleEntry schedule : schedules) {
            if (schedule.schedule().policy().drill().isPresent()
                    || known.contains(schedule.name())
                    || isRefused(schedule.name(), now)) {
                continue;
            }
            try {
                Run run = runs.imagine(schedule.schedule(), schedule.trigger(), clock.instant());
                journal.listed(run, snapshots.ofSchedule(run));
                known.add(schedule.name());
            } catch (KubernetesClientException e) {
                LOG.debug("the cluster does not tell when claims were well", e);
                if (e.getCode() != FORBIDDEN) {
                    asked = now;
                    return;
                }
                refused.put(schedule.name(), now);
            }
        }
    }

    private boolean isRefused(String schedule, Instant now) {
        return refused.getOrDefault(schedule, Instant.MIN).isAfter(now.minus(REFUSED));
    }

    private void show(List<ScheduleEntry> schedules) {
        boolean leads = leader.getAsBoolean();
        Map<Tags, Double> last = new HashMap<>();
        Map<Tags, Double> next = new HashMap<>();
        Map<Tags, Double> failing = new HashMap<>();
        Map<Tags, Double> suspended = new HashMap<>();
        Map<Tags, Double> stored = new HashMap<>();
        Map<Tags, Double> terminating = new HashMap<>();
        for (ScheduleEntry schedule : schedules) {
            String name = schedule.name();
            Tags tags = Tags.of("schedule", name);
            last.put(tags, seconds(lastRun(name)));
            schedule.nextDue().ifPresent(at -> next.put(tags, seconds(at)));
            if (leads) {
                failing.put(tags, (double) failures.count(name));
            }
            suspended.put(tags, registry.isResting(schedule) ? 1.0 : 0.0);
            journal.stored(name)
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
        showClaims(schedules);
    }

    private Instant lastRun(String schedule) {
        return journal.running(schedule).isPresent()
                ? clock.instant()
                : journal.lastRun(schedule).map(RunHistory.LastRun::ended).orElse(Instant.EPOCH);
    }

    private void showClaims(List<ScheduleEntry> schedules) {
        Map<Tags, Double> successes = new HashMap<>();
        Map<Tags, Double> intervals = new HashMap<>();
        int count = 0;
        for (ScheduleEntry schedule : schedules) {
            for (Map.Entry<Claim, Instant> success :
                    journal.successes(schedule.name()).entrySet()) {
                Claim claim = success.getKey();
                boolean alone = count < claims;
                count++;
                Tags tags = tags(schedule.name(), claim, alone);
                successes.merge(tags, seconds(success.getValue()), Math::min);
                schedule.interval()
                        .ifPresent(interval -> intervals.put(tags, (double) interval.toSeconds()));
            }
        }
        metrics.set(Metrics.Series.LAST_SUCCESS, successes);
        metrics.set(Metrics.Series.EXPECTED_INTERVAL, intervals);
        showProofs(schedules);
    }

    private void showProofs(List<ScheduleEntry> schedules) {
        Map<Tags, Double> proven = new HashMap<>();
        Map<Tags, Double> within = new HashMap<>();
        Map<Tags, Double> phases = new HashMap<>();
        int count = 0;
        for (ScheduleEntry schedule : schedules) {
            Optional<DrillPolicy> policy = schedule.schedule().policy().drill();
            for (Map.Entry<Claim, Optional<Proof>> known :
                    journal.proofs(schedule.name()).entrySet()) {
                boolean alone = count < claims;
                count++;
                Tags tags = tags(schedule.name(), known.getKey(), alone);
                Optional<Proof> proof = known.getValue();
                proven.merge(
                        tags,
                        seconds(proof.flatMap(Proof::provenAt).orElse(RunHistory.NEVER)),
                        Math::min);
                policy.ifPresent(drill -> within.put(tags, (double) drill.within().toSeconds()));
                if (alone && proof.isPresent()) {
                    proof.get()
                            .phases()
                            .forEach(
                                    (phase, time) ->
                                            phases.put(
                                                    tags.and("phase", phase),
                                                    time.toMillis() / 1000.0));
                }
            }
        }
        metrics.set(Metrics.Series.LAST_PROVEN, proven);
        metrics.set(Metrics.Series.EXPECTED_PROOF, within);
        metrics.set(Metrics.Series.DRILL_PHASE, phases);
    }

    private static Tags tags(String schedule, Claim claim, boolean alone) {
        return Tags.of(
                "schedule",
                schedule,
                "namespace",
                claim.namespace(),
                "claim",
                alone ? claim.name() : SEVERAL);
    }

    private static double seconds(Instant instant) {
        return instant.toEpochMilli() / 1000.0;
    }
}
