package io.volumesnapshotter.schedule;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.camel.Channel;
import org.apache.camel.DelegateEndpoint;
import org.apache.camel.Endpoint;
import org.apache.camel.EndpointAware;
import org.apache.camel.Route;
import org.apache.camel.Service;
import org.apache.camel.support.service.ServiceHelper;

/** Finds what a route is made of. */
public final class RouteParts {

    private RouteParts() {}

    /** The endpoints that a route starts at or sends to. */
    public static Set<Endpoint> endpoints(Route route) {
        Set<Endpoint> all = Collections.newSetFromMap(new IdentityHashMap<>());
        all.add(route.getEndpoint());
        for (Service part : services(route)) {
            if (part instanceof EndpointAware aware && aware.getEndpoint() != null) {
                all.add(aware.getEndpoint());
            }
        }
        for (Endpoint endpoint : List.copyOf(all)) {
            if (endpoint instanceof DelegateEndpoint delegating) {
                all.add(delegating.getEndpoint());
            }
        }
        return all;
    }

    /** The services of a route, with those inside of others and those of its error handling. */
    public static Set<Service> services(Route route) {
        List<Object> roots = new ArrayList<>(route.getServices());
        roots.addAll(route.getOnExceptions());
        roots.addAll(route.getOnCompletions());
        Set<Service> all = new LinkedHashSet<>();
        for (Object root : roots) {
            if (root instanceof Service service) {
                all.addAll(ServiceHelper.getChildServices(service));
            }
        }
        for (Service part : List.copyOf(all)) {
            if (part instanceof Channel channel
                    && channel.getErrorHandler() instanceof Service handler) {
                all.add(handler);
            }
        }
        return all;
    }
}
