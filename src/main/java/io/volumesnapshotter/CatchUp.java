package io.volumesnapshotter;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * After the start, makes up each schedule's last fire time if that is not older than the schedule's
 * starting deadline. A run of it that took place finds its snapshots there and takes none; one that
 * was cut off is completed.
 */
public final class CatchUp implements StartupListener {

    /** Property of the exchange of a run that may have taken place already, in whole or in part. */
    static final String MADE_UP = "madeUp";

    private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);

    private final ExecutorService executor;
    private final InstantSource clock;

    /**
     * @param executor where the runs are waited for, one thread for each
     */
    public CatchUp(ExecutorService executor, InstantSource clock) {
        this.executor = executor;
        this.clock = clock;
    }

    @Override
    public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
        // the routes are not started yet
    }

    @Override
    public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
        for (Route route : context.getRoutes()) {
            Trigger.of(route)
                    .flatMap(trigger -> missed(context, route.getRouteId(), trigger))
                    .ifPresent(due -> executor.execute(() -> makeUp(route, due)));
        }
    }

    private Optional<Instant> missed(CamelContext context, String routeId, Trigger trigger) {
        Optional<Policy> policy = PolicyComponent.policyOf(context, routeId);
        if (policy.isEmpty() || policy.get().suspend()) {
            return Optional.empty();
        }
        Instant earliest = clock.instant().minus(policy.get().startingDeadline());
        return trigger.lastDue(clock.instant()).filter(due -> !due.isBefore(earliest));
    }

    private static void makeUp(Route route, Instant due) {
        Exchange exchange = route.getEndpoint().createExchange();
        exchange.getExchangeExtension().setFromRouteId(route.getRouteId());
        exchange.getIn().setHeader("scheduledFireTime", Date.from(due));
        exchange.setProperty(MADE_UP, true);
        try {
            route.getProcessor().process(exchange);
        } catch (Exception e) {
            exchange.setException(e);
        }
        if (exchange.getException() != null && !exchange.getContext().isStopping()) {
            LOG.error(
                    "{}: making up for {} failed: {}",
                    route.getRouteId(),
                    due,
                    Failures.rootWords(exchange.getException()));
        }
    }
}
