package io.volumesnapshotter;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.ConnectException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.util.ObjectHelper;

/** Tells what can heal from what cannot, and makes the dead letters. */
public final class Failures {

    /** Tries of a request that the server answers with an error that may pass: about a minute. */
    private static final int MAX_ATTEMPTS = 6;

    /** Tries of a request that the server forbids, where it has allowed others before. */
    private static final int MAX_FORBIDDEN = 3;

    /** Property of an exchange: how often its last request was sent. */
    private static final String ATTEMPTS = "attempts";

    private static final String NEXT_RUN = "the next run tries again";

    private final ApiServer apiServer;

    public Failures(ApiServer apiServer) {
        this.apiServer = apiServer;
    }

    /**
     * Whether to send a request again. While nothing answers, that is as long as the run has time:
     * all its claims fare the same. What one claim's request is answered with must not hold up the
     * others, so it is tried a limited number of times.
     */
    public boolean heal(Exchange exchange) {
        Throwable failure = caught(exchange);
        int attempts = exchange.getIn().getHeader(Exchange.REDELIVERY_COUNTER, 1, Integer.class);
        exchange.setProperty(ATTEMPTS, attempts);
        KubernetesClientException answer =
                ObjectHelper.getException(KubernetesClientException.class, failure);
        if (answer == null) {
            return false;
        }
        if (answer.getCode() <= 0) {
            apiServer.unreachable(rootWords(failure));
        }
        return switch (answer.getCode()) {
            case 401 -> attempts <= 1;
            case 403 ->
                    !isQuota(answer)
                            && !isTerminatingNamespace(answer)
                            && (apiServer.isRestarting()
                                    || apiServer.hasAnswered() && attempts < MAX_FORBIDDEN);
            case 409, 429 -> attempts < MAX_ATTEMPTS;
            default -> {
                if (answer.getCode() >= 500) {
                    yield attempts < MAX_ATTEMPTS;
                }
                yield answer.getCode() <= 0 && hasTime(exchange, failure, attempts);
            }
        };
    }

    private static boolean hasTime(Exchange exchange, Throwable failure, int attempts) {
        Run run = run(exchange);
        boolean brokenAnswer = ObjectHelper.getException(IOException.class, failure) == null;
        return brokenAnswer || run == null ? attempts < MAX_ATTEMPTS : run.hasTime();
    }

    /** The dead letters of a failed exchange: one for each claim that it fails. */
    public List<Failure> of(Exchange exchange) {
        Throwable failure = caught(exchange);
        Run run = run(exchange);
        SnapshotFailedException snapshotFailed =
                ObjectHelper.getException(SnapshotFailedException.class, failure);
        String claim =
                snapshotFailed != null
                        ? snapshotFailed.claim()
                        : exchange.getVariable("claim", "", String.class);
        String remedy = snapshotFailed != null ? snapshotFailed.remedy() : remedy(failure);
        List<String> claims = List.of(claim);
        if (claim.isEmpty() && run != null && run.isOpen()) {
            claims = run.pending();
        }
        return claims.stream()
                .map(failed -> letter(exchange, run, failed, words(failure), remedy))
                .toList();
    }

    private static Failure letter(
            Exchange exchange, Run run, String claim, String words, String remedy) {
        String phase = exchange.getProperty(Exchange.FAILURE_ROUTE_ID, "", String.class);
        if (run == null) {
            String schedule = exchange.getFromRouteId();
            return new Failure(schedule, schedule, "", claim, "", phase, 1, words, remedy);
        }
        if (!claim.isEmpty()) {
            run.failed(claim);
        }
        String snapshot = claim.isEmpty() ? "" : run.snapshotOf(claim);
        return new Failure(
                run.schedule(),
                run.name(),
                run.namespace(),
                claim,
                exchange.getVariable("snapshot", snapshot, String.class),
                phase,
                exchange.getProperty(ATTEMPTS, 1, Integer.class),
                words,
                remedy);
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

    /** The server's own words where it said any, else those of the innermost cause. */
    static String words(Throwable failure) {
        KubernetesClientException answer =
                ObjectHelper.getException(KubernetesClientException.class, failure);
        if (answer != null
                && answer.getStatus() != null
                && answer.getStatus().getMessage() != null) {
            return answer.getStatus().getMessage();
        }
        return rootWords(failure);
    }

    /** What the innermost cause says, in one line. */
    static String rootWords(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        if (ObjectHelper.getException(ConnectException.class, failure) != null) {
            // The JDK's HTTP client says nothing more of it.
            return "no connection (" + root.getClass().getSimpleName() + ")";
        }
        String words =
                root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        return words.lines().map(String::trim).collect(Collectors.joining(" "));
    }

    private static String remedy(Throwable failure) {
        KubernetesClientException answer =
                ObjectHelper.getException(KubernetesClientException.class, failure);
        if (answer == null) {
            return ObjectHelper.getException(RejectedExecutionException.class, failure) != null
                    ? "the program was stopped; " + NEXT_RUN
                    : "correct the route or setting that it names";
        }
        return remedy(answer);
    }

    /** What to do about an answer of the API server. */
    static String remedy(KubernetesClientException answer) {
        return switch (answer.getCode()) {
            case 401 -> "check the token or the kubeconfig's credentials";
            case 403 -> {
                if (isQuota(answer)) {
                    yield "raise the quota or keep fewer snapshots";
                }
                yield isTerminatingNamespace(answer)
                        ? "the namespace is going away: remove its claims from the schedule"
                        : "grant it, as in k8s/role.yaml";
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
}
