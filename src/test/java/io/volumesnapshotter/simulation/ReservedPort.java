package io.volumesnapshotter.simulation;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A port of loopback that is one simulated cluster's as long as it lives, also while that does not
 * listen: the next port is held all the time, and whoever wants the one has to hold the other. Both
 * are below the ephemeral ones, so that no client is given them.
 */
final class ReservedPort implements AutoCloseable {

    private static final int FIRST = 20_000;
    private static final int PAIRS = 5_000;
    private static final int TRIES = 50;

    private final int number;
    private final ServerSocket guard;

    private ReservedPort(int number) throws IOException {
        this.number = number;
        this.guard = new ServerSocket(number + 1, 1, InetAddress.getLoopbackAddress());
    }

    /** Reserves a free one. */
    static ReservedPort any() {
        for (int i = 1; ; i++) {
            try {
                return of(FIRST + 2 * ThreadLocalRandom.current().nextInt(PAIRS));
            } catch (IOException e) {
                if (i == TRIES) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    /**
     * Reserves this one.
     *
     * @throws IOException when it is another's, or somebody listens on it
     */
    static ReservedPort of(int number) throws IOException {
        ReservedPort port = new ReservedPort(number);
        try {
            new ServerSocket(number, 1, InetAddress.getLoopbackAddress()).close();
            return port;
        } catch (IOException e) {
            port.close();
            throw e;
        }
    }

    int number() {
        return number;
    }

    @Override
    public void close() throws IOException {
        guard.close();
    }
}
