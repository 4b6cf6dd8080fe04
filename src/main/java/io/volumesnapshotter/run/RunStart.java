package io.volumesnapshotter.run;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides whether a fire becomes a run: once for each fire time, one run of a schedule at a time,
 * only on the leader, not too late, and not while the schedule is suspended. What the run goes by
 * is fixed when it fires. It is as long as the list of its questions, which have one order.
 */
public final class RunStart {

    /** Property of the exchange of a run that began in time. */
    static final String BEGAN = "began";

    /** Variable of an exchange: the name of the run that it starts. */
    public static final String NAME = "runName";

    /** Property of an exchange that has its schedule's turn. */
    private static final String TURN = "turn";

    private static final int FORBIDDEN = 403;

    private static final Logger LOG = LoggerFactory.getLogger(RunStart.class);

    private final KubernetesClient client;
    private final Claims claims;
    private final String installation;
    private final Brake brake;
    private final BooleanSupplier ends;
    private final RunKind snapshots;
    private final FireTimes fireTimes;
    private final Turns turns = new Turns();
    private final InstantSource clock;
    private final InstantSource steady;

    /**
     * @param installation identity of this installation
     * @param brake tells whether a run may begin
     * @param ends whether the program was told to stop
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    public RunStart(
            KubernetesClient client,
            Claims claims,
            Snapshots snapshots,
            String installation,
            Brake brake,
            BooleanSupplier ends,
            FireTimes fireTimes,
            InstantSource clock,
            InstantSource steady) {
        this.client = client;
        this.claims = claims;
        this.installation = installation;
        this.brake = brake;
        this.ends = ends;
        this.fireTimes = fireTimes;
        this.clock = clock;
        this.steady = steady;
        MissedRuns missed = new MissedRuns(snapshots);
        this.snapshots =
                new RunKind() {
                    @Override
                    public Run run(Firing firing) {
                        return RunStart.this.run(firing);
                    }

                    @Override
                    public boolean isOver(Firing firing) {
                        // It meets its own snapshots.
                        return false;
                    }

                    @Override
                    public boolean isCutOff(
                            Run run, Firing firing, Optional<Trigger> trigger, boolean wasThere)
                            throws MissedException {
                        return missed.check(run, firing, trigger, wasThere);
                    }
                };
    }

    /**
     * Decides about the fire in an exchange of a schedule that takes snapshots or prunes, as {@link
     * #begin(Exchange, RunKind)}.
     */
    Optional<Run> begin(Exchange exchange) throws InterruptedException, MissedException {
        return begin(exchange, snapshots);
    }

    /**
     * Decides about the fire in an exchange. It may be asked again for the same exchange, when the
     * claims could not be listed.
     *
     * @param kind what the run is over
     * @return the run that is to begin; empty when there is none to be
     * @throws InterruptedException when the program ends while a run of the schedule still goes on
     * @throws IllegalStateException when no {@code policy:} step came before
     * @throws MissedException when the fire time got no run within the starting deadline
     */
    Optional<Run> begin(Exchange exchange, RunKind kind)
            throws InterruptedException, MissedException {
        Firing firing = firing(exchange);
        String schedule = firing.schedule().name();
        LogKeys.run(firing.run());
        if (!awaitTurn(schedule, exchange)) {
            return Optional.empty();
        }
        boolean began = exchange.getProperty(BEGAN) != null;
        if (isOthers(firing, began) || isSuspended(firing) || isReplaced(firing, began)) {
            return Optional.empty();
        }
        exchange.setVariable(NAME, firing.run());
        // One that began in time and is tried again ends as a success or in the dead letter.
        if (firing.cause().isAutomatic() && !began) {
            if (isLate(firing)) {
                if (!isCutOff(exchange, firing, kind)) {
                    return Optional.empty();
                }
                firing = withCause(exchange, firing, Firing.Cause.MADE_UP);
            } else if (fireTimes.hasBegun(schedule, firing.due()) || kind.isOver(firing)) {
                return Optional.empty();
            }
        }
        exchange.setProperty(BEGAN, true);
        Chosen chosen = exchange.getProperty(Chosen.PROPERTY, Chosen.class);
        Run run = chosen == null ? kind.run(firing) : run(firing, chosen.targets(), clock);
        fireTimes.markBegun(schedule, firing.due());
        return Optional.of(run);
    }

