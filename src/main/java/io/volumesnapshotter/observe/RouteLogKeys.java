package io.volumesnapshotter.observe;

import io.volumesnapshotter.run.DeadLetter;
import io.volumesnapshotter.run.Failure;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.schedule.LogKeys;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.snapshot.Claim;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.slf4j.MDC;

/**
 * Puts what a line concerns beside it, in SLF4J's MDC: {@code schedule}, {@code run}, {@code
 * namespace} and {@code claim}. It does so around each step of a route and takes them from the
 * exchange, whatever thread the step runs in, so that none is lost or left behind where threads
 * change: Camel's own MDC logging goes by exchange and knows neither claims nor runs.
 */
public final class RouteLogKeys implements InterceptStrategy {

    @Override
    public Processor wrapProcessorInInterceptors(
            CamelContext context, NamedNode definition, Processor target, Processor next) {
        return new DelegateAsyncProcessor(target) {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                Map<String, String> before = MDC.getCopyOfContextMap();
                MDC.setContextMap(of(exchange));
                try {
                    return super.process(exchange, callback);
                } finally {
                    LogKeys.restore(before);
                }
            }
        };
    }

    private static Map<String, String> of(Exchange exchange) {
        Map<String, String> keys = new TreeMap<>();
        Run run = exchange.getVariable("run", Run.class);
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        if (run != null) {
            keys.put(LogKeys.SCHEDULE, run.schedule());
            keys.put(LogKeys.RUN, run.name());
        } else if (schedule != null) {
            keys.put(LogKeys.SCHEDULE, schedule.name());
            put(keys, LogKeys.RUN, exchange.getVariable(RunStart.NAME, "", String.class));
        }
        Claim claim = exchange.getVariable("claim", Claim.class);
        Failure letter = letter(exchange);
        if (letter != null) {
            put(keys, LogKeys.SCHEDULE, letter.schedule());
            put(keys, LogKeys.NAMESPACE, letter.namespace());
            put(keys, LogKeys.CLAIM, letter.claim());
        } else if (claim != null) {
            keys.put(LogKeys.NAMESPACE, claim.namespace());
            keys.put(LogKeys.CLAIM, claim.name());
        }
        return keys;
    }

    /** The one failure or recovery that the exchange is about, or null. */
    private static Failure letter(Exchange exchange) {
        if (exchange.getIn().getBody() instanceof Failure news) {
            return news;
        }
        DeadLetter letter = exchange.getVariable("deadLetter", DeadLetter.class);
        return letter == null || letter.failures().size() != 1 ? null : letter.failures().get(0);
    }

    private static void put(Map<String, String> keys, String key, String value) {
        if (!value.isEmpty()) {
            keys.put(key, value);
        }
    }
}
