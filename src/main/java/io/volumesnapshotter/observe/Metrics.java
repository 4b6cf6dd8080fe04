package io.volumesnapshotter.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.routes.RouteFiles;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The program's own metrics. Names and units are Prometheus's; the names are what alert rules are
 * written against, so they stay. Without a registry that keeps them, all of it costs next to
 * nothing.
 */
public final class Metrics {

    /** What all of the program's own metrics begin with. */
    static final String PREFIX = "volume_snapshotter_";

    private static final String SCHEDULE = "schedule";
    private static final String OUTCOME = "outcome";

    private static final Duration[] READY_BUCKETS =
            IntStream.of(1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
                    .mapToObj(Duration::ofSeconds)
                    .toArray(Duration[]::new);

    private final MeterRegistry registry;
    private final Map<Series, Values> gauges = new ConcurrentHashMap<>();

    /** Schedules whose series are shown. */
    private final Set<String> shown = ConcurrentHashMap.newKeySet();

    /** Gauges whose labels come and go. */
    enum Series {
        LAST_SUCCESS(
                "last_success_timestamp_seconds",
                "When storage cut the newest good snapshot of a claim, in seconds since 1970; 0"
                        + " when there is none."),
        EXPECTED_INTERVAL(
                "expected_interval_seconds",
                "How far apart the snapshots of a claim are meant to be at this time."),
        LAST_PROVEN(
                "last_proven_restore_timestamp_seconds",
                "When a snapshot of a claim was restored and read last, in seconds since 1970; 0"
                        + " when none was."),
        EXPECTED_PROOF(
                "expected_proof_interval_seconds", "In what time a claim is to be proven once."),
        DRILL_PHASE(
                "drill_phase_seconds",
                "How long each phase took of the drill that proved a claim last."),
        LAST_RUN(
                "last_run_timestamp_seconds",
                "When a run of a schedule went on last, in seconds since 1970; 0 when none did."),
        NEXT_FIRE("next_fire_timestamp_seconds", "When a schedule is due next."),
        FAILING_CLAIMS("failing_claims", "How many claims of a schedule fail now."),
        STORED_SNAPSHOTS("stored_snapshots", "Snapshots of a schedule when they were listed last."),
        TERMINATING_OLDEST(
                "terminating_oldest_timestamp_seconds",
                "Since when the one of a schedule's snapshots is being deleted that waits longest."),
        SUSPENDED("schedule_suspended", "Whether a schedule does nothing for now.");

        private final String name;
        private final String description;

        Series(String name, String description) {
            this.name = PREFIX + name;
            this.description = description;
        }
    }

    private static final class Values {
        private final MultiGauge gauge;
        private volatile Map<Tags, Double> values = Map.of();

        Values(MultiGauge gauge) {
            this.gauge = gauge;
        }

        void set(Map<Tags, Double> now) {
            boolean others = !now.keySet().equals(values.keySet());
            values = now;
            if (others) {
                gauge.register(
                        now.keySet().stream()
                                .map(
                                        tags ->
                                                MultiGauge.Row.of(
                                                        tags,
                                                        () ->
                                                                values.getOrDefault(
                                                                        tags, Double.NaN)))
                                .collect(java.util.stream.Collectors.<MultiGauge.Row<?>>toList()),
                        false);
            }
        }
    }

    public Metrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Shows what there is one of. */
    public void show(BooleanSupplier leader, ApiServerMonitor apiServer) {
        gauge("leader", "Whether this replica is the one that fires.", leader);
        gauge(
                "api_up",
                "Whether the Kubernetes API serves, as of the last request.",
                () -> !apiServer.isAway());
        apiServer.tell(
                (verb, code) ->
                        counter(
                                        "api_requests",
                                        "Requests to the Kubernetes API.",
                                        "verb",
                                        verb,
                                        "code",
                                        code)
                                .increment());
    }

    /** Shows how edits of the route files go. */
    public void show(RouteFiles files) {
        reloads("success", () -> files.status().reloads());
        reloads("failure", () -> files.status().failures());
        Gauge.builder(PREFIX + "route_files_wrong", () -> files.status().wrong())
                .description("Route files that hold something that does not run.")
                .strongReference(true)
                .register(registry);
    }

    private void reloads(String outcome, LongSupplier count) {
        FunctionCounter.builder(PREFIX + "route_reloads", count, LongSupplier::getAsLong)
                .description("Edits of route files that were taken, or refused.")
                .tag(OUTCOME, outcome)
                .register(registry);
    }

    private void gauge(String name, String description, BooleanSupplier state) {
        Gauge.builder(PREFIX + name, () -> state.getAsBoolean() ? 1 : 0)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    private Counter counter(String name, String description, String... tags) {
        return Counter.builder(PREFIX + name)
                .description(description)
                .tags(tags)
                .register(registry);
    }

    private Counter runs(String schedule, boolean success) {
        return counter(
                "runs",
                "Runs that ended.",
                SCHEDULE,
                schedule,
                OUTCOME,
                success ? "success" : "failure");
    }

    private Counter snapshots(String schedule, boolean ready) {
        return counter(
                "snapshots",
                "Snapshots that runs asked for.",
                SCHEDULE,
                schedule,
                OUTCOME,
                ready ? "ready" : "failed");
    }

    private Counter prunes(String schedule, boolean deleted) {
        return counter(
                "prunes",
                "Deletions of stale snapshots.",
                SCHEDULE,
                schedule,
                OUTCOME,
                deleted ? "deleted" : "failed");
    }

    private Timer runDuration(String schedule) {
        return Timer.builder(PREFIX + "run_duration")
                .description("How long runs took.")
                .tag(SCHEDULE, schedule)
                .register(registry);
    }

    private Timer readyDuration(String schedule) {
        return Timer.builder(PREFIX + "ready_duration")
                .description("How long it took from a snapshot's creation until it was seen ready.")
                .tag(SCHEDULE, schedule)
                .serviceLevelObjectives(READY_BUCKETS)
                .register(registry);
    }

    /** Shows a schedule's counters from their zero on, so that the first event is a change. */
    void welcome(String schedule) {
        shown.add(schedule);
        for (boolean well : new boolean[] {true, false}) {
            runs(schedule, well);
            snapshots(schedule, well);
            prunes(schedule, well);
        }
        runDuration(schedule);
        readyDuration(schedule);
    }

    /** Drops all series of schedules that are gone. */
    void retain(Predicate<String> isThere) {
        List<String> gone = shown.stream().filter(isThere.negate()).toList();
        gone.forEach(this::drop);
        shown.removeAll(gone);
    }

    private void drop(String schedule) {
        for (Meter meter : registry.getMeters()) {
            if (meter.getId().getName().startsWith(PREFIX)
                    && schedule.equals(meter.getId().getTag(SCHEDULE))) {
                registry.remove(meter);
            }
        }
    }

    void runEnded(String schedule, boolean success, Duration duration) {
        runs(schedule, success).increment();
        runDuration(schedule).record(duration);
    }

    void snapshotsEnded(String schedule, int ready, int failed) {
        snapshots(schedule, true).increment(ready);
        snapshots(schedule, false).increment(failed);
    }

    void snapshotReady(String schedule, Duration duration) {
        readyDuration(schedule).record(duration);
    }

    void pruned(String schedule, boolean deleted) {
        prunes(schedule, deleted).increment();
    }

    void failed(String schedule, String phase) {
        counter(
                        "failures",
                        "Dead letters, by the route in which it failed.",
                        SCHEDULE,
                        schedule,
                        "phase",
                        phase)
                .increment();
    }

    /** Shows these values of a series, and no others. */
    void set(Series series, Map<Tags, Double> values) {
        gauges.computeIfAbsent(
                        series,
                        any ->
                                new Values(
                                        MultiGauge.builder(series.name)
                                                .description(series.description)
                                                .register(registry)))
                .set(Map.copyOf(values));
    }
}
