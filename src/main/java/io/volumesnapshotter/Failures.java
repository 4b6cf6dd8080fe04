package io.volumesnapshotter;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.NoCredentialException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpTimeoutException;
import java.security.cert.CertificateException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

    private static final Pattern TOKEN = Pattern.compile("(?i)(\\bbearer\\s+)[\\w.~+/=-]{8,}");

    private final ApiServer apiServer;
    private final OpenFailures open = new OpenFailures();
    private final Journal journal;
    private final InstantSource clock;

    Failures(ApiServer apiServer, Journal journal, InstantSource clock) {
        this.apiServer = apiServer;
        this.journal = journal;
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
                        && (isLate(failure) || Causes.has(IOException.class, failure))
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
                            !isQuota(answer)
                                    && !isTerminatingNamespace(answer)
                                    && (apiServer.isRestarting()
                                                    && hasTime(exchange, attempts, true)
                                            || apiServer.hasAnswered() && attempts < MAX_FORBIDDEN);
                    case 409, 410 -> hasTime(exchange, attempts, false);
                    default ->
                            (isOutage(failure) || answer.getCode() >= 500)
                                    && hasTime(
                                            exchange,
                                            attempts,
                                            unanswered
                                                    || ApiServer.AWAY.contains(answer.getCode()));
                };
        long delay = apiServer.retryAfterMillis();
        Run run = run(exchange);
        if (run != null && !run.hasTimeFor(delay)) {
            heals = false;
        }
        Claim claim = exchange.getVariable("claim", Claim.class);
        if (heals && claim != null && run != null) {
            run.sentAgain(claim, words(failure));
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
        return answer != null && answer.getCode() == 403 && isQuota(answer) && creates;
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
        String words = words(failure);
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
                !(isOutage(failure) || words.startsWith(Run.UNASKED))
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
        journal.failed(letter);
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
    OpenFailures open() {
        return open;
    }

    private static boolean isOutage(Throwable failure) {
        return Causes.find(KubernetesClientException.class, failure)
                .filter(
                        answer ->
                                answer.getCode() <= 0 || ApiServer.AWAY.contains(answer.getCode()))
                .isPresent();
    }

    private static Run run(Exchange exchange) {
        return exchange.getVariable("run", Run.class);
    }

    private static Throwable caught(Exchange exchange) {
        return Optional.<Throwable>ofNullable(exchange.getException())
                .orElseGet(() -> exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
    }

    private static boolean isQuota(KubernetesClientException answer) {
        return words(answer).contains("exceeded quota");
    }

    private static boolean isTerminatingNamespace(KubernetesClientException answer) {
        return answer.getStatus() != null
                && answer.getStatus().getDetails() != null
                && answer.getStatus().getDetails().getCauses().stream()
                        .anyMatch(cause -> "NamespaceTerminating".equals(cause.getReason()));
    }

    /** What an exchange failed of, in one line. */
    static String words(Exchange exchange) {
        return words(caught(exchange));
    }

    /** The server's own words where it said any, else those of the innermost cause. */
    static String words(Throwable failure) {
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, failure).orElse(null);
        if (answer != null
                && answer.getStatus() != null
                && answer.getStatus().getMessage() != null) {
            return oneLine(answer.getStatus().getMessage());
        }
        return rootWords(failure);
    }

    /** What the innermost cause says, in one line. */
    static String rootWords(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        if (Causes.has(ConnectException.class, failure)) {
            // The JDK's HTTP client says nothing more of it.
            return "no connection (" + root.getClass().getSimpleName() + ")";
        }
        if (isLate(failure)) {
            return "no answer in time (" + root.getClass().getSimpleName() + ")";
        }
        String words =
                root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        if (Causes.has(CertificateException.class, failure)) {
            return "its certificate is not accepted ("
                    + oneLine(words)
                    + "): check its authority, which a kubeconfig names as certificate-authority,"
                    + " its names and its dates";
        }
        return oneLine(words);
    }

    /** Whether no answer came in time: the HTTP client or, now and then, Kubernetes' says so. */
    private static boolean isLate(Throwable failure) {
        return Causes.has(HttpTimeoutException.class, failure)
                || Causes.has(TimeoutException.class, failure);
    }

    /** A text in one line, without a token that a proxy may have put into it. */
    static String oneLine(String text) {
        return TOKEN.matcher(text)
                .replaceAll("$1…")
                .lines()
                .map(String::trim)
                .collect(Collectors.joining(" "));
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
        return remedy(answer);
    }

    /** What to do about an answer of the API server. */
    static String remedy(KubernetesClientException answer) {
        if (answer instanceof NoCredentialException) {
            return "see that it can be had; " + NEXT_RUN;
        }
        return switch (answer.getCode()) {
            case 401 -> "check the token or the kubeconfig's credentials";
            case 403 -> {
                if (isQuota(answer)) {
                    yield "raise the quota or keep fewer snapshots";
                }
                yield isTerminatingNamespace(answer)
                        ? "the namespace is going away: remove its claims from the schedule"
                        : "grant it, as in " + grantedIn(words(answer));
            }
            case 404 ->
                    words(answer).startsWith("namespaces ")
                            ? "create the namespace or correct snapshotter.namespace"
                            : "install the VolumeSnapshot CRDs and the snapshot controller of"
                                    + " external-snapshotter";
            case 422 -> "correct what it names";
            default -> "look at the API server; " + NEXT_RUN;
        };
    }

    private static String grantedIn(String refusal) {
        if (refusal.contains("at the cluster scope")) {
            return "k8s/components/cluster-wide";
        }
        return refusal.contains("cannot list resource \"persistentvolumeclaims\"")
                ? "k8s/components/select-claims"
                : "k8s/role.yaml";
    }
}
