package io.volumesnapshotter.run;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.volumesnapshotter.kubernetes.AnswerCheck;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.apache.camel.support.LifecycleStrategySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The steps of a run that routes call, and which runs go on when the program is told to stop. Each
 * step hands a question to the class that answers it, and tells the outcome. It is as long as the
 * list of steps that the routes call by this name.
 */
public final class Runs extends LifecycleStrategySupport {

    /** What is the same in the words for each claim that a quota refuses. */
    private static final Pattern QUOTA = Pattern.compile(".*(exceeded quota: [^,]+).*");

    private static final Logger LOG = LoggerFactory.getLogger(Runs.class);

    private final RunStart start;
    private final Brake brake;
    private final Claims claims;
    private final Failures failures;
    private final RunListener listener;
    private final SnapshotWarnings warnings;
    private final Set<Run> running = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    /**
     * @param start decides which fire becomes a run
     * @param brake tells whether a run may still create
     * @param warnings tells what is odd about snapshots
     */
    public Runs(
            RunStart start,
            Brake brake,
            Claims claims,
            Failures failures,
            RunListener listener,
            SnapshotWarnings warnings) {
        this.start = start;
        this.brake = brake;
        this.claims = claims;
        this.failures = failures;
        this.listener = listener;
        this.warnings = warnings;
    }

    /**
     * Starts the run for the fire time that the trigger tells, or for the present second where
     * there is no trigger, and puts it into the variable {@code run}. A fire that is to have no run
     * ends the exchange instead.
     *
     * @throws InterruptedException when the program ends while a run of the schedule still goes on
     * @throws IllegalStateException when no {@code policy:} step came before
     * @throws MissedException when the fire time got no run within the starting deadline
     */
    public void start(Exchange exchange) throws InterruptedException, MissedException {
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        if (schedule != null && schedule.policy().drill().isPresent()) {
            throw new IllegalStateException(
                    "schedule %s drills: put direct:run-drill behind its step drill:%s"
                            .formatted(schedule.name(), schedule.name()));
        }
        announce(exchange, start.begin(exchange))
                .ifPresent(
                        run ->
                                run.expectLate(
                                        failures.log().expectedLate(run.schedule(), run.claims())));
    }

    /**
     * Starts the run of a schedule of another kind, as {@link #start}.
     *
     * @return it; empty when there is none to be
     */
    public Optional<Run> begin(Exchange exchange, RunKind kind)
            throws InterruptedException, MissedException {
        return announce(exchange, start.begin(exchange, kind));
    }

    private Optional<Run> announce(Exchange exchange, Optional<Run> begun) {
        if (begun.isEmpty()) {
            exchange.setRouteStop(true);
            return begun;
        }
        Run run = begun.get();
        RetryPolicy.forgetTries(exchange);
        running.add(run);
        listener.started(run);
        RunStart.whenDone(exchange, () -> end(run));
        exchange.setVariable("run", run);
        LOG.info("{}: starts, {} claims", run.name(), run.claims().size());
        return begun;
    }

    /** One that a stop cuts off is told as such. */
    private void end(Run run) {
        if (!stopping) {
            running.remove(run);
        }
        listener.ended(run);
    }

    /** Names of runs that do nothing any more and do not end either. */
    public List<String> stuck() {
        return running.stream().filter(Run::isStuck).map(Run::name).sorted().toList();
    }

    /** Counts what an earlier try of a run left. */
    public void takeOver(@Variable("run") Run run, @Body List<Snapshot> listed) {
        run.targets()
                .markTakenOver(listed)
                .forEach(
                        (claim, later) ->
                                LogKeys.with(
                                        claim,
                                        () ->
                                                LOG.info(
                                                        "{} {}: already there: {}",
                                                        run.name(),
                                                        claim,
                                                        later.name())));
    }

