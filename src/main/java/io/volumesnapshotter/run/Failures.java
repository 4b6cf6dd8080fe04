package io.volumesnapshotter.run;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.snapshot.Claim;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** Tells what can heal from what cannot, and makes the dead letters. */
public final class Failures {

    /** Tries of one claim's request that is answered with an error that may pass: half a minute. */
    private static final int MAX_ATTEMPTS = 6;

    /** Tries of a request that the server forbids, where it has allowed others before. */
    private static final int MAX_FORBIDDEN = 3;

    /** Property of an exchange: how often its last request was sent. */
    private static final String ATTEMPTS = "attempts";

    /** The route that looks for what is stale. */
    private static final String PRUNING = "prune-snapshots";

    private static final String NEXT_RUN = "the next run tries again";

    private final ApiServerMonitor apiServer;
    private final FailureLog open = new FailureLog();
    private final RunListener listener;
    private final InstantSource clock;

    public Failures(ApiServerMonitor apiServer, RunListener listener, InstantSource clock) {
        this.apiServer = apiServer;
        this.listener = listener;
        this.clock = clock;
    }

    /**
     * Whether to send a request again. While nothing answers or nobody is served, and for what
     * concerns all claims alike, that is as long as the run has time. What else one claim's request
     * is answered with must not hold up the others, so it is tried a limited number of times.
     */
    public boolean heal(Exchange exchange) {
        Throwable failure = caught(exchange);
        int attempts = exchange.getIn().getHeader(Exchange.REDELIVERY_COUNTER, 1, Integer.class);
        exchange.setProperty(ATTEMPTS, attempts);
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, failure).orElse(null);
        if (answer == null) {
            return false;
        }
        boolean unanswered =
                answer.getCode() <= 0
                        && (ErrorText.isLate(failure) || Causes.has(IOException.class, failure))
                        && !Causes.has(JacksonException.class, failure);
        if (unanswered) {
            apiServer.unanswered(answer);
        }
        if (run(exchange) != null) {
            run(exchange).sign();
        }
        boolean heals =
                switch (answer.getCode()) {
                    case 401 -> attempts <= 1;
                    case 403 ->
                            !ApiErrors.isQuota(answer)
                                    && !ApiErrors.isTerminatingNamespace(answer)
                                    && (apiServer.isRestarting()
                                                    && hasTime(exchange, attempts, true)
                                            || apiServer.hasAnswered() && attempts < MAX_FORBIDDEN);
                    case 409, 410 -> hasTime(exchange, attempts, false);
                    default ->
                            (ApiErrors.isOutage(failure) || answer.getCode() >= 500)
                                    && hasTime(
                                            exchange,
                                            attempts,
                                            unanswered
                                                    || ApiServerMonitor.AWAY.contains(
                                                            answer.getCode()));
                };
        long delay = apiServer.retryAfterMillis();
        Run run = run(exchange);
        if (run != null && !run.hasTimeFor(delay)) {
            heals = false;
        }
        Claim claim = exchange.getVariable("claim", Claim.class);
        if (heals && claim != null && run != null) {
            run.sentAgain(claim, ErrorText.words(failure));
        }
        if (heals && delay > 0) {
            exchange.getIn().setHeader(Exchange.REDELIVERY_DELAY, delay);
        } else {
            exchange.getIn().removeHeader(Exchange.REDELIVERY_DELAY);
        }
        return heals;
    }

    /** Whether a creation was refused because a quota is full. */
    public boolean isQuotaRefusal(Exchange exchange) {
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, caught(exchange)).orElse(null);
        boolean creates =
                exchange.getVariable("claim") != null && exchange.getVariable("snapshot") == null;
        return answer != null && answer.getCode() == 403 && ApiErrors.isQuota(answer) && creates;
    }

    private static boolean hasTime(Exchange exchange, int attempts, boolean unserved) {
        Run run = run(exchange);
        boolean concernsAll = unserved || exchange.getVariable("claim") == null;
        boolean runHasTime = run == null ? hasTimeToStart(exchange) : run.hasTime();
        return attempts < MAX_ATTEMPTS || concernsAll && runHasTime;
    }

    /** Before its claims are listed, a run has the time in which one snapshot has to be ready. */
    private static boolean hasTimeToStart(Exchange exchange) {
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        return schedule != null
                && exchange.getClock().elapsed() < schedule.policy().readyTimeout().toMillis();
    }

    /** Forgets the tries of a request that was carried out: the next one has its own. */
    static void healed(Exchange exchange) {
        exchange.getIn().removeHeader(Exchange.REDELIVERED);
        exchange.getIn().removeHeader(Exchange.REDELIVERY_COUNTER);
        exchange.getIn().removeHeader(Exchange.REDELIVERY_DELAY);
    }

    /**
     * What a failed exchange has to tell: of each claim that it fails, once in a run. An outage is
     * told once, not for one claim after the other.
     */
    public DeadLetter of(Exchange exchange) {
        Throwable failure = caught(exchange);
        Run run = run(exchange);
        SnapshotFailedException snapshotFailed =
                Causes.find(SnapshotFailedException.class, failure).orElse(null);
        Claim claim =
                snapshotFailed != null
                        ? snapshotFailed.claim()
                        : exchange.getVariable("claim", Claim.class);
        String words = ErrorText.words(failure);
        String remedy = snapshotFailed != null ? snapshotFailed.remedy() : remedy(failure);
        String phase = exchange.getProperty(Exchange.FAILURE_ROUTE_ID, "", String.class);
        List<Claim> claims = Collections.singletonList(claim);
        if (claim == null && run != null && run.isOpen() && !phase.equals(PRUNING)) {
            claims = run.pending();
        } else if (claim == null && run != null && !run.stepFailed(phase)) {
            claims = List.of();
        }
        if (run != null) {
            claims = claims.stream().filter(any -> any == null || run.failed(any)).toList();
        }
        boolean isNews =
                !(ApiErrors.isOutage(failure) || words.startsWith(Run.UNASKED))
                        || (run == null
                                ? !open.isOpen(exchange.getFromRouteId(), words)
                                : claims.size() > 1 || run.isFirstToldOf(words));
        return new DeadLetter(
                claims.stream()
                        .map(failed -> letter(exchange, run, failed, phase, words, remedy))
                        .toList(),
                isNews && !claims.isEmpty());
    }

    private Failure letter(
            Exchange exchange, Run run, Claim claim, String phase, String words, String remedy) {
        String schedule = run == null ? exchange.getFromRouteId() : run.schedule();
        String name =
                run == null ? exchange.getVariable(Runs.NAME, schedule, String.class) : run.name();
        String own = run == null || claim == null ? "" : run.snapshotOf(claim);
        boolean mayBeReadyLate = run != null && !run.ready().contains(claim);
        Instant now = clock.instant();
        Failure letter =
                new Failure(
                        schedule,
                        name,
                        claim == null ? "" : claim.namespace(),
                        claim == null ? "" : claim.name(),
                        run == null ? "" : exchange.getVariable("snapshot", own, String.class),
                        phase,
                        exchange.getProperty(ATTEMPTS, 1, Integer.class),
                        now,
                        now,
                        1,
                        words,
                        remedy,
                        false);
        listener.failed(letter);
        return open.failed(letter, mayBeReadyLate ? own : "");
    }

    /** Lets a run look for what earlier runs gave up on. */
    void expect(Run run) {
        run.awaits(open.awaited(run.schedule(), run.claims()));
    }

    /** What is well again after a run. */
    public List<Failure> recovered(@Variable("run") Run run) {
        return open.recovered(run, clock.instant());
    }

    /** Why a notification failed, in one line, without what is secret in a webhook's address. */
    public static String undelivered(Exchange exchange) {
        return words(exchange).replaceAll("(https?://[^/\\s]+)/\\S*", "$1/…");
    }

    /** What is failed now, and what was told of late. */
    public FailureLog open() {
        return open;
    }

    private static Run run(Exchange exchange) {
        return exchange.getVariable("run", Run.class);
    }

    private static Throwable caught(Exchange exchange) {
        return Optional.<Throwable>ofNullable(exchange.getException())
                .orElseGet(() -> exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
    }

    /** What an exchange failed of, in one line. */
    static String words(Exchange exchange) {
        return ErrorText.words(caught(exchange));
    }

    private static String remedy(Throwable failure) {
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, failure).orElse(null);
        if (Causes.has(MissedException.class, failure)) {
            return "run the schedule now if the next fire time is too far off";
        }
        if (answer == null) {
            return Causes.has(RejectedExecutionException.class, failure)
                    ? "the program was stopped; " + NEXT_RUN
                    : "correct the route or setting that it names";
        }
        return ApiErrors.remedy(answer);
    }
}
