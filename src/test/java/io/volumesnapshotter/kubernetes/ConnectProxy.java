package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A proxy that leads to one server, whatever name it is asked for, and keeps what it was asked. */
final class ConnectProxy implements AutoCloseable {

    /** A tunnel that was asked for. */
    record Asked(String target, String authorization) {}

    private final ServerSocket listening;
    private final int behind;
    private final String password;
    private final List<Asked> asked = new CopyOnWriteArrayList<>();

    /**
     * Listens on a free port.
     *
     * @param behind the port of the server that it leads to
     * @param authorization what it wants to be shown; empty: nothing
     */
    ConnectProxy(int behind, String authorization) throws IOException {
        this.behind = behind;
        this.password = authorization;
        listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::listen);
    }

    private void listen() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                start(() -> serve(client));
            } catch (IOException e) {
                // It is closed, or that client is gone.
                continue;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            InputStream in = client.getInputStream();
            String[] request = line(in).split(" ");
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (String line = line(in); !line.isEmpty(); line = line(in)) {
                headers.put(line.split(":")[0], line.substring(line.indexOf(':') + 1).strip());
            }
            String shown = headers.getOrDefault("Proxy-Authorization", "");
            asked.add(new Asked(request[0] + " " + request[1], shown));
            OutputStream out = client.getOutputStream();
            if (!password.isEmpty() && !password.equals(shown)) {
                out.write(
                        bytes(
                                "HTTP/1.1 407 Proxy Authentication Required\r\n"
                                        + "Proxy-Authenticate: Basic realm=\"proxy\"\r\n"
                                        + "Content-Length: 0\r\n\r\n"));
                return;
            }
            try (Socket server = new Socket(InetAddress.getLoopbackAddress(), behind)) {
                out.write(bytes("HTTP/1.1 200 Connection established\r\n\r\n"));
                start(() -> pass(server, client));
                in.transferTo(server.getOutputStream());
            }
        } catch (IOException e) {
            // One of both is gone.
            return;
        }
    }

    private static void pass(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.close();
        } catch (IOException e) {
            // One of both is gone.
            return;
        }
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            line.append((char) next);
        }
        return line.toString().strip();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "connect-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    String address() {
        return "127.0.0.1:" + listening.getLocalPort();
    }

    List<Asked> asked() {
        return asked;
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