    /**
     * Asks right before a creation is sent whether it may be: the run may have been overtaken, or
     * the claim told as failed, while it waited; and the claim may have been deleted or made anew.
     *
     * @throws SnapshotFailedException when the claim is gone
     */
    public void checkCreation(
            @Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange)
            throws SnapshotFailedException {
        Optional<String> reason = brake.reasonToStop(run);
        if (reason.isPresent()) {
            if (run.markGivenUp(reason.get())) {
                LOG.warn("{}: given up: {}", run.name(), reason.get());
            }
            exchange.setRouteStop(true);
        } else if (!run.mayBeRequested(claim)) {
            exchange.setRouteStop(true);
        } else if (run.targets().areTooOld(claim) && !isThereStill(run, claim)) {
            throw new SnapshotFailedException(
                    claim,
                    "the claim was deleted before its snapshot was asked for",
                    "nothing, if that was meant");
        }
    }

    private boolean isThereStill(Run run, Claim claim) {
        if (run.readsEachClaim()) {
            Optional<Target> now = claims.readAgain(run.targets().of(claim));
            now.ifPresent(target -> run.targets().markRead(target));
            return now.isPresent();
        }
        ClaimFacts now = claims.facts(run.listedNamespace());
        run.targets().markSeen(now);
        return now.present().isEmpty() || now.of(claim).isPresent();
    }

    /** The VolumeSnapshot to create for a claim. */
    public Map<String, Object> manifest(@Variable("run") Run run, @Variable("claim") Claim claim) {
        return run.manifest(claim);
    }

    /** Lets nothing pass for the answer to a creation that is none, so that it is sent again. */
    public void checkAnswer(
            @Variable("run") Run run,
            @Variable("claim") Claim claim,
            @Body GenericKubernetesResource answer) {
        AnswerCheck.created(answer, run.snapshotOf(claim));
    }

    /**
     * Counts the answer to a creation. The producer turns 409 AlreadyExists into an object without
     * a name: then an earlier try of this run left it, and the next look checks it.
     */
    public void markRequested(
            @Variable("run") Run run,
            @Variable("claim") Claim claim,
            @Body GenericKubernetesResource answer) {
        boolean created = answer.getMetadata() != null && answer.getMetadata().getName() != null;
        run.touch();
        run.progress().mark(claim, progress -> progress.markRequested(created));
        listener.created(run, claim, run.snapshotOf(claim), created);
        LOG.info(
                "{} {}: {} {}",
                run.name(),
                claim,
                created ? "created" : "already there:",
                run.snapshotOf(claim));
    }

    /** Counts that a quota refused a claim's snapshot. */
    public void markRefused(
            @Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange) {
        String words = RetryPolicy.words(exchange);
        run.progress().mark(claim, progress -> progress.markRefused(words));
        listener.delayed(run, claim, words);
        // One line for a quota, and not for each claim that it refuses, again and again.
        boolean isNews = run.markTold(QUOTA.matcher(words).replaceFirst("$1"));
        LOG.atLevel(isNews ? Level.WARN : Level.DEBUG)
                .log("{} {}: not yet: {}", run.name(), claim, words);
    }

    /** The deletions that make room for a snapshot that a quota or the driver refused. */
    public List<Deletion> planRoom(
            @Variable("run") Run run, @Variable("claim") Claim claim, @Body ClusterFacts facts) {
        return run.pruning().markRoomMade(claim, facts);
    }

    /** Notes which creations are answered before the snapshots are listed. */
    public void markListing(@Variable("run") Run run) {
        run.progress().markListing();
    }

