package io.volumesnapshotter.run;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.AnswerCheck;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.settings.OneLine;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What the routes ask about a run, and which runs go on when the program is told to stop. */
public final class Runs extends LifecycleStrategySupport {

    /** Property of the exchange of a run that is run again, because it failed. */
    public static final String REPLAYED = "replayed";

    /** Variable of an exchange: the name of the run that it starts. */
    public static final String NAME = "runName";

    /** Property of the exchange of a run that somebody asked for. */
    public static final String ASKED_FOR = "askedFor";

    /** Property of the exchange of a run that began in time. */
    static final String BEGAN = "began";

    /** Property of an exchange that has its schedule's turn. */
    private static final String TURN = "turn";

    private static final int FORBIDDEN = 403;

    private static final Duration ASK_AGAIN = Duration.ofSeconds(10);

    /** The same where the cluster refused to tell: only a run needs that to work. */
    private static final Duration REFUSED = Duration.ofMinutes(10);

    /** What is the same in the words for each claim that a quota refuses. */
    private static final Pattern QUOTA = Pattern.compile(".*(exceeded quota: [^,]+).*");

    private static final Logger LOG = LoggerFactory.getLogger(Runs.class);

    private final KubernetesClient client;
    private final Claims claims;
    private final Snapshots snapshots;
    private final Failures failures;
    private final BooleanSupplier leader;
    private final RunListener listener;
    private final InstantSource clock;
    private final Map<String, Instant> lastFires = new ConcurrentHashMap<>();
    private final Map<String, Semaphore> turns = new ConcurrentHashMap<>();
    private final Map<String, String> lastRuns = new ConcurrentHashMap<>();
    private final Map<String, Instant> unknown = new ConcurrentHashMap<>();
    private final Map<String, Instant> rested = new ConcurrentHashMap<>();
    private final Set<Run> running = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    /**
     * @param leader whether this program is the one of several replicas that fires
     */
    public Runs(
            KubernetesClient client,
            Claims claims,
            Snapshots snapshots,
            Failures failures,
            BooleanSupplier leader,
            RunListener listener,
            InstantSource clock) {
        this.claims = claims;
        this.snapshots = snapshots;
        this.failures = failures;
        this.client = client;
        this.leader = leader;
        this.listener = listener;
        this.clock = clock;
    }

    /**
     * Starts the run for the fire time that the trigger tells, or for the present second where
     * there is no trigger, and puts it into the variable {@code run}. A fire for a time that has
     * had its run, or to a program that is not the leader, ends the exchange instead.
     *
     * @throws InterruptedException when the program ends while a run of the schedule still goes on
     * @throws IllegalStateException when no {@code policy:} step came before
     * @throws MissedException when the fire time got no run within the starting deadline
     */
    public void start(Exchange exchange) throws InterruptedException, MissedException {
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        if (schedule == null) {
            throw new IllegalStateException(
                    "route "
                            + exchange.getFromRouteId()
                            + " does not say what to keep: put a step to policy:"
                            + exchange.getFromRouteId()
                            + " before direct:run-schedule");
        }
        Optional<Trigger> trigger = Trigger.of(exchange.getContext().getRoute(schedule.name()));
        Instant due = due(exchange, trigger);
        LogKeys.run(SnapshotNames.run(schedule.name(), due));
        boolean byItself = isFired(exchange) || exchange.getProperty(MissedFires.MADE_UP) != null;
        if (byItself && leader.getAsBoolean()) {
            lastFires.merge(schedule.name(), due, (a, b) -> a.isAfter(b) ? a : b);
        }
        if (!awaitTurn(schedule.name(), exchange)) {
            exchange.setRouteStop(true);
            return;
        }
        // A fire may have been frozen on its way, or have waited, until another replica led.
        boolean began = exchange.getProperty(BEGAN) != null;
        if (byItself && !leader.getAsBoolean()) {
            lastFires.remove(schedule.name(), due);
            if (began) {
                LOG.warn(
                        "{}: left to the replica that leads next, before its claims were known",
                        SnapshotNames.run(schedule.name(), due));
            }
            exchange.setRouteStop(true);
            return;
        }
        boolean isMadeUp = exchange.getProperty(MissedFires.MADE_UP) != null;
        if (isMadeUp && !began && lastFires.getOrDefault(schedule.name(), due).isAfter(due)) {
            // While it waited for its turn, a later one came: only the last one is made up.
            exchange.setRouteStop(true);
            return;
        }
        exchange.setVariable(NAME, SnapshotNames.run(schedule.name(), due));
        // One that began in time and is tried again ends as a success or in the dead letter.
        if (byItself && !began) {
            boolean late = clock.instant().isAfter(due.plus(schedule.policy().startingDeadline()));
            if (late && !due.equals(rested.get(schedule.name()))) {
                checkMissed(schedule, trigger, due, isFired(exchange));
            }
            if (late
                    || SnapshotNames.run(schedule.name(), due)
                            .equals(lastRuns.get(schedule.name()))) {
                exchange.setRouteStop(true);
                return;
            }
        }
        exchange.setProperty(BEGAN, true);
        Run run = run(schedule, trigger, due);
        Failures.healed(exchange);
        failures.expect(run);
        running.add(run);
        listener.started(run);
        whenDone(exchange, () -> ended(run));
        lastRuns.put(schedule.name(), run.name());
        exchange.setVariable("run", run);
        LOG.info("{}: starts, {} claims", run.name(), run.claims().size());
    }

