package io.volumesnapshotter.observe;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import org.apache.camel.component.quartz.CamelJob;

/**
 * Leaves out what Quartz's job says of a run that is cut off by a stop: the program tells that in
 * one line. All else that the job says is told.
 */
public final class ShutdownNoiseFilter extends Filter<ILoggingEvent> {

    private static final String JOB = CamelJob.class.getName();

    @Override
    public FilterReply decide(ILoggingEvent event) {
        if (!event.getLoggerName().equals(JOB)) {
            return FilterReply.NEUTRAL;
        }
        String words = event.getFormattedMessage();
        boolean cutOff =
                words.contains("RejectedExecutionException: Run not allowed as ShutdownStrategy")
                        || words.contains("Interrupted while waiting for asynchronous callback");
        return cutOff ? FilterReply.DENY : FilterReply.NEUTRAL;
    }
}
