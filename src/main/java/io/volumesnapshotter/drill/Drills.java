package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.run.Brake;
import io.volumesnapshotter.run.MissedException;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.run.Runs;
import io.volumesnapshotter.run.SnapshotFailedException;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of a schedule that drills. A run is over the claims whose turn it is; each is restored,
 * read and removed again by {@link Drill}, as the command does, and what came of it is kept in
 * {@link Proofs}. It is as long as the list of these steps.
 */
public final class Drills {

    /** What an exchange is about to do that drills, as its variable {@code operation}. */
    public static final String OPERATION = "drill";

    /** Label of what a schedule made: which start of the program did. */
    static final String BY = "volume-snapshotter/trial-by";

    private static final Duration LONGEST_WAIT = Duration.ofMillis(500);

    private static final Logger LOG = LoggerFactory.getLogger(Drills.class);

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final RunStart starts;
    private final Runs runs;
    private final Brake brake;
    private final Claims claims;
    private final Proofs proofs;
    private final ProofListener listener;
    private final String installation;
    private final InstantSource clock;
    private final InstantSource steady;
    private final String process = UUID.randomUUID().toString();

    /**
     * @param send has a change carried out; what fails is thrown
     * @param brake tells whether a drill may go on
     * @param installation identity of this installation
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    public Drills(
            KubernetesClient client,
            Consumer<Change> send,
            RunStart starts,
            Runs runs,
            Brake brake,
            Claims claims,
            Proofs proofs,
            ProofListener listener,
            String installation,
            InstantSource clock,
            InstantSource steady) {
        this.client = client;
        this.send = send;
        this.starts = starts;
        this.runs = runs;
        this.brake = brake;
        this.claims = claims;
        this.proofs = proofs;
        this.listener = listener;
        this.installation = installation;
        this.clock = clock;
        this.steady = steady;
    }

    /**
     * Decides whether the fire becomes a run, and of which claims it is the turn: the variable
     * {@code run}. A fire that is to have no run ends the exchange instead.
     *
     * @throws InterruptedException when the program ends while a run of the schedule still goes on
     * @throws IllegalStateException when no {@code drill:} step came before
     * @throws MissedException when the fire time got no run within the starting deadline
     * @throws SnapshotFailedException when there is no place to keep what is proven
     */
    public void start(Exchange exchange)
            throws InterruptedException, MissedException, SnapshotFailedException {
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        if (schedule == null || schedule.policy().drill().isEmpty()) {
            throw new IllegalStateException(
                    "route %s does not say what to drill: put a step to drill:%s before direct:run-drill"
                            .formatted(exchange.getFromRouteId(), exchange.getFromRouteId()));
        }
        proofs.known();
        runs.begin(exchange, new DrillRuns(starts, claims, proofs, exchange.getContext()));
    }

    /**
     * What is known of the drills of claims; nothing where it is not kept here.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when it may not be read
     */
    public Map<Claim, Proof> known() {
        return proofs.anyKnown().proofs();
    }

    /**
     * What is known of a claim, and whether the next run drills it.
     *
     * @param proof empty when it had no drill
     */
    public record Turn(Claim claim, Optional<Proof> proof, boolean isNext) {}

    /**
     * What the next run of a schedule would do; it changes nothing.
     *
     * @param at when that is
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when the cluster does not tell
     */
    public List<Turn> turns(Schedule schedule, Optional<Trigger> trigger, Instant at) {
        Proofs.Known known = proofs.anyKnown();
        List<Claim> selected = claims.of(schedule).stream().map(Target::claim).toList();
        List<Claim> next =
                new Rotation(
                                schedule.policy().drill().orElseThrow(),
                                trigger.flatMap(any -> any.intervalAt(at)),
                                selected,
                                known.proofs())
                        .next(at);
        return selected.stream()
                .map(
                        claim ->
                                new Turn(
                                        claim,
                                        Optional.ofNullable(known.proofs().get(claim)),
                                        next.contains(claim)))
                .toList();
    }

    /** Keeps that the run began, so that it is told if it is cut off; and tells what is known. */
    public void markBegun(@Variable("run") Run run) throws SnapshotFailedException {
        proofs.writeBegun(run.schedule(), run.due());
        tell(run.schedule(), run.selected(), proofs.known());
    }

    private void tell(String schedule, Collection<Claim> selected, Proofs.Known known) {
        Map<Claim, Optional<Proof>> ofSchedule = new LinkedHashMap<>();
        selected.forEach(
                claim -> ofSchedule.put(claim, Optional.ofNullable(known.proofs().get(claim))));
        listener.known(schedule, ofSchedule);
    }

    /**
     * Drills a claim, as far as that may still be done; what comes of it is judged by {@link
     * #judge}.
     */
    public DrillReport drill(
            @Variable("run") Run run, @Variable("claim") Claim claim, Exchange exchange) {
        DrillPolicy policy = run.drill().orElseThrow();
        if (isStopped(run)) {
            exchange.setRouteStop(true);
            return null;
        }
        LOG.info("{} {}: is drilled", run.name(), claim);
        DrillReport report =
                new Drill(access(run.schedule(), pause(run)))
                        .run(
                                new Drill.Plan(
                                        claim,
                                        Optional.empty(),
                                        policy.maxAge(),
                                        new Check(
                                                policy.image(),
                                                policy.script().orElse(Check.SCRIPT),
                                                policy.user(),
                                                policy.checkTimeout()),
                                        policy.startTimeout(),
                                        policy.storageClass()));
        run.markDrilled(claim, report.snapshot());
        if (!report.passed() && isStopped(run)) {
            // It was cut short, which says nothing of the snapshot.
            exchange.setRouteStop(true);
        }
        return report;
    }

