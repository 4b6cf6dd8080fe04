package io.volumesnapshotter.routes;

import org.apache.camel.CamelContext;
import org.apache.camel.model.FromDefinition;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.RouteDefinition;

/**
 * Makes each route that starts with Quartz one that only the leader starts, whenever it is loaded,
 * so that a schedule's file is the same with one replica and with several.
 */
public final class LeaderRoutes extends ModelLifecycleStrategySupport {

    private static final String QUARTZ = "quartz:";
    private static final String MASTER = "master:";

    private final CamelContext context;
    private final boolean elects;

    /**
     * @param elects whether there is an election; without one, a {@code master:} of the user's own
     *     is taken away
     */
    public LeaderRoutes(CamelContext context, boolean elects) {
        this.context = context;
        this.elects = elects;
    }

    @Override
    public void onAddRouteDefinition(RouteDefinition route) {
        FromDefinition from = route.getInput();
        if (from == null || from.getUri() == null) {
            return;
        }
        String uri = context.resolvePropertyPlaceholders(from.getUri());
        if (elects && uri.startsWith(QUARTZ)) {
            from.setUri(MASTER + "volume-snapshotter:" + from.getUri());
        } else if (!elects && uri.startsWith(MASTER)) {
            from.setUri(withoutMaster(uri));
        }
    }

    /** What a {@code master:<lock>:} stands before; any other URI as it is. */
    static String withoutMaster(String uri) {
        return uri.startsWith(MASTER) ? uri.replaceFirst("^master:[^:]*:", "") : uri;
    }
}
