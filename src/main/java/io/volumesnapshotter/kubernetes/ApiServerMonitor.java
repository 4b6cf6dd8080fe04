package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens to all traffic with the API server, so that its being away is told once and not once per
 * try, and so that a 403 from a server that is just starting is not taken for missing rights.
 */
public final class ApiServerMonitor implements Interceptor {

    /**
     * How long after the last failure the server may still be restarting. It then refuses
     * connections, answers 403 for about a second, then 429.
     */
    static final Duration RESTART = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ApiServerMonitor.class);

    /** Stands for the code of an answer that never came. */
    static final String NO_ANSWER = "none";

    private static final Map<String, String> VERBS = Map.of("POST", "create", "PUT", "update");

    /** Resources of a kind, and perhaps the one of them that is named. */
    private static final Pattern RESOURCES =
            Pattern.compile(".*/(?:api|apis/[^/]+)/v[^/]+/(?:namespaces/[^/]+/)?[^/]+(/[^/]+.*)?");

    /**
     * Requests about Events. A server may limit these alone, and nothing waits for them, so that
     * what it answers to them says nothing of how it serves others.
     */
    private static final Pattern EVENTS = Pattern.compile(".*/namespaces/[^/]+/events(/[^/]+)?");

    /** How the client says which request an answer is to. */
    private static final Pattern REQUEST =
            Pattern.compile("Failure executing: (\\w+) at: (\\S+?)\\.(?:\\s|$)");

    /** How long a server is left alone at most: it may be well long before the time it names. */
    static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

    private static final Pattern OPERATION = Pattern.compile("Operation: \\[(\\w+)\\]");

    /** AnswerCheck that a server or what stands before it gives when it cannot serve anyone. */
    public static final Set<Integer> AWAY = Set.of(429, 502, 503, 504);

    private static final String AWAY_STATE = "does not serve: {}; trying again until it does";

    private final String url;
    private final InstantSource steady;
    private Instant lastTrouble = Instant.MIN;
    private Instant downSince;
    private Instant upSince;
    private boolean answered;

    /** Until when to leave a request alone, by its method and path: that of its last answer. */
    private final Map<String, Instant> retryAfter = new HashMap<>();

    private volatile BiConsumer<String, String> listener = (verb, code) -> {};

    /**
     * @param url its address, for messages
     * @param steady measures waits, whatever becomes of the wall clock
     */
    public ApiServerMonitor(String url, InstantSource steady) {
        this.url = url;
        this.steady = steady;
    }

    /** Tells somebody of the verb and the answer's code of each request. */
    public void tell(BiConsumer<String, String> requests) {
        listener = requests;
    }

    @Override
    public void after(
            HttpRequest request,
            HttpResponse<?> response,
            AsyncBody.Consumer<List<ByteBuffer>> consumer) {
        listener.accept(verb(request), Integer.toString(response.code()));
        if (AWAY.contains(response.code()) && !isAboutEvents(request)) {
            noteRetryAfter(request, response);
            trouble(AWAY_STATE, "HTTP " + response.code());
        } else if (response.isSuccessful()) {
            success();
        }
    }

    private static boolean isAboutEvents(HttpRequest request) {
        return EVENTS.matcher(request.uri().getPath()).matches();
    }

    /** The verb as the API's rights have it. */
    static String verb(HttpRequest request) {
        String method = request.method();
        Matcher path = RESOURCES.matcher(request.uri().getPath());
        if (method.equals("GET")) {
            return path.matches() && path.group(1) == null ? "list" : "get";
        }
        return VERBS.getOrDefault(method, method.toLowerCase(Locale.ROOT));
    }

    /**
     * Counts a request that got no answer. The client says what each was for, except for creations.
     */
    public void unanswered(Throwable failure) {
        Matcher operation = OPERATION.matcher(String.valueOf(failure.getMessage()));
        listener.accept(operation.find() ? operation.group(1) : "create", NO_ANSWER);
        unreachable(failure);
    }

    /** What a server says of when to come again holds for this request, and no longer than that. */
    private synchronized void noteRetryAfter(HttpRequest request, HttpResponse<?> response) {
        String key = request.method() + " " + request.uri().getPath();
        String seconds = response.header("Retry-After");
        if (seconds != null && seconds.matches("\\d{1,9}")) {
            Duration wait = Duration.ofSeconds(Long.parseLong(seconds));
            Instant now = steady.instant();
            retryAfter.values().removeIf(until -> !until.isAfter(now));
            retryAfter.put(key, now.plus(wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait));
        } else {
            retryAfter.remove(key);
        }
    }

    /**
     * How long from now the server asked to leave the request alone that it answered with this, in
     * milliseconds; 0 when it did not. It is never more than a minute.
     */
    public synchronized long retryAfterMillis(KubernetesClientException answer) {
        Matcher request = REQUEST.matcher(String.valueOf(answer.getMessage()));
        if (!AWAY.contains(answer.getCode()) || !request.find()) {
            return 0;
        }
        String path = URI.create(request.group(2)).getPath();
        Instant until = retryAfter.getOrDefault(request.group(1) + " " + path, Instant.MIN);
        Instant now = steady.instant();
        return until.isAfter(now) ? Duration.between(now, until).toMillis() : 0;
    }

    /**
     * Counts that the API server did not answer. The client tells an interceptor of that only when
     * it retries by itself.
     */
    public void unreachable(Throwable failure) {
        trouble(
                Causes.has(NoCredentialException.class, failure)
                        ? "cannot be asked: {}; trying again until it can"
                        : AWAY_STATE,
                ErrorText.rootWords(failure));
    }

    private synchronized void trouble(String state, String words) {
        lastTrouble = steady.instant();
        upSince = null;
        if (downSince == null) {
            downSince = lastTrouble;
            LOG.warn("the Kubernetes API at {} " + state, url, words);
        }
    }

    /** One success amid failures is no recovery yet: that is told once they have ceased. */
    private synchronized void success() {
        answered = true;
        if (downSince == null) {
            return;
        }
        Instant now = steady.instant();
        upSince = upSince == null ? now : upSince;
        if (!lastTrouble.plus(RESTART).isAfter(now)) {
            LOG.info(
                    "the Kubernetes API serves again; it did not for {} s",
                    Duration.between(downSince, upSince).toSeconds());
            downSince = null;
        }
    }

    /** Whether a refusal may come from a server that is still starting. */
    public synchronized boolean isRestarting() {
        return lastTrouble.isAfter(steady.instant().minus(RESTART));
    }

    /** Whether it does not serve now. */
    public synchronized boolean isAway() {
        return downSince != null && upSince == null;
    }

    /** Whether it was told to be away, and not yet to be back. */
    public synchronized boolean isToldAway() {
        return downSince != null;
    }

    /** Whether it ever carried out a request of this program. */
    public synchronized boolean hasAnswered() {
        return answered;
    }
}