    /**
     * A run of a schedule over the claims that it has now.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when claims cannot be listed
     */
    public Run run(Schedule schedule, Optional<Trigger> trigger, Instant due) {
        Policy policy = schedule.policy();
        return new Run(
                schedule.name(),
                due,
                policy.pruneOnly().isPresent() ? List.of() : claims.of(schedule),
                policy.selection().singleNamespace(client.getNamespace()),
                policy,
                trigger.map(Trigger::zone).orElse(ZoneOffset.UTC),
                clock);
    }

    /** One that a stop cuts off is told as such. */
    private void ended(Run run) {
        if (!stopping) {
            running.remove(run);
        }
        listener.ended(run);
    }

    /** Names of runs that do nothing any more and do not end either. */
    public List<String> stuck() {
        return running.stream().filter(Run::isStuck).map(Run::name).sorted().toList();
    }

    /** Whether a fire for this time, or a later one, came while this program was the leader. */
    public boolean hasFired(String schedule, Instant due) {
        Instant last = lastFires.get(schedule);
        return last != null && !last.isBefore(due);
    }

    /** Whether it is time to ask again if the last fire time got its run. Says so once. */
    public boolean isUnknown(String schedule) {
        Instant again = unknown.get(schedule);
        return again != null && again.isBefore(clock.instant()) && unknown.remove(schedule, again);
    }

    /** Lets a fire that did not come to its run be made up again in a while. */
    void askAgain(String schedule, Instant due) {
        lastFires.remove(schedule, due);
        unknown.put(schedule, clock.instant().plus(ASK_AGAIN));
    }

    /** Takes note that a schedule was suspended when it was due, and that it is too late now. */
    void rested(String schedule, Instant due) {
        rested.put(schedule, due);
    }

    /** Whether a run of a schedule goes on or is waiting to start. */
    public boolean isBusy(String schedule) {
        Semaphore turn = turns.get(schedule);
        return turn != null && (turn.availablePermits() == 0 || turn.hasQueuedThreads());
    }

    /**
     * Lets every fire time count as not yet run, and nothing as failed: another replica leads, and
     * what became of its runs is seen in the cluster.
     */
    void forgetFires() {
        lastFires.clear();
        lastRuns.clear();
        unknown.clear();
        failures.open().forgetAll();
    }

