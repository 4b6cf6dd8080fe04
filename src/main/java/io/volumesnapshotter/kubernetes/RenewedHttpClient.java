package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * Sends requests by a client that is exchanged for another as soon as TLS is to be spoken
 * otherwise. Requests under way, such as watches, go on in the old one, which goes when the last of
 * them ends.
 */
final class RenewedHttpClient extends HttpClient {

    private final Supplier<SSLContext> tls;
    private final Function<SSLContext, HttpClient> clients;
    private SSLContext context;
    private HttpClient client;

    RenewedHttpClient(Supplier<SSLContext> tls, Function<SSLContext, HttpClient> clients) {
        this.tls = tls;
        this.clients = clients;
        current();
    }

    private synchronized HttpClient current() {
        SSLContext now = tls.get();
        if (now != context) {
            client = clients.apply(now);
            context = now;
        }
        return client;
    }

    private synchronized HttpClient last() {
        return client;
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> body)
            throws IOException, InterruptedException {
        return current().send(request, body);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, HttpResponse.BodyHandler<T> body) {
        return current().sendAsync(request, body);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request,
            HttpResponse.BodyHandler<T> body,
            HttpResponse.PushPromiseHandler<T> pushed) {
        return current().sendAsync(request, body, pushed);
    }

    @Override
    public WebSocket.Builder newWebSocketBuilder() {
        return current().newWebSocketBuilder();
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return last().cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return last().connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return last().followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return last().proxy();
    }

    @Override
    public SSLContext sslContext() {
        return last().sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return last().sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return last().authenticator();
    }

    @Override
    public Version version() {
        return last().version();
    }

    @Override
    public Optional<Executor> executor() {
        return last().executor();
    }
}
