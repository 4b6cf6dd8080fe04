package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.run.SnapshotFailedException;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When this program begins to lead, after a start or a fail-over, removes what was left of drills
 * that were cut off, and reads what is proven, so that it can be shown before the next run.
 */
public final class DrillStart implements StartupListener {

    private static final Duration RETRY = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(DrillStart.class);

    private final ScheduleRegistry schedules;
    private final Drills drills;
    private final BooleanSupplier leader;
    private final ScheduledExecutorService ticks;
    private final InstantSource steady;
    private final Set<String> done = new HashSet<>();
    private final Map<String, Instant> tried = new HashMap<>();
    private final Map<String, String> told = new HashMap<>();

    /**
     * @param leader whether this program is the one that fires
     * @param ticks where to look
     * @param steady measures waits
     */
    public DrillStart(
            ScheduleRegistry schedules,
            Drills drills,
            BooleanSupplier leader,
            ScheduledExecutorService ticks,
            InstantSource steady) {
        this.schedules = schedules;
        this.drills = drills;
        this.leader = leader;
        this.ticks = ticks;
        this.steady = steady;
    }

    @Override
    public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
        // the routes are not started yet
    }

    @Override
    public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
        ticks.scheduleWithFixedDelay(
                () -> {
                    if (context.isStarted()) {
                        look();
                    }
                },
                0,
                1,
                TimeUnit.SECONDS);
    }

    private void look() {
        if (!leader.getAsBoolean()) {
            done.clear();
            tried.clear();
            return;
        }
        List<Schedule> drilling =
                schedules.entries().stream()
                        .map(ScheduleEntry::schedule)
                        .filter(schedule -> schedule.policy().drill().isPresent())
                        .toList();
        Set<String> names = new HashSet<>();
        drilling.forEach(schedule -> names.add(schedule.name()));
        done.retainAll(names);
        for (Schedule schedule : drilling) {
            Instant last = tried.getOrDefault(schedule.name(), Instant.MIN);
            if (!done.contains(schedule.name()) && last.isBefore(steady.instant().minus(RETRY))) {
                resume(schedule);
            }
        }
    }

    private void resume(Schedule schedule) {
        String name = schedule.name();
        tried.put(name, steady.instant());
        try {
            drills.resume(schedule);
            done.add(name);
            tried.remove(name);
            told.remove(name);
        } catch (KubernetesClientException e) {
            tell(name, ApiErrors.reason(e), ApiErrors.remedy(e, "drill"));
        } catch (SnapshotFailedException e) {
            tell(name, e.getMessage(), e.remedy());
        } catch (RuntimeException e) {
            LOG.debug("{}: what is left of its drills is not known", name, e);
        }
    }

    private void tell(String schedule, String words, String remedy) {
        if (!words.equals(told.put(schedule, words))) {
            LOG.warn(
                    "{}: what its drills left and proved is not known: {} -> {}",
                    schedule,
                    words,
                    remedy);
        }
    }
}