    /**
     * Asks the cluster about a fire time that is too old to get its run now. Another replica, or
     * this program before it was restarted, may have run it, or have been cut off in the middle. A
     * schedule of which no snapshot was due at a time of its present trigger may have been
     * installed, or have got that trigger, since; and a claim without any may be new.
     *
     * @param wasThere whether the schedule was there at that time
     */
    private void checkMissed(
            Schedule schedule, Optional<Trigger> trigger, Instant due, boolean wasThere)
            throws MissedException {
        if (schedule.policy().pruneOnly().isPresent()) {
            return;
        }
        List<Claim> claims;
        Map<Claim, List<Instant>> fires;
        try {
            Run run = run(schedule, trigger, due);
            claims = run.claims();
            if (claimsOf(snapshots.ofRun(run)).containsAll(claims)) {
                return;
            }
            fires =
                    snapshots.ofSchedule(run).stream()
                            .filter(snapshot -> SnapshotLabels.isOfTheProgram(snapshot.labels()))
                            .filter(run::concerns)
                            .collect(
                                    Collectors.groupingBy(
                                            Snapshot::claim,
                                            Collectors.mapping(
                                                    Snapshot::dueAt, Collectors.toList())));
        } catch (KubernetesClientException e) {
            LOG.debug(
                    "{}: whether it took place is not known",
                    SnapshotNames.run(schedule.name(), due),
                    e);
            lastFires.remove(schedule.name(), due);
            unknown.put(
                    schedule.name(),
                    clock.instant().plus(e.getCode() == FORBIDDEN ? REFUSED : ASK_AGAIN));
            return;
        }
        List<Instant> all = fires.values().stream().flatMap(List::stream).toList();
        if (!wasThere && all.stream().noneMatch(time -> isDue(trigger, time))) {
            return;
        }
        List<Claim> missed =
                claims.stream()
                        .filter(claim -> wasThere || fires.containsKey(claim))
                        .filter(
                                claim ->
                                        fires.getOrDefault(claim, List.of()).stream()
                                                .allMatch(due::isAfter))
                        .toList();
        if (!missed.isEmpty()) {
            throw new MissedException(
                    schedule.policy().startingDeadline(),
                    all.stream().allMatch(due::isAfter) ? List.of() : missed);
        }
    }

    private static Set<Claim> claimsOf(List<Snapshot> listed) {
        return listed.stream().map(Snapshot::claim).collect(Collectors.toSet());
    }

    private static boolean isDue(Optional<Trigger> trigger, Instant time) {
        return trigger.flatMap(any -> any.lastDue(time)).filter(time::equals).isPresent();
    }

    /**
     * Runs of one schedule never overlap, whoever starts them.
     *
     * @return whether it is this run's turn; false when the program ends first
     */
    private boolean awaitTurn(String schedule, Exchange exchange) throws InterruptedException {
        if (exchange.getProperty(TURN) != null) {
            return !stopping;
        }
        Semaphore turn = turns.computeIfAbsent(schedule, any -> new Semaphore(1, true));
        while (!turn.tryAcquire(1, TimeUnit.SECONDS)) {
            if (stopping) {
                return false;
            }
        }
        exchange.setProperty(TURN, true);
        whenDone(exchange, turn::release);
        return !stopping;
    }

    private static void whenDone(Exchange exchange, Runnable action) {
        exchange.getExchangeExtension()
                .addOnCompletion(
                        new SynchronizationAdapter() {
                            @Override
                            public void onDone(Exchange done) {
                                action.run();
                            }
                        });
    }

    /** A fire that comes late, after a misfire, still belongs to the time at which it was due. */
    private Instant due(Exchange exchange, Optional<Trigger> trigger) {
        Date fired = exchange.getIn().getHeader("scheduledFireTime", Date.class);
        Instant instant =
                (fired == null ? clock.instant() : fired.toInstant())
                        .truncatedTo(ChronoUnit.SECONDS);
        return trigger.filter(any -> isFired(exchange))
                .flatMap(any -> any.lastDue(instant))
                .orElse(instant);
    }

