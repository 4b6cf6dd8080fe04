package io.volumesnapshotter.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.support.LifecycleStrategySupport;

/**
 * The schedules that are there: the one place that knows their routes, policies, triggers and fire
 * times, and which of them rest. The context tells it which routes come and go. A route that is
 * exchanged is the same schedule. Safe for use by several threads.
 */
public final class ScheduleRegistry extends LifecycleStrategySupport {

    /** How long a route may be absent, while it is exchanged, before its runs are stopped. */
    static final Duration STOPPED_AFTER = Duration.ofSeconds(5);

    /**
     * How long a route may be absent before its schedule is forgotten. It is longer, because what
     * is known of its runs goes with it, and an exchange takes long on a busy machine.
     */
    static final Duration GONE_AFTER = Duration.ofSeconds(10);

    private final InstantSource clock;
    private final InstantSource steady;
    private final Map<String, ScheduleEntry> entries = new TreeMap<>();
    private final Map<String, Instant> absentSince = new HashMap<>();
    private final Set<String> suspended = ConcurrentHashMap.newKeySet();
    private final List<HeldBySchedule> held = new CopyOnWriteArrayList<>();

    /**
     * @param clock the present
     * @param steady measures how long a route is absent, whatever becomes of the other clock
     */
    public ScheduleRegistry(InstantSource clock, InstantSource steady) {
        this.clock = clock;
        this.steady = steady;
    }

    @Override
    public void onRoutesAdd(Collection<Route> routes) {
        routes.forEach(
                route ->
                        PolicyComponent.scheduleOf(route)
                                .ifPresent(schedule -> add(schedule, route)));
    }

    @Override
    public void onRoutesRemove(Collection<Route> routes) {
        routes.forEach(this::remove);
    }

    private synchronized void add(Schedule schedule, Route route) {
        forgetGone();
        Instant now = clock.instant();
        Optional<Trigger> trigger = Trigger.of(route);
        ScheduleEntry known = entries.get(schedule.name());
        ScheduleEntry entry;
        if (known != null && known.trigger().equals(trigger)) {
            entry = known.exchanged(schedule, Optional.of(route));
        } else {
            entry = ScheduleEntry.loaded(schedule, Optional.of(route), trigger, now);
            if (!route.getCamelContext().isStarted()) {
                entry = entry.withTimeBefore(now);
            }
        }
        entries.put(schedule.name(), entry);
        absentSince.remove(schedule.name());
    }

    private synchronized void remove(Route route) {
        ScheduleEntry known = entries.get(route.getRouteId());
        if (known != null && known.route().filter(present -> present == route).isPresent()) {
            entries.put(known.name(), known.exchanged(known.schedule(), Optional.empty()));
            absentSince.put(known.name(), steady.instant());
        }
    }

    /** Lets something forget the schedules that are gone. */
    public void clear(HeldBySchedule kept) {
        held.add(kept);
    }

    /** Brings all up to the present: fire times that came, and schedules that are gone. */
    public void advance() {
        advanceEntries();
        suspended.removeIf(name -> !isThere(name));
        held.forEach(kept -> kept.retain(this::isThere));
    }

    private synchronized void advanceEntries() {
        forgetGone();
        Instant now = clock.instant();
        entries.replaceAll((name, entry) -> entry.at(now));
    }

    /** Computes the fire times anew after the clock was set. */
    public synchronized void adjustToClock() {
        Instant now = clock.instant();
        entries.replaceAll((name, entry) -> entry.afterJump(now));
    }

    private void forgetGone() {
        Instant latest = steady.instant().minus(GONE_AFTER);
        absentSince.values().removeIf(since -> since.isBefore(latest));
        entries.values()
                .removeIf(
                        entry -> entry.route().isEmpty() && !absentSince.containsKey(entry.name()));
    }

    /** The schedules that are there, by name; also those whose routes are being exchanged. */
    public synchronized List<ScheduleEntry> entries() {
        return List.copyOf(entries.values());
    }

    /** The schedule of a name, if it is there. */
    public synchronized Optional<ScheduleEntry> find(String name) {
        return Optional.ofNullable(entries.get(name));
    }

    /** Whether the schedule of a name is there; also while its route is being exchanged. */
    public boolean isThere(String name) {
        return find(name).isPresent();
    }

    /**
     * Lets a schedule do nothing, or work again, until the program ends or the schedule is gone.
     * The fires come all the same, so there is none to be made up but the last one.
     */
    public void suspend(String name, boolean suspend) {
        if (suspend) {
            suspended.add(name);
        } else {
            suspended.remove(name);
        }
    }

    /** Whether a schedule does nothing, by its settings or because it was told so. */
    public boolean isSuspended(Schedule schedule) {
        return schedule.policy().suspend() || suspended.contains(schedule.name());
    }

    /** Whether a schedule does nothing: it is suspended, or its route is stopped. */
    public boolean isResting(ScheduleEntry entry) {
        return isSuspended(entry.schedule())
                || entry.route().filter(ScheduleRegistry::isStopped).isPresent();
    }

    /**
     * Whether a schedule, by its name, is to do nothing any more: it is suspended, its route is
     * stopped, or it is gone. While its route is being exchanged it is still there. When the
     * program ends, its runs may end, too.
     */
    public boolean isStopped(String name) {
        Optional<ScheduleEntry> entry = find(name);
        return entry.isEmpty() || isResting(entry.get()) || isAbsentForLong(name);
    }

    private synchronized boolean isAbsentForLong(String name) {
        Instant since = absentSince.get(name);
        return since != null && since.plus(STOPPED_AFTER).isBefore(steady.instant());
    }

    private static boolean isStopped(Route route) {
        CamelContext context = route.getCamelContext();
        ServiceStatus status = context.getRouteController().getRouteStatus(route.getRouteId());
        return status != null && status.isStopped() && !context.isStopping();
    }
}
