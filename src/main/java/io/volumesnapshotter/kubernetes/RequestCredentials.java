package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.HttpURLConnection;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Says in each request who sends it. One that is refused with 401 is sent once more if there are
 * other credentials by then. One that there is no credential for is not sent.
 */
final class RequestCredentials implements Interceptor {

    private static final String AUTHORIZATION = "Authorization";

    private final CredentialSource source;
    private final Executor executor;

    /** With what the requests were sent whose answers are waited for. */
    private final Map<BasicBuilder, Credentials> sent =
            Collections.synchronizedMap(new WeakHashMap<>());

    /**
     * @param executor where a plugin is waited for
     */
    RequestCredentials(CredentialSource source, Executor executor) {
        this.source = source;
        this.executor = executor;
    }

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        Credentials credentials = source.current();
        sent.put(builder, credentials);
        credentials.authorization().ifPresent(value -> builder.setHeader(AUTHORIZATION, value));
        source.impersonation()
                .forEach((name, values) -> values.forEach(value -> builder.header(name, value)));
    }

    @Override
    public CompletableFuture<Boolean> afterFailure(
            BasicBuilder builder, HttpResponse<?> response, RequestTags tags) {
        Credentials refused = sent.remove(builder);
        if (response.code() != HttpURLConnection.HTTP_UNAUTHORIZED || refused == null) {
            return CompletableFuture.completedFuture(false);
        }
        return CompletableFuture.supplyAsync(() -> isRenewed(builder, refused), executor);
    }

    private boolean isRenewed(BasicBuilder builder, Credentials refused) {
        if (!source.renew(refused)) {
            return false;
        }
        Credentials now = source.current();
        now.authorization().ifPresent(value -> builder.setHeader(AUTHORIZATION, value));
        return now.authorization().isPresent() == refused.authorization().isPresent();
    }
}
