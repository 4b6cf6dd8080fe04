package io.volumesnapshotter.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** AnswerCheck requests for lists as a test says; an answer may be bigger than any heap. */
public final class ListServer implements AutoCloseable {

    /** Writes the answer to a request. */
    public interface Answer {

        /**
         * @param query the request's query, decoded
         */
        void write(HttpExchange exchange, String query) throws IOException;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<String> queries = new CopyOnWriteArrayList<>();

    public ListServer(Answer answer) {
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext(
                "/",
                exchange -> {
                    String query = exchange.getRequestURI().getQuery();
                    queries.add(query == null ? "" : query);
                    try (exchange) {
                        answer.write(exchange, query == null ? "" : query);
                    }
                });
        server.start();
    }

    /** Sends a text with this code. */
    public static void send(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    /**
     * Sends one page of a list that consists of the same item again and again.
     *
     * @param from the first item's number
     * @param to the number after the last item's
     * @param next the token for the next page, or empty
     * @param item the item, whose first {@code %d} is its number
     */
    public static void sendPage(
            HttpExchange exchange, String kind, int from, int to, String next, String item)
            throws IOException {
        exchange.sendResponseHeaders(200, 0);
        String[] parts = item.split("%d", 2);
        byte[] end = parts[1].getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = new BufferedOutputStream(exchange.getResponseBody(), 1 << 16)) {
            out.write("{\"items\":[".getBytes(StandardCharsets.UTF_8));
            for (int i = from; i < to; i++) {
                String begin = (i > from ? "," : "") + parts[0] + i;
                out.write(begin.getBytes(StandardCharsets.UTF_8));
                out.write(end);
            }
            out.write(
                    "],\"kind\":\"%s\",\"metadata\":{\"continue\":\"%s\"}}\n"
                            .formatted(kind, next)
                            .getBytes(StandardCharsets.UTF_8));
        }
    }

    /** The queries of all requests so far. */
    public List<String> queries() {
        return queries;
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
