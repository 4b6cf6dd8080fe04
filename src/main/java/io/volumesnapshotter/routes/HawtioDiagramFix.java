package io.volumesnapshotter.routes;

import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.RouteDefinition;

/**
 * Keeps a route's own error handler out of what Camel shows of the route, not out of what the route
 * does: hawtio 5.2.0 takes {@code errorHandler}, which stands before {@code from}, for a step that
 * nothing leads to, and then draws no diagram of any route.
 */
public final class HawtioDiagramFix extends ModelLifecycleStrategySupport {

    @Override
    public void onAddRouteDefinition(RouteDefinition route) {
        // What it makes stays set.
        route.setErrorHandler(null);
    }
}