    /** What is fixed when it fires; a later try of the same exchange finds it there. */
    private Firing firing(Exchange exchange) {
        Firing known = exchange.getProperty(Firing.PROPERTY, Firing.class);
        if (known != null) {
            return known;
        }
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        if (schedule == null) {
            throw new IllegalStateException(
                    "route "
                            + exchange.getFromRouteId()
                            + " does not say what to keep: put a step to policy:"
                            + exchange.getFromRouteId()
                            + " before direct:run-schedule");
        }
        Firing.Cause cause = exchange.getProperty(CAUSE, Firing.Cause.class);
        Optional<Trigger> trigger = Trigger.of(exchange.getContext().getRoute(schedule.name()));
        boolean isFired = exchange.getIn().getHeader("trigger") != null;
        if (cause == null) {
            cause = isFired ? Firing.Cause.TRIGGER : Firing.Cause.REQUEST;
        }
        Firing firing =
                new Firing(
                        schedule,
                        due(exchange, trigger.filter(any -> isFired)),
                        zone(trigger),
                        cause);
        exchange.setProperty(Firing.PROPERTY, firing);
        if (cause.isAutomatic() && brake.leads()) {
            fireTimes.markFired(schedule.name(), firing.due());
        }
        return firing;
    }

    /** Property of an exchange: why it fires, where it is not the trigger. */
    static final String CAUSE = "cause";

    private static Firing withCause(Exchange exchange, Firing firing, Firing.Cause cause) {
        Firing other =
                new Firing(firing.schedule(), firing.due(), firing.zone(), cause, firing.key());
        exchange.setProperty(Firing.PROPERTY, other);
        return other;
    }

    private static ZoneId zone(Optional<Trigger> trigger) {
        return trigger.map(Trigger::zone).orElse(ZoneOffset.UTC);
    }

    /** A fire that comes late, after a misfire, still belongs to the time at which it was due. */
    private Instant due(Exchange exchange, Optional<Trigger> trigger) {
        Date fired = exchange.getIn().getHeader("scheduledFireTime", Date.class);
        Instant instant =
                (fired == null ? clock.instant() : fired.toInstant())
                        .truncatedTo(ChronoUnit.SECONDS);
        return trigger.flatMap(any -> any.lastDue(instant)).orElse(instant);
    }

    /**
     * Runs of one schedule never overlap, whoever starts them.
     *
     * @return whether it is this run's turn; false when the program ends first
     */
    private boolean awaitTurn(String schedule, Exchange exchange) throws InterruptedException {
        if (exchange.getProperty(TURN) == null) {
            if (!turns.take(schedule, ends)) {
                return false;
            }
            exchange.setProperty(TURN, true);
            whenDone(exchange, () -> turns.release(schedule));
        }
        return !ends.getAsBoolean();
    }

    /** A fire may have been frozen on its way, or have waited, until another replica led. */
    private boolean isOthers(Firing firing, boolean began) {
        if (!firing.cause().isAutomatic() || brake.leads()) {
            return false;
        }
        fireTimes.forgetFire(firing.schedule().name(), firing.due());
        if (began) {
            LOG.warn(
                    "{}: left to the replica that leads next, before its claims were known",
                    firing.run());
        }
        return true;
    }

    /** It may have been suspended while the fire waited for its turn. */
    private boolean isSuspended(Firing firing) {
        boolean suspended = brake.isStopped(firing.schedule().name());
        if (suspended) {
            LOG.info("{}: suspended, nothing is taken or pruned", firing.run());
        }
        return suspended;
    }

