package io.volumesnapshotter.testing;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** Collects what the program tells its user. */
public final class ToldLines implements AutoCloseable {

    private final Logger logger = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    private final Queue<ILoggingEvent> events = new ConcurrentLinkedQueue<>();
    private final AppenderBase<ILoggingEvent> lines =
            new AppenderBase<>() {
                @Override
                protected void append(ILoggingEvent event) {
                    event.prepareForDeferredProcessing();
                    events.add(event);
                }
            };

    public ToldLines() {
        lines.start();
        logger.addAppender(lines);
    }

    /** The lines so far that are at least this important. */
    public List<String> atLeast(Level level) {
        return all().filter(event -> event.getLevel().isGreaterOrEqual(level))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    /** The lines so far, with all that belongs to them. */
    public Stream<ILoggingEvent> all() {
        return events.stream();
    }

    /** Begins anew. */
    void clear() {
        events.clear();
    }

    @Override
    public void close() {
        logger.detachAppender(lines);
        lines.stop();
    }
}
