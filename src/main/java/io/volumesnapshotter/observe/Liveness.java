package io.volumesnapshotter.observe;

import io.volumesnapshotter.run.DeadLetter;
import io.volumesnapshotter.run.Run;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;
import org.quartz.SchedulerException;

/**
 * Says whether the program still works, so that Kubernetes restarts one that is stuck. What a
 * restart does not help against, such as an API server that is away, storage that fails or a route
 * that was stopped, is none of its business.
 */
public final class Liveness extends AbstractHealthCheck {

    private final BooleanSupplier firesNoMore;
    private final BooleanSupplier looksNoMore;
    private final Supplier<List<String>> stuckRuns;

    /**
     * @param firesNoMore whether nothing is fired any more, as after an end of Quartz
     * @param looksNoMore whether nothing is made up any more
     * @param stuckRuns names of the runs that do nothing and do not end
     */
    public Liveness(
            BooleanSupplier firesNoMore,
            BooleanSupplier looksNoMore,
            Supplier<List<String>> stuckRuns) {
        super("volume-snapshotter", "stuck");
        this.firesNoMore = firesNoMore;
        this.looksNoMore = looksNoMore;
        this.stuckRuns = stuckRuns;
    }

    @Override
    public boolean isLiveness() {
        return true;
    }

    @Override
    public boolean isReadiness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        List<String> runs = stuckRuns.get();
        if (firesNoMore.getAsBoolean()) {
            builder.down().message("Quartz was shut down, so no schedule fires");
        } else if (looksNoMore.getAsBoolean()) {
            builder.down().message("missed fire times were not looked for in the last minute");
        } else if (!runs.isEmpty()) {
            builder.down()
                    .message(
                            "past their time and without a sign for "
                                    + Run.SILENCE.toMinutes()
                                    + " min: "
                                    + DeadLetter.names(runs));
        } else {
            builder.up();
        }
    }

    /** Whether the scheduler of a context was shut down, so that nothing fires any more. */
    public static boolean isShutDown(CamelContext context) {
        try {
            return context.hasComponent("quartz") instanceof QuartzComponent quartz
                    && quartz.getScheduler() != null
                    && quartz.getScheduler().isShutdown();
        } catch (SchedulerException e) {
            throw new IllegalStateException(e);
        }
    }
}