    /** Whether the run is not to go on, which ends it. */
    private boolean isStopped(Run run) {
        Optional<String> reason = brake.reasonNotToDelete(run);
        reason.filter(any -> run.givenUp().isEmpty()).ifPresent(run::giveUp);
        return reason.isPresent();
    }

    private Predicate<Duration> pause(Run run) {
        return time -> {
            Instant end = steady.instant().plus(time);
            while (steady.instant().isBefore(end)) {
                if (brake.reasonNotToDelete(run).isPresent()) {
                    return false;
                }
                run.touch();
                Duration left = Duration.between(steady.instant(), end);
                try {
                    TimeUnit.MILLISECONDS.sleep(
                            Math.max(1, Math.min(LONGEST_WAIT.toMillis(), left.toMillis())));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
            return true;
        };
    }

    private TrialAccess access(String schedule, Predicate<Duration> pause) {
        return new TrialAccess(
                client,
                send,
                clock,
                steady,
                pause,
                words -> LOG.info("{}: {}", schedule, words),
                Map.of(
                        SnapshotLabels.SCHEDULE,
                        schedule,
                        SnapshotLabels.INSTALLATION,
                        installation,
                        BY,
                        process));
    }

    /** Keeps what came of a drill. */
    public DrillReport keep(@Variable("run") Run run, @Body DrillReport report)
            throws SnapshotFailedException {
        Proof proof =
                Proof.after(report, proofs.known().proofs().get(report.claim()), clock.instant());
        proofs.write(proof);
        listener.drilled(run.schedule(), proof);
        return report;
    }

    /**
     * Counts a claim as proven, if it is.
     *
     * @throws SnapshotFailedException when it is not, or when something of it was not removed or
     *     written
     */
    public DrillReport judge(@Variable("run") Run run, @Body DrillReport report)
            throws SnapshotFailedException {
        Claim claim = report.claim();
        write(run.drill().orElseThrow(), report);
        if (!report.passed()) {
            throw new SnapshotFailedException(
                    claim, "it is not proven: " + report.why(), remedy(report));
        }
        if (!report.left().isEmpty()) {
            throw new SnapshotFailedException(
                    claim,
                    "it is proven, but %s is still there"
                            .formatted(String.join(", ", report.left())),
                    "see what holds it; the next drill removes it");
        }
        run.markProven(claim);
        LOG.info("{} {}: {}", run.name(), claim, report.words());
        return report;
    }

    private static String remedy(DrillReport report) {
        return report.output().isEmpty()
                ? "see docs/drill.md for what it means"
                : "the check wrote last: " + report.output().get(report.output().size() - 1);
    }

    private static void write(DrillPolicy policy, DrillReport report)
            throws SnapshotFailedException {
        if (policy.report().isEmpty()) {
            return;
        }
        try {
            new ReportFiles(Path.of(policy.report())).write(report);
        } catch (IOException e) {
            throw new SnapshotFailedException(
                    report.claim(),
                    "its report cannot be written to %s: %s; the drill itself %s"
                            .formatted(
                                    policy.report(),
                                    e,
                                    report.passed() ? "passed" : "failed: " + report.why()),
                    "mount a volume there that the program's user may write to");
        }
    }

    /** Keeps that the run ended, and tells how. */
    public void finish(@Variable("run") Run run) throws SnapshotFailedException {
        if (run.givenUp().isEmpty()) {
            proofs.writeEnded(run.schedule(), run.due(), proofs.known(), clock.instant());
        }
        runs.finish(run);
    }

    /**
     * Reads what is known of a schedule's claims, and removes what earlier starts of the program
     * left of its drills: this one leads now, so nobody needs it.
     *
     * @throws SnapshotFailedException when there is no place where anything is kept
     */
    void resume(Schedule schedule) throws SnapshotFailedException {
        List<Claim> selected = claims.of(schedule).stream().map(Target::claim).toList();
        tell(schedule.name(), selected, proofs.known());
        Set<String> namespaces =
                selected.stream().map(Claim::namespace).collect(Collectors.toSet());
        TrialAccess access = access(schedule.name(), time -> true);
        namespaces.forEach(
                namespace -> Trial.removeAll(access, others(schedule), namespace, any -> true));
    }

    private LabelSelector others(Schedule schedule) {
        return new LabelSelectorBuilder()
                .addToMatchLabels(Trial.LABEL, Drill.PURPOSE)
                .addToMatchLabels(SnapshotLabels.SCHEDULE, schedule.name())
                .addToMatchLabels(SnapshotLabels.INSTALLATION, installation)
                .addNewMatchExpression()
                .withKey(BY)
                .withOperator("NotIn")
                .withValues(process)
                .endMatchExpression()
                .build();
    }
}
