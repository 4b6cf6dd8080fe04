package io.volumesnapshotter.simulation;

import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.fabric8.mockwebserver.vertx.ServerWebSocketHandler;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The wire: HTTP/1.1 on loopback, one thread for each request.
 *
 * <p>The mock server's own listener answers all connections on one event loop; so it can neither
 * hold one answer while others go on, nor cut one connection, nor come back on the same port. This
 * one listens in its place and hands websockets to the mock server's handler.
 */
final class ApiServer implements AutoCloseable {

    /** What goes back, and how. */
    record Reply(
            ApiAnswer answer,
            Faults.Cut cut,
            RecordedRequest webSocketRequest,
            MockResponse webSocket,
            ObjectWatch watch,
            Runnable afterwards) {

        static Reply of(ApiAnswer answer, Runnable afterwards) {
            return new Reply(answer, null, null, null, null, afterwards);
        }

        static Reply cut(ApiAnswer answer, Faults.Cut cut) {
            return new Reply(answer, cut, null, null, null, () -> {});
        }

        static Reply webSocket(RecordedRequest request, MockResponse response) {
            return new Reply(null, null, request, response, null, () -> {});
        }

        static Reply watch(ObjectWatch watch) {
            return new Reply(null, null, null, null, watch, () -> {});
        }
    }

    interface Handler {
        Reply handle(String method, String uri, Map<String, String> headers, String body);
    }

    /** One for all clusters of this JVM: it costs more than all else that a cluster is made of. */
    private static final Vertx VERTX =
            Vertx.vertx(
                    new VertxOptions()
                            .setEventLoopPoolSize(2)
                            .setUseDaemonThread(true)
                            .setFileSystemOptions(
                                    new FileSystemOptions()
                                            .setFileCachingEnabled(false)
                                            .setClassPathResolvingEnabled(false)));

    private final ExecutorService threads =
            new ThreadPoolExecutor(
                    0,
                    Integer.MAX_VALUE,
                    10,
                    TimeUnit.SECONDS,
                    new SynchronousQueue<>(),
                    ApiServer::daemon,
                    new ThreadPoolExecutor.DiscardPolicy());
    private final Executor wire = RandomDelays.ofThisTestRun().of(threads);
    private final Handler handler;
    private HttpServer server;

    ApiServer(Handler handler) {
        this.handler = handler;
    }

    synchronized int listen(int port) {
        if (server == null) {
            HttpServerOptions options =
                    new HttpServerOptions()
                            .setHost("127.0.0.1")
                            .setPort(port)
                            .setHttp2ClearTextEnabled(false)
                            .setMaxInitialLineLength(64 * 1024)
                            .setHandle100ContinueAutomatically(true);
            HttpServer next = VERTX.createHttpServer(options).requestHandler(this::receive);
            await(next.listen());
            server = next;
        }
        return server.actualPort();
    }

    /** Refuses connections and closes the open ones. */
    synchronized void stopListening() {
        if (server != null) {
            await(server.close());
            server = null;
        }
    }

    @Override
    public void close() {
        stopListening();
        threads.shutdownNow();
    }

    static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "simulated-cluster");
        thread.setDaemon(true);
        return thread;
    }

    private void receive(HttpServerRequest event) {
        Context context = VERTX.getOrCreateContext();
        if (event.getHeader("Upgrade") != null && event.getHeader("Sec-WebSocket-Key") != null) {
            event.pause();
            handle(context, event, "");
        } else {
            event.body().onSuccess(body -> handle(context, event, body.toString()));
        }
    }

    private void handle(Context context, HttpServerRequest event, String body) {
        Map<String, String> headers = new LinkedHashMap<>();
        event.headers()
                .forEach(h -> headers.put(h.getKey().toLowerCase(Locale.ROOT), h.getValue()));
        wire.execute(
                () -> {
                    Reply reply = answer(event.method().name(), event.uri(), headers, body);
                    wire.execute(() -> context.runOnContext(nothing -> send(event, reply)));
                });
    }

    /** Whatever goes wrong in here, or in a test's hook, the client sees a 500. */
    private Reply answer(String method, String uri, Map<String, String> headers, String body) {
        try {
            return handler.handle(method, uri, headers, body);
        } catch (RuntimeException | AssertionError e) {
            return Reply.of(ApiAnswer.status(500, "InternalError", e.toString()), () -> {});
        }
    }

    private void send(HttpServerRequest event, Reply reply) {
        if (reply.webSocket() != null) {
            event.toWebSocket()
                    .onSuccess(
                            new ServerWebSocketHandler(
                                    reply.webSocketRequest(), reply.webSocket()));
            return;
        }
        event.resume();
        if (reply.watch() != null) {
            send(event.response(), reply.watch());
            return;
        }
        if (reply.cut() != null && !reply.cut().insideAnswer) {
            event.connection().close();
            return;
        }
        byte[] body = reply.answer().body();
        HttpServerResponse response = event.response();
        response.setStatusCode(reply.answer().code());
        reply.answer().headers().forEach(h -> response.headers().add(h.getKey(), h.getValue()));
        response.putHeader("Content-Length", Integer.toString(body.length));
        if (reply.cut() != null) {
            response.write(Buffer.buffer(body).slice(0, body.length / 2))
                    .onComplete(written -> event.connection().close());
            return;
        }
        response.end(Buffer.buffer(body)).onComplete(sent -> threads.execute(reply.afterwards()));
    }

    /** One line for each change, until the time is over that the client gave or it hangs up. */
    private void send(HttpServerResponse response, ObjectWatch watch) {
        Context context = VERTX.getOrCreateContext();
        response.setChunked(true).putHeader("Content-Type", "application/json");
        response.writeHead();
        response.closeHandler(closed -> watch.close());
        long timer = VERTX.setTimer(watch.timeout().toMillis(), over -> response.end());
        response.endHandler(
                ended -> {
                    VERTX.cancelTimer(timer);
                    watch.close();
                });
        wire.execute(
                () ->
                        watch.begin(
                                line ->
                                        context.runOnContext(
                                                nothing -> {
                                                    if (!response.ended() && !response.closed()) {
                                                        response.write(Buffer.buffer(line));
                                                    }
                                                })));
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }
}
