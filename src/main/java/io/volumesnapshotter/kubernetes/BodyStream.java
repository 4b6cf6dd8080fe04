package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.http.AsyncBody;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer, read as it comes: no more of it is asked for than is read. The client's
 * own stream waits for ever for a server that falls silent in the middle.
 */
final class BodyStream extends InputStream implements AsyncBody.Consumer<List<ByteBuffer>> {

    /** Stands for the end of the body; an exception in the queue stands for its failure. */
    private static final Object END = new Object();

    private final BlockingQueue<Object> arrived = new LinkedBlockingQueue<>();
    private final Queue<ByteBuffer> buffers = new ArrayDeque<>();
    private final Duration limit;
    private AsyncBody body;
    private boolean ended;

    /**
     * @param limit how long to wait for more
     */
    BodyStream(Duration limit) {
        this.limit = limit;
    }

    /** Has to be called before the first byte is read. */
    void begin(AsyncBody of) {
        body = of;
        body.done().whenComplete((any, failure) -> arrived.add(failure == null ? END : failure));
    }

    @Override
    public void consume(List<ByteBuffer> value, AsyncBody any) {
        arrived.add(value);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (buffers.isEmpty() || !buffers.element().hasRemaining()) {
            buffers.poll();
            if (buffers.isEmpty() && !awaitMore()) {
                return -1;
            }
        }
        ByteBuffer buffer = buffers.element();
        int count = Math.min(length, buffer.remaining());
        buffer.get(target, offset, count);
        return count;
    }

    /** Whether there is more. */
    private boolean awaitMore() throws IOException {
        if (ended) {
            return false;
        }
        body.consume();
        Object next;
        try {
            next = arrived.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException().initCause(e);
        }
        if (next == null) {
            throw new HttpTimeoutException("nothing more of the answer came in " + limit);
        }
        if (next instanceof Throwable failure) {
            ended = true;
            throw new IOException(failure.getMessage(), failure);
        }
        if (next == END) {
            ended = true;
            return false;
        }
        for (Object buffer : (List<?>) next) {
            buffers.add((ByteBuffer) buffer);
        }
        return true;
    }

    /** Takes the connection with it, unless all was read. */
    @Override
    public void close() {
        if (body != null && !ended) {
            ended = true;
            body.cancel();
        }
    }
}
