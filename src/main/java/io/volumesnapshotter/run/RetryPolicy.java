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
import java.util.Optional;
import org.apache.camel.Exchange;

/**
 * Tells what can heal from what cannot: the one place that decides whether a request is sent again.
 */
public final class RetryPolicy {

    /** Variable of an exchange: what it is about to do in the cluster. */
    static final String OPERATION = "operation";

    /** The operation that creates a snapshot. */
    static final String CREATE = "create";

    /** Property of an exchange: how often its last request was sent. */
    static final String ATTEMPTS = "attempts";

    /** Tries of one claim's request that is answered with an error that may pass: half a minute. */
    private static final int MAX_ATTEMPTS = 6;

    /** Tries of a request that the server forbids, where it has allowed others before. */
    private static final int MAX_FORBIDDEN = 3;

    private final ApiServerMonitor apiServer;

    public RetryPolicy(ApiServerMonitor apiServer) {
        this.apiServer = apiServer;
    }

    /**
     * Decides whether to send a request again, and notes on the exchange, the run and the API
     * server's monitor what that takes. While nothing answers or nobody is served, and for what
     * concerns all claims alike, it is sent again as long as the run has time. What else one
     * claim's request is answered with must not hold up the others, so it is tried a limited number
     * of times.
     */
    public boolean retry(Exchange exchange) {
        Throwable failure = caught(exchange);
        int attempts = exchange.getIn().getHeader(Exchange.REDELIVERY_COUNTER, 1, Integer.class);
        exchange.setProperty(ATTEMPTS, attempts);
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, failure).orElse(null);
        if (answer == null) {
            return false;
        }
        boolean unanswered = isUnanswered(answer, failure);
        if (unanswered) {
            apiServer.unanswered(answer);
        }
        Run run = run(exchange);
        if (run != null) {
            run.touch();
        }
        long delay = apiServer.retryAfterMillis(answer);
        boolean heals =
                heals(exchange, answer, failure, attempts, unanswered)
                        && (run == null || run.hasTimeFor(delay));
        Claim claim = exchange.getVariable("claim", Claim.class);
        if (heals && claim != null && run != null) {
            String words = ErrorText.words(failure);
            run.progress().mark(claim, progress -> progress.markRetried(words));
        }
        if (heals && delay > 0) {
            exchange.getIn().setHeader(Exchange.REDELIVERY_DELAY, delay);
        } else {
            exchange.getIn().removeHeader(Exchange.REDELIVERY_DELAY);
        }
        return heals;
    }

    private static boolean isUnanswered(KubernetesClientException answer, Throwable failure) {
        return answer.getCode() <= 0
                && (ErrorText.isLate(failure) || Causes.has(IOException.class, failure))
                && !Causes.has(JacksonException.class, failure);
    }

    private boolean heals(
            Exchange exchange,
            KubernetesClientException answer,
            Throwable failure,
            int attempts,
            boolean unanswered) {
        if (ApiErrors.isPolicy(answer)) {
            return false;
        }
        return switch (answer.getCode()) {
            case 401 -> attempts <= 1;
            case 403 ->
                    !ApiErrors.isQuota(answer)
                            && !ApiErrors.isTerminatingNamespace(answer)
                            && (apiServer.isRestarting() && hasTime(exchange, attempts, true)
                                    || apiServer.hasAnswered() && attempts < MAX_FORBIDDEN);
            case 409, 410 -> hasTime(exchange, attempts, false);
            default ->
                    (ApiErrors.isOutage(failure) || answer.getCode() >= 500)
                            && hasTime(
                                    exchange,
                                    attempts,
                                    unanswered || ApiServerMonitor.AWAY.contains(answer.getCode()));
        };
    }

    /** Whether a creation was refused because a quota is full. */
    public boolean isQuotaRefusal(Exchange exchange) {
        return CREATE.equals(exchange.getVariable(OPERATION))
                && Causes.find(KubernetesClientException.class, caught(exchange))
                        .filter(ApiErrors::isQuota)
                        .isPresent();
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
    static void forgetTries(Exchange exchange) {
        exchange.getIn().removeHeader(Exchange.REDELIVERED);
        exchange.getIn().removeHeader(Exchange.REDELIVERY_COUNTER);
        exchange.getIn().removeHeader(Exchange.REDELIVERY_DELAY);
    }

    static Run run(Exchange exchange) {
        return exchange.getVariable("run", Run.class);
    }

    static Throwable caught(Exchange exchange) {
        return Optional.<Throwable>ofNullable(exchange.getException())
                .orElseGet(() -> exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
    }

    /** What an exchange failed of, in one line. */
    static String words(Exchange exchange) {
        return ErrorText.words(caught(exchange));
    }
}
