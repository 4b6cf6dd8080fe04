package io.volumesnapshotter.run;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** Makes the dead letters, and tells what is well again. */
public final class Failures {

    /** The operation that looks for what is stale. */
    private static final String PRUNE = "prune";

    private final FailureLog log = new FailureLog();
    private final RunListener listener;
    private final InstantSource clock;

    public Failures(RunListener listener, InstantSource clock) {
        this.listener = listener;
        this.clock = clock;
    }

    /**
     * What a failed exchange has to tell: of each claim that it fails, once in a run. An outage is
     * told once, not for one claim after the other. The run counts these claims as failed.
     */
    public DeadLetter report(Exchange exchange) {
        Throwable failure = RetryPolicy.caught(exchange);
        Run run = RetryPolicy.run(exchange);
        SnapshotFailedException snapshotFailed =
                Causes.find(SnapshotFailedException.class, failure).orElse(null);
        Claim claim =
                snapshotFailed != null
                        ? snapshotFailed.claim()
                        : exchange.getVariable("claim", Claim.class);
        String words = ApiErrors.reason(failure);
        String remedy =
                snapshotFailed != null
                        ? snapshotFailed.remedy()
                        : remedy(failure, drills(exchange));
        String phase = exchange.getProperty(Exchange.FAILURE_ROUTE_ID, "", String.class);
        List<Claim> claims =
                run == null
                        ? Collections.singletonList(claim)
                        : newlyFailed(run, claim, phase, operation(exchange));
        boolean isNews =
                !(ApiErrors.isOutage(failure) || words.startsWith(SnapshotJudge.UNASKED))
                        || (run == null
                                ? !log.isOpen(exchange.getFromRouteId(), words)
                                : claims.size() > 1 || run.markTold(words));
        return new DeadLetter(
                claims.stream()
                        .map(
                                failed ->
                                        letter(
                                                exchange,
                                                failed,
                                                phase,
                                                words,
                                                remedy,
                                                snapshotFailed != null))
                        .toList(),
                isNews && !claims.isEmpty());
    }

    private static boolean drills(Exchange exchange) {
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        return schedule != null && schedule.policy().drill().isPresent();
    }

    /** The claims that fail with this, as far as that was not told before; null for the run. */
    private static List<Claim> newlyFailed(Run run, Claim claim, String phase, String operation) {
        if (claim != null) {
            return run.progress().markFailed(claim) ? List.of(claim) : List.of();
        }
        if (run.isOpen() && !operation.equals(PRUNE)) {
            return run.pending().stream().filter(run.progress()::markFailed).toList();
        }
        return run.progress().markStepFailed(phase) ? Collections.singletonList(null) : List.of();
    }

    private static String operation(Exchange exchange) {
        return exchange.getVariable(RetryPolicy.OPERATION, "", String.class);
    }

    private Failure letter(
            Exchange exchange,
            Claim claim,
            String phase,
            String words,
            String remedy,
            boolean ofOwnSnapshot) {
        Run run = RetryPolicy.run(exchange);
        String schedule = run == null ? exchange.getFromRouteId() : run.schedule();
        String name =
                run == null
                        ? exchange.getVariable(RunStart.NAME, schedule, String.class)
                        : run.name();
        String own = run == null || claim == null ? "" : run.snapshotOf(claim);
        String concerned =
                run == null || ofOwnSnapshot
                        ? own
                        : exchange.getVariable("snapshot", own, String.class);
        boolean mayBeReadyLate = run != null && !run.drills() && !run.ready().contains(claim);
        Instant now = clock.instant();
        Failure letter =
                new Failure(
                        schedule,
                        name,
                        claim == null ? "" : claim.namespace(),
                        claim == null ? "" : claim.name(),
                        concerned,
                        phase,
                        operation(exchange),
                        exchange.getProperty(RetryPolicy.ATTEMPTS, 1, Integer.class),
                        now,
                        now,
                        1,
                        words,
                        remedy,
                        false);
        listener.failed(letter, isPassing(RetryPolicy.caught(exchange)));
        return log.add(letter, mayBeReadyLate ? own : "");
    }

    /** What is well again after a run. */
    public List<Failure> recovered(@Variable("run") Run run) {
        return log.takeRecovered(run, clock.instant());
    }

    /** Why a notification failed, in one line, without what is secret in a webhook's address. */
    public static String undelivered(Exchange exchange) {
        return RetryPolicy.words(exchange).replaceAll("(https?://[^/\\s]+)/\\S*", "$1/…");
    }

    /** What is failed now, and what was told of late. */
    public FailureLog log() {
        return log;
    }

    /** Whether the same may succeed later without a change. */
    private static boolean isPassing(Throwable failure) {
        return Causes.find(SnapshotFailedException.class, failure)
                .map(SnapshotFailedException::isLate)
                .orElseGet(() -> ApiErrors.isPassing(failure));
    }

    private static String remedy(Throwable failure, boolean drills) {
        if (Causes.has(MissedException.class, failure)) {
            return "run the schedule now if the next fire time is too far off";
        }
        return Causes.find(KubernetesClientException.class, failure)
                .map(
                        answer ->
                                drills
                                        ? ApiErrors.remedy(answer, "drill")
                                        : ApiErrors.remedy(answer))
                .orElseGet(
                        () ->
                                Causes.has(RejectedExecutionException.class, failure)
                                        ? "the program was stopped; the next run tries again"
                                        : "correct the route or setting that it names");
    }
}
