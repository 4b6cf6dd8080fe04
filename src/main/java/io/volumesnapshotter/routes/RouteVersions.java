package io.volumesnapshotter.routes;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.component.direct.DirectComponent;
import org.apache.camel.component.direct.DirectConsumer;
import org.apache.camel.component.direct.DirectConsumerNotAvailableException;
import org.apache.camel.component.direct.DirectEndpoint;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.RoutePolicySupport;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Lets an exchange end on the routes that were in force when it started, whichever are loaded
 * meanwhile. Each reload makes a version of the whole; an exchange is marked with the version in
 * which it started, and {@code direct:} leads it to the route of that version.
 */
final class RouteVersions extends RoutePolicySupport implements RoutePolicyFactory {

    private static final String PROPERTY = "routesVersion";

    private final Map<Route, Life> lives = new ConcurrentHashMap<>();
    private final Map<Long, Integer> inFlight = new TreeMap<>();
    private long current = 1;
    private long loading = 1;

    /** Versions in which a route is in force: from the first, and before the second. */
    private record Life(long since, long until) {}

    @Override
    public RoutePolicy createRoutePolicy(CamelContext context, String id, NamedNode definition) {
        return this;
    }

    @Override
    public synchronized void onInit(Route route) {
        lives.put(route, new Life(loading, Long.MAX_VALUE));
    }

    /** Routes that are loaded or retired from now on are so for the next version. */
    synchronized void begin() {
        loading = current + 1;
    }

    /** Puts the next version in force for all exchanges that start from now on. */
    synchronized void commit() {
        current = loading;
    }

    /** Marks a route as in force for the last time. */
    synchronized void retire(Route route) {
        lives.computeIfPresent(route, (same, life) -> new Life(life.since, loading));
    }

    /** Takes back that a route was retired. */
    synchronized void restore(Route route) {
        lives.computeIfPresent(route, (same, life) -> new Life(life.since, Long.MAX_VALUE));
    }

    void forget(Route route) {
        lives.remove(route);
    }

    /** Whether no exchange goes on that may come to a route that was retired. */
    synchronized boolean isDone(Route route) {
        long until = lives.get(route).until;
        return inFlight.keySet().stream().noneMatch(version -> version < until);
    }

    @Override
    public synchronized void onExchangeBegin(Route route, Exchange exchange) {
        Life life = lives.get(route);
        if (life == null || exchange.getProperty(PROPERTY) != null) {
            return;
        }
        long version = Math.min(Math.max(current, life.since), life.until - 1);
        exchange.setProperty(PROPERTY, version);
        inFlight.merge(version, 1, Integer::sum);
        exchange.getExchangeExtension()
                .addOnCompletion(
                        new SynchronizationAdapter() {
                            @Override
                            public void onDone(Exchange done) {
                                end(version);
                            }
                        });
    }

    private synchronized void end(long version) {
        inFlight.computeIfPresent(version, (same, count) -> count == 1 ? null : count - 1);
    }

    private synchronized long versionOf(Exchange exchange) {
        return exchange.getProperty(PROPERTY, current, Long.class);
    }

    /** The component {@code direct}, with one route for each version. */
    DirectComponent direct() {
        return new VersionedDirect();
    }

    private final class VersionedDirect extends DirectComponent {

        private final Map<String, Entrance> entrances = new ConcurrentHashMap<>();

        @Override
        public synchronized void addConsumer(String key, DirectConsumer consumer) {
            Entrance entrance =
                    entrances.computeIfAbsent(
                            key, any -> new Entrance(consumer.getEndpoint(), key));
            entrance.routes.add(consumer);
            if (entrance.routes.size() == 1) {
                super.addConsumer(key, entrance.shared);
            }
        }

        @Override
        public synchronized void removeConsumer(String key, DirectConsumer consumer) {
            Entrance entrance = entrances.get(key);
            if (entrance != null && entrance.routes.remove(consumer) && entrance.routes.isEmpty()) {
                entrances.remove(key);
                super.removeConsumer(key, entrance.shared);
            }
        }
    }

    /** Where all versions of a route are entered. */
    private final class Entrance extends AsyncProcessorSupport {

        /** The oldest first. */
        private final List<DirectConsumer> routes = new CopyOnWriteArrayList<>();

        private final DirectEndpoint endpoint;
        private final DirectConsumer shared;

        Entrance(DirectEndpoint endpoint, String key) {
            this.endpoint = endpoint;
            this.shared = new DirectConsumer(endpoint, this, key);
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            DirectConsumer route = routeOf(versionOf(exchange));
            if (route == null) {
                exchange.setException(
                        new DirectConsumerNotAvailableException(
                                "No route starts at " + endpoint, exchange));
                callback.done(true);
                return true;
            }
            return route.getAsyncProcessor().process(exchange, callback);
        }

        /**
         * One whose version is gone, because nothing waited for it, gets the oldest that is left.
         */
        private DirectConsumer routeOf(long version) {
            DirectConsumer latest = routes.get(0);
            for (DirectConsumer route : routes) {
                if (lives.get(route.getRoute()).since <= version) {
                    latest = route;
                }
            }
            return lives.get(latest.getRoute()).until > version ? latest : null;
        }
    }
}
