package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientFactory;
import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientImpl;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** Makes the HTTP client of one Kubernetes client, whose TLS may become another in its life. */
final class ClusterHttp extends JdkHttpClientFactory {

    private final Supplier<SSLContext> tls;
    private final ExecutorService executor;

    /**
     * @param executor runs the client, and ends with it
     */
    ClusterHttp(Supplier<SSLContext> tls, ExecutorService executor) {
        this.tls = tls;
        this.executor = executor;
    }

    @Override
    protected HttpClient.Builder createNewHttpClientBuilder() {
        return new Builder(tls).executor(executor);
    }

    @Override
    protected void closeHttpClient(JdkHttpClientImpl client) {
        executor.shutdownNow();
    }

    /** Keeps what is set for each client that is to come. */
    private static final class Builder implements HttpClient.Builder {

        private final Supplier<SSLContext> tls;
        private final List<Consumer<HttpClient.Builder>> settings = new ArrayList<>();

        Builder(Supplier<SSLContext> tls) {
            this.tls = tls;
        }

        private HttpClient.Builder set(Consumer<HttpClient.Builder> setting) {
            settings.add(setting);
            return this;
        }

        @Override
        public HttpClient build() {
            return new RenewedHttpClient(
                    tls,
                    context -> {
                        HttpClient.Builder builder = HttpClient.newBuilder();
                        settings.forEach(setting -> setting.accept(builder));
                        return builder.sslContext(context).build();
                    });
        }

        @Override
        public HttpClient.Builder sslContext(SSLContext other) {
            // There is one already.
            return this;
        }

        @Override
        public HttpClient.Builder cookieHandler(CookieHandler cookies) {
            return set(builder -> builder.cookieHandler(cookies));
        }

        @Override
        public HttpClient.Builder connectTimeout(Duration limit) {
            return set(builder -> builder.connectTimeout(limit));
        }

        @Override
        public HttpClient.Builder sslParameters(SSLParameters parameters) {
            return set(builder -> builder.sslParameters(parameters));
        }

        @Override
        public HttpClient.Builder executor(Executor other) {
            return set(builder -> builder.executor(other));
        }

        @Override
        public HttpClient.Builder followRedirects(HttpClient.Redirect policy) {
            return set(builder -> builder.followRedirects(policy));
        }

        @Override
        public HttpClient.Builder version(HttpClient.Version version) {
            return set(builder -> builder.version(version));
        }

        @Override
        public HttpClient.Builder priority(int priority) {
            return set(builder -> builder.priority(priority));
        }

        @Override
        public HttpClient.Builder proxy(ProxySelector proxies) {
            return set(builder -> builder.proxy(proxies));
        }

        @Override
        public HttpClient.Builder authenticator(Authenticator authenticator) {
            return set(builder -> builder.authenticator(authenticator));
        }
    }
}