    /** While it waited for its turn a later one came, and only the last one is made up. */
    private boolean isReplaced(Firing firing, boolean began) {
        return firing.cause() == Firing.Cause.MADE_UP
                && !began
                && fireTimes.hasFiredLater(firing.schedule().name(), firing.due());
    }

    private boolean isLate(Firing firing) {
        Instant latest = firing.due().plus(firing.schedule().policy().startingDeadline());
        return clock.instant().isAfter(latest);
    }

    /**
     * Whether a fire time that is too old for a run has one that was cut off, and can be ended.
     *
     * @throws MissedException when it got none
     */
    private boolean isCutOff(Exchange exchange, Firing firing, RunKind kind)
            throws MissedException {
        String schedule = firing.schedule().name();
        if (fireTimes.wasSuspended(schedule, firing.due())
                || firing.schedule().policy().pruneOnly().isPresent()) {
            return false;
        }
        Optional<Trigger> trigger = Trigger.of(exchange.getContext().getRoute(schedule));
        boolean wasThere = firing.cause() == Firing.Cause.TRIGGER;
        try {
            return kind.isCutOff(kind.run(firing), firing, trigger, wasThere);
        } catch (KubernetesClientException e) {
            LOG.debug("{}: whether it took place is not known", firing.run(), e);
            fireTimes.retryLater(schedule, firing.due(), e.getCode() == FORBIDDEN);
            return false;
        }
    }

    /**
     * A run over the claims that its schedule has now.
     *
     * @throws KubernetesClientException when claims cannot be listed
     */
    private Run run(Firing firing) {
        return run(
                firing,
                firing.schedule().policy().pruneOnly().isPresent()
                        ? List.of()
                        : claims.of(firing.schedule()),
                clock);
    }

    private Run run(Firing firing, List<Target> targets, InstantSource now) {
        Policy policy = firing.schedule().policy();
        return new Run(
                firing,
                targets,
                policy.selection().singleNamespace(client.getNamespace()),
                installation,
                Optional.empty(),
                now,
                steady);
    }

    /**
     * A run that drills; it does not begin.
     *
     * @param claims those whose turn it is
     * @param selected all claims of the schedule
     */
    public Run drill(Firing firing, List<Claim> claims, Set<Claim> selected) {
        return new Run(
                firing,
                claims.stream()
                        .map(claim -> new Target(claim, Optional.empty(), Optional.empty()))
                        .toList(),
                Optional.empty(),
                installation,
                Optional.of(new Drilled(selected)),
                clock,
                steady);
    }

    /**
     * A run of a schedule at a time, to be looked at: it does not begin.
     *
     * @throws KubernetesClientException when claims cannot be listed
     */
    public Run imagine(Schedule schedule, Optional<Trigger> trigger, Instant due) {
        return run(new Firing(schedule, due, zone(trigger), Firing.Cause.REQUEST));
    }

    /**
     * A run over claims that were found already, as it would be at the time at which it is due, to
     * be looked at: it does not begin.
     */
    public Run imagine(
            Schedule schedule, Optional<Trigger> trigger, Instant due, List<Target> targets) {
        return run(
                new Firing(schedule, due, zone(trigger), Firing.Cause.REQUEST),
                targets,
                InstantSource.fixed(due));
    }

    /** Whether a run of a schedule goes on or waits to start. */
    public boolean isBusy(String schedule) {
        return turns.isBusy(schedule);
    }

    static void whenDone(Exchange exchange, Runnable action) {
        exchange.getExchangeExtension()
                .addOnCompletion(
                        new SynchronizationAdapter() {
                            @Override
                            public void onDone(Exchange done) {
                                action.run();
                            }
                        });
    }

    /** The name of a run of a schedule. */
    static String name(Schedule schedule, Instant due) {
        return SnapshotNames.run(schedule.name(), due);
    }
}