    /** Judges what was listed, and tells what is new. */
    public RunProgress.Look look(@Variable("run") Run run, @Body List<Snapshot> listed) {
        RunProgress.Look look = run.look(listed);
        look.told().forEach((claim, words) -> listener.delayed(run, claim, words));
        look.premature().forEach((claim, snapshot) -> tellPremature(run, claim, snapshot));
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
                                                        words)));
        Map<String, Snapshot> byName =
                listed.stream()
                        .collect(
                                Collectors.toMap(
                                        s -> s.claim().namespace() + "/" + s.name(),
                                        s -> s,
                                        (a, b) -> b));
        for (Claim claim : look.ready()) {
            Snapshot ready = byName.get(claim.namespace() + "/" + run.snapshotOf(claim));
            listener.ready(run, claim, Objects.requireNonNull(ready));
            LogKeys.with(claim, () -> LOG.info("{} {}: ready", run.name(), claim));
        }
        return look;
    }

    private static void tellPremature(Run run, Claim claim, Snapshot snapshot) {
        LogKeys.with(
                claim,
                () ->
                        LOG.warn(
                                "{} {}: {} was created at {}, before it was due, when this machine's"
                                        + " clock was ahead: it does not count, {} is taken",
                                run.name(),
                                claim,
                                snapshot.name(),
                                snapshot.createdAt(),
                                run.snapshotOf(claim)));
    }

    /** Claims that were seen ready and whose snapshots are no good ones any more. */
    public List<SnapshotFailedException> findLost(
            @Variable("run") Run run, @Body ClusterFacts facts) {
        List<SnapshotFailedException> lost =
                run.ready().stream()
                        .flatMap(claim -> run.markIfLost(claim, facts.of(claim)).stream())
                        .toList();
        lost.forEach(failure -> listener.lost(run, failure.claim()));
        return lost;
    }

    /** The deletions that follow from what is there. */
    public List<Deletion> planDeletions(@Variable("run") Run run, @Body ClusterFacts facts) {
        listener.listed(run, facts.all());
        warnings.tell(run, facts);
        PrunePlan plan = run.pruning().markPruned(facts);
        plan.decisions().values().stream()
                .flatMap(List::stream)
                .filter(Pruning::isSpared)
                .filter(decision -> run.markTold(decision.snapshot().name()))
                .forEach(decision -> tellSpared(run, decision));
        return plan.deletions();
    }

    private static void tellSpared(Run run, Decision decision) {
        Claim claim = decision.snapshot().claim();
        LogKeys.with(
                claim,
                () ->
                        LOG.info(
                                "{} {}: kept {}, {}",
                                run.name(),
                                claim,
                                decision.snapshot().name(),
                                decision.reason()));
    }

    /** Counts that a stale snapshot was deleted. */
    public void markDeleted(@Variable("run") Run run, @Body Deletion deletion) {
        run.touch();
        listener.pruned(run, deletion.snapshot(), deletion.reason());
    }

    /** Sends a claim that failed to the dead letter. */
    public void fail(@Body SnapshotFailedException failure) throws SnapshotFailedException {
        throw failure;
    }

    /** Tells how the run ended. It is a success only if nothing failed and all were seen ready. */
    public void finish(@Variable("run") Run run) {
        running.remove(run);
        end(run);
        int all = run.claims().size();
        int ready = run.ready().size();
        String well = run.drills() ? "proven" : "ready";
        Optional<String> givenUp = run.givenUp();
        if (givenUp.isPresent()) {
            LOG.warn("{}: given up, {} of {} {}: {}", run.name(), ready, all, well, givenUp.get());
        } else if (run.prunesOnly() && run.failures().isEmpty()) {
            LOG.info("{}: succeeded, pruned", run.name());
        } else if (run.isEmpty() && !run.selected().isEmpty()) {
            LOG.info("{}: each claim whose turn it is was drilled already", run.name());
        } else if (run.isEmpty()) {
            LOG.warn(
                    "{}: no claim is selected; look at claims and namespace of the schedule",
                    run.name());
        } else if (run.isSuccess()) {
            LOG.info("{}: succeeded, {} of {} {}", run.name(), ready, all, well);
        } else {
            LOG.error(
                    "{}: failed, {} of {} {}, failed: {}",
                    run.name(),
                    ready,
                    all,
                    well,
                    DeadLetter.names(run.failures()));
        }
    }

    /** Whether the program was told to stop. */
    public boolean isStopping() {
        return stopping;
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