    private static boolean isFired(Exchange exchange) {
        return exchange.getIn().getHeader("trigger") != null;
    }

    /**
     * Takes note of what an earlier try of a run left. Where it is made up, and not asked for, a
     * claim of which a later run left a good snapshot has had its run, too.
     */
    public void takeOver(@Variable("run") Run run, @Body List<Snapshot> listed, Exchange exchange) {
        run.takeOver(listed, exchange.getProperty(MissedFires.MADE_UP) != null)
                .forEach(
                        (claim, later) ->
                                LogKeys.with(
                                        claim,
                                        () ->
                                                LOG.info(
                                                        "{} {}: already there: {}",
                                                        run.name(),
                                                        claim,
                                                        later)));
    }

    /** Lets nothing pass for the answer to a creation that is none, so that it is sent again. */
    public void checkAnswer(
            @Variable("run") Run run,
            @Variable("claim") Claim claim,
            @Body GenericKubernetesResource answer) {
        AnswerCheck.created(answer, run.snapshotOf(claim));
    }

    /**
     * Takes note of the answer to a creation. The producer turns 409 AlreadyExists into an object
     * without a name: then an earlier try of this run left it, and the next look checks it.
     */
    public void requested(
            @Variable("run") Run run,
            @Variable("claim") Claim claim,
            @Body GenericKubernetesResource answer) {
        boolean created = answer.getMetadata() != null && answer.getMetadata().getName() != null;
        run.requested(claim, created);
        LOG.info(
                "{} {}: {} {}",
                run.name(),
                claim,
                created ? "created" : "already there:",
                run.snapshotOf(claim));
    }

    /** Takes note that a quota refused a claim's snapshot. */
    public void refused(
            @Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange) {
        String words = Failures.words(exchange);
        run.refused(claim, words);
        // One line for a quota, and not for each claim that it refuses, again and again.
        boolean isNews = run.isFirstToldOf(QUOTA.matcher(words).replaceFirst("$1"));
        LOG.atLevel(isNews ? Level.WARN : Level.DEBUG)
                .log("{} {}: not yet: {}", run.name(), claim, words);
    }

    /** The snapshots that may go to make room for one that a quota refused. */
    public List<Snapshot> surplus(
            @Variable("run") Run run, @Variable("claim") Claim claim, @Body List<Snapshot> listed) {
        return run.surplus(claim, listed);
    }

    /** Looks whether the snapshots are ready. */
    public Run.Look look(@Variable("run") Run run, @Body List<Snapshot> listed) {
        Run.Look look = run.look(listed);
        look.told()
                .forEach(
                        (claim, words) ->
                                LogKeys.with(
                                        claim,
                                        () ->
                                                LOG.warn(
                                                        "{} {}: not yet: {}",
                                                        run.name(),
                                                        claim,
                                                        OneLine.of(words))));
        Map<String, Snapshot> byName = new HashMap<>();
        listed.forEach(snapshot -> byName.put(key(snapshot.claim(), snapshot.name()), snapshot));
        for (Claim claim : look.ready()) {
            listener.ready(run, claim, byName.get(key(claim, run.snapshotOf(claim))));
            LogKeys.with(claim, () -> LOG.info("{} {}: ready", run.name(), claim));
        }
        return look;
    }

    private static String key(Claim claim, String snapshot) {
        return claim.namespace() + "/" + snapshot;
    }

