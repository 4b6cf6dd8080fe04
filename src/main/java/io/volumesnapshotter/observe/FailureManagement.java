package io.volumesnapshotter.observe;

import io.volumesnapshotter.run.Failure;
import io.volumesnapshotter.run.FailureLog;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;

/** Shows what failed, and runs it again when told to. */
public final class FailureManagement implements FailuresMXBean {

    private final ScheduleRegistry registry;
    private final FailureLog failures;
    private final BooleanSupplier leader;
    private final Executor executor;
    private final InstantSource clock;

    /**
     * @param leader whether this program is the one that runs schedules
     * @param executor where runs are waited for, one thread for each
     */
    public FailureManagement(
            ScheduleRegistry registry,
            FailureLog failures,
            BooleanSupplier leader,
            Executor executor,
            InstantSource clock) {
        this.registry = registry;
        this.failures = failures;
        this.leader = leader;
        this.executor = executor;
        this.clock = clock;
    }

    @Override
    public List<Map<String, String>> getOpen() {
        return failures.open().stream().map(FailureManagement::texts).toList();
    }

    @Override
    public List<Map<String, String>> getRecent() {
        return failures.history().stream().map(FailureManagement::texts).toList();
    }

    private static Map<String, String> texts(Failure failure) {
        Map<String, String> texts = new LinkedHashMap<>();
        failure.fields().forEach((name, value) -> texts.put(name, Objects.toString(value)));
        return texts;
    }

    @Override
    public String replay(String run) {
        String schedule =
                failures.history().stream()
                        .filter(failure -> failure.run().equals(run) && !failure.recovered())
                        .map(Failure::schedule)
                        .findAny()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "no run \"" + run + "\" is known to have failed"));
        Instant due =
                run.equals(schedule)
                        ? clock.instant().truncatedTo(ChronoUnit.SECONDS)
                        : SnapshotNames.fireTime(run);
        ScheduleManagement.fire(registry, leader, executor, schedule, due, Firing.Cause.REPLAY);
        return SnapshotNames.run(schedule, due) + " is run again";
    }
}
