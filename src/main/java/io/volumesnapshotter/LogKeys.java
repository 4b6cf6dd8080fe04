package io.volumesnapshotter;

import java.util.Map;
import java.util.Objects;
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
final class LogKeys implements InterceptStrategy {

    static final String SCHEDULE = "schedule";
    static final String RUN = "run";
    static final String NAMESPACE = "namespace";
    static final String CLAIM = "claim";

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
                    restore(before);
                }
            }
        };
    }

    /** Tells lines that concern a claim. */
    static void with(Claim claim, Runnable lines) {
        with(Map.of(NAMESPACE, claim.namespace(), CLAIM, claim.name()), lines);
    }

    /** Tells lines that concern a run, which need not have begun. */
    static void with(String schedule, String run, Runnable lines) {
        with(Map.of(SCHEDULE, schedule, RUN, run), lines);
    }

    /** Tells the rest of a step's lines as those of a run. */
    static void run(String name) {
        MDC.put(RUN, name);
    }

    /** Tells the rest of a step's lines as those of a schedule. */
    static void schedule(String name) {
        MDC.put(SCHEDULE, name);
    }

    private static void with(Map<String, String> keys, Runnable lines) {
        Map<String, String> before = MDC.getCopyOfContextMap();
        keys.forEach(MDC::put);
        try {
            lines.run();
        } finally {
            restore(before);
        }
    }

    private static void restore(Map<String, String> before) {
        MDC.setContextMap(Objects.requireNonNullElse(before, Map.of()));
    }

    private static Map<String, String> of(Exchange exchange) {
        Map<String, String> keys = new TreeMap<>();
        Run run = exchange.getVariable("run", Run.class);
        Schedule schedule = exchange.getVariable(Schedule.VARIABLE, Schedule.class);
        if (run != null) {
            keys.put(SCHEDULE, run.schedule());
            keys.put(RUN, run.name());
        } else if (schedule != null) {
            keys.put(SCHEDULE, schedule.name());
        }
        Claim claim = exchange.getVariable("claim", Claim.class);
        Failure letter = letter(exchange);
        if (letter != null) {
            put(keys, SCHEDULE, letter.schedule());
            put(keys, NAMESPACE, letter.namespace());
            put(keys, CLAIM, letter.claim());
        } else if (claim != null) {
            keys.put(NAMESPACE, claim.namespace());
            keys.put(CLAIM, claim.name());
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