    /**
     * Looks again whether a snapshot may be deleted when its deletion is sent again, which may be
     * long after it was decided: a newer one may be gone by now, or this one held. Leaves it then.
     *
     * @throws SnapshotFailedException when the one that is gone is the run's own
     */
    public void checkStale(
            @Variable("run") Run run,
            @Variable("claim") Claim claim,
            @Variable("snapshot") String name,
            Exchange exchange)
            throws SnapshotFailedException {
        if (exchange.getIn().getHeader(Exchange.REDELIVERY_COUNTER) == null) {
            return;
        }
        List<Snapshot> listed = run.listForDeletion(() -> snapshots.ofSchedule(run));
        if (run.mayGo(claim, name, listed)) {
            return;
        }
        LOG.warn("{} {}: left {}: it is not stale any more", run.name(), claim, name);
        Optional<SnapshotFailedException> lost = run.lost(claim, listed);
        if (lost.isPresent()) {
            listener.lost(run, claim);
            listener.listed(run, listed);
            exchange.removeVariable("snapshot");
            throw lost.get();
        }
        exchange.setRouteStop(true);
    }

    /** Takes note that a stale snapshot was deleted. */
    public void deleted(@Variable("run") Run run) {
        run.sign();
        listener.pruned(run.schedule());
    }

    /** Claims that were seen ready and whose snapshots are no good ones any more. */
    public List<SnapshotFailedException> lost(
            @Variable("run") Run run, @Body List<Snapshot> listed) {
        Map<Claim, List<Snapshot>> byClaim =
                listed.stream().collect(Collectors.groupingBy(Snapshot::claim));
        List<SnapshotFailedException> lost =
                run.ready().stream()
                        .flatMap(
                                claim ->
                                        run
                                                .lost(claim, byClaim.getOrDefault(claim, List.of()))
                                                .stream())
                        .toList();
        lost.forEach(failure -> listener.lost(run, failure.claim()));
        return lost;
    }

    /** The snapshots that the run may delete. */
    public List<Snapshot> stale(@Variable("run") Run run, @Body List<Snapshot> listed) {
        listener.listed(run, listed);
        List<Snapshot> stale = run.stale(listed);
        run.spared(listed).stream()
                .filter(snapshot -> run.isFirstToldOf(snapshot.name()))
                .forEach(
                        snapshot ->
                                LogKeys.with(
                                        snapshot.claim(),
                                        () ->
                                                LOG.info(
                                                        "{} {}: kept {}, the last of a claim of that"
                                                                + " name that was deleted; delete it"
                                                                + " when its data is not needed",
                                                        run.name(),
                                                        snapshot.claim(),
                                                        snapshot.name())));
        return stale;
    }

    /** Sends a claim that failed to the dead letter. */
    public void fail(@Body SnapshotFailedException failure) throws SnapshotFailedException {
        throw failure;
    }

    /** Tells how the run ended. It is a success only if nothing failed and all were seen ready. */
    public void finish(@Variable("run") Run run) {
        running.remove(run);
        ended(run);
        int all = run.claims().size();
        int ready = run.ready().size();
        if (run.prunesOnly() && run.failures().isEmpty()) {
            LOG.info("{}: succeeded, pruned", run.name());
        } else if (run.isEmpty()) {
            LOG.warn(
                    "{}: no claim is selected; look at claims and namespace of the schedule",
                    run.name());
        } else if (run.isSuccess()) {
            LOG.info("{}: succeeded, {} of {} ready", run.name(), ready, all);
        } else {
            LOG.error(
                    "{}: failed, {} of {} ready, failed: {}",
                    run.name(),
                    ready,
                    all,
                    DeadLetter.names(run.failures()));
        }
    }

    @Override
    public void onContextStopping(CamelContext context) {
        stopping = true;
        if (!running.isEmpty()) {
            LOG.info(
                    "told to stop: no run starts any more; {} may still end within {} s",
                    names(),
                    context.getShutdownStrategy().getTimeout());
        }
    }

    @Override
    public void onContextStopped(CamelContext context) {
        if (!running.isEmpty()) {
            LOG.warn("stopped before the end of {}; the next run completes it", names());
        }
    }

    private String names() {
        return running.stream().map(Run::name).sorted().collect(Collectors.joining(", "));
    }
}
