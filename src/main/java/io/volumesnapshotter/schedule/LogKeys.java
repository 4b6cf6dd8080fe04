package io.volumesnapshotter.schedule;

import io.volumesnapshotter.snapshot.Claim;
import java.util.Map;
import java.util.Objects;
import org.slf4j.MDC;

/**
 * The keys of SLF4J's MDC that say what a line concerns: {@code schedule}, {@code run}, {@code
 * namespace} and {@code claim}.
 */
public final class LogKeys {

    public static final String SCHEDULE = "schedule";
    public static final String RUN = "run";
    public static final String NAMESPACE = "namespace";
    public static final String CLAIM = "claim";

    private LogKeys() {}

    /** Tells lines that concern a claim. */
    public static void with(Claim claim, Runnable lines) {
        with(Map.of(NAMESPACE, claim.namespace(), CLAIM, claim.name()), lines);
    }

    /** Tells lines that concern a run, which need not have begun. */
    public static void with(String schedule, String run, Runnable lines) {
        with(Map.of(SCHEDULE, schedule, RUN, run), lines);
    }

    /** Tells the rest of a step's lines as those of a run. */
    public static void run(String name) {
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

    /** Puts back the keys that a thread had before. */
    public static void restore(Map<String, String> before) {
        MDC.setContextMap(Objects.requireNonNullElse(before, Map.of()));
    }
}
