package io.volumesnapshotter.routes;

import io.volumesnapshotter.schedule.RouteParts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.Service;
import org.apache.camel.component.direct.DirectEndpoint;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.component.quartz.QuartzEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.impl.engine.RouteService;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.OnCompletionDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteDefinitionHelper;
import org.apache.camel.processor.aggregate.AggregateProcessor;
import org.apache.camel.spi.ExchangeFactoryManager;
import org.apache.camel.spi.LifecycleStrategy;
import org.apache.camel.spi.Resource;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RouteStartupOrder;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.service.ServiceHelper;
import org.quartz.CronTrigger;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;

/**
 * A Camel context in which a route can make room for another of the same id at once, while the
 * exchanges in it go on. Camel's own ways of stopping a route wait for these, or abort them.
 *
 * <p>It is longer than other classes: retiring, restoring and disposing of a route undo each other
 * step by step, on what only a subclass of the context gets at, and have to be read side by side.
 */
public final class ReloadableContext extends DefaultCamelContext {

    private final List<Retired> retired = new ArrayList<>();

    private final RouteVersions versions = new RouteVersions();
    private final Set<Retired> done = new HashSet<>();

    /** Since when no exchange comes to a route that was retired, by the monotonic clock. */
    private final Map<Route, Long> quietSince = new IdentityHashMap<>();

    /** Routes of which what was collected is being sent on. */
    private final Set<Route> completing = ConcurrentHashMap.newKeySet();

    /** A route that starts no exchange any more. */
    private record Retired(
            Route route,
            RouteService service,
            RouteDefinition definition,
            RouteStartupOrder order) {}

    ReloadableContext() {
        super(false);
    }

    /**
     * Camel's main program with a context of this kind, which does nothing of its own about
     * signals: told to leave them alone, Camel's shutdown strategy adds a hook each time it waits,
     * and these stop the program side by side.
     */
    public static Main main() {
        Main main =
                new Main() {
                    @Override
                    protected CamelContext createCamelContext() {
                        ReloadableContext context = new ReloadableContext();
                        context.getCamelContextExtension().setRegistry(registry);
                        return context;
                    }
                };
        main.setShutdownStrategy(new SimpleMainShutdownStrategy());
        return main;
    }

    /** Makes routes that are added from now on ones that can be swapped. */
    public void versionRoutes() {
        addComponent("direct", versions.direct());
        addRoutePolicyFactory(versions);
        addModelLifecycleStrategy(new OwnErrorHandling());
    }

    /**
     * Gives each route error handling of its own, a copy of what is there for all. Else JMX does
     * not find out to which route its steps belong, and keeps them when the route goes, and with
     * them all of the route.
     */
    private static final class OwnErrorHandling extends ModelLifecycleStrategySupport {

        @Override
        public void onAddRouteDefinition(RouteDefinition route) {
            route.getOutputs().replaceAll(part -> isShared(part) ? copy(part, route) : part);
        }

        private static boolean isShared(ProcessorDefinition<?> part) {
            return part.getParent() == null;
        }

        private static ProcessorDefinition<?> copy(
                ProcessorDefinition<?> shared, RouteDefinition route) {
            ProcessorDefinition<?> own = shared.copyDefinition();
            // These two take a route for their parent only while they are of this route alone.
            if (own instanceof OnExceptionDefinition handling) {
                handling.setRouteScoped(true);
                handling.setParent(route);
                handling.setRouteScoped(false);
            } else if (own instanceof OnCompletionDefinition handling) {
                handling.setRouteScoped(true);
                handling.setParent(route);
                handling.setRouteScoped(false);
            } else {
                own.setParent(route);
            }
            RouteDefinitionHelper.initParent(own);
            return own;
        }
    }

    /**
     * Puts routes in the place of others. A fire that comes due before {@link Swap#commit} or
     * {@link Swap#undo} comes right afterwards.
     *
     * @param ids the routes that go
     * @param configurations whether all that applies to all routes goes, too
     */
    Swap swap(List<String> ids, boolean configurations) throws SchedulerException {
        return new Swap(ids, configurations);
    }

    /** A swap in progress. */
    final class Swap {

        private final List<Retired> old = new ArrayList<>();
        private final List<RouteConfigurationDefinition> configurations;
        private final Set<String> kept;
        private final Scheduler scheduler;
        private final List<CronTrigger> triggers = new ArrayList<>();

        private Swap(List<String> ids, boolean configurations) throws SchedulerException {
            this.configurations = List.copyOf(getRouteConfigurationDefinitions());
            versions.begin();
            scheduler = quartz();
            if (scheduler != null) {
                scheduler.standby();
            }
            try {
                for (String id : ids) {
                    if (getRoute(id) == null) {
                        // Its precondition keeps it out, or someone removed it.
                        continue;
                    }
                    noteTrigger(getRoute(id).getEndpoint());
                    old.add(retire(id));
                }
            } catch (SchedulerException | RuntimeException e) {
                restoreAll();
                throw e;
            }
            kept = Set.copyOf(getRouteServices().keySet());
            if (configurations) {
                getRouteConfigurationDefinitions().clear();
            }
        }

        /** Adds and starts what is in a file. */
        void load(Resource resource) throws Exception {
            PluginHelper.getRoutesLoader(ReloadableContext.this).loadRoutes(resource);
        }

        /** Puts the new routes in force. */
        void commit() throws SchedulerException {
            versions.commit();
            resumeTriggers();
        }

        /** Makes everything as it was before. */
        void undo() throws SchedulerException {
            List.copyOf(getRouteServices().keySet()).stream()
                    .filter(id -> !kept.contains(id))
                    .forEach(id -> dispose(retire(id)));
            getRouteDefinitions().removeIf(route -> !kept.contains(route.getRouteId()));
            getRouteConfigurationDefinitions().clear();
            getRouteConfigurationDefinitions().addAll(configurations);
            restoreAll();
        }

        private void restoreAll() throws SchedulerException {
            try {
                old.forEach(ReloadableContext.this::restore);
            } finally {
                resumeTriggers();
            }
        }

        private void noteTrigger(Endpoint start) throws SchedulerException {
            if (start instanceof QuartzEndpoint trigger
                    && scheduler.getTrigger(trigger.getTriggerKey()) instanceof CronTrigger cron) {
                triggers.add(cron);
            }
        }

        /** A trigger that is the same goes on where it was, so that no fire is lost or doubled. */
        private void resumeTriggers() throws SchedulerException {
            try {
                for (CronTrigger before : triggers) {
                    if (scheduler.getTrigger(before.getKey()) instanceof CronTrigger now
                            && now.getCronExpression().equals(before.getCronExpression())
                            && now.getTimeZone().equals(before.getTimeZone())
                            && before.getNextFireTime() != null) {
                        scheduler.rescheduleJob(
                                now.getKey(),
                                now.getTriggerBuilder().startAt(before.getNextFireTime()).build());
                    }
                }
            } finally {
                if (scheduler != null) {
                    scheduler.start();
                }
            }
        }
    }

    private Scheduler quartz() {
        return hasComponent("quartz") instanceof QuartzComponent quartz
                ? quartz.getScheduler()
                : null;
    }

    /** How many routes that were exchanged are still there, because exchanges go on in them. */
    public int retired() {
        synchronized (retired) {
            return retired.size();
        }
    }

    /** Ends what retired routes have in which no exchange goes on any more since the last call. */
    void disposeDone() {
        List<Retired> now =
                retired.stream()
                        .filter(old -> versions.isDone(old.route()))
                        .filter(old -> hasHandedOn(old.route()))
                        .toList();
        now.stream().filter(done::contains).forEach(this::dispose);
        done.clear();
        done.addAll(now);
    }

    /**
     * Whether a route holds nothing back any more. What its aggregators have collected is completed
     * on the way, elsewhere: where it is sent to may take its time. Resequencers send what they
     * have when their own time is over, and cannot be asked, so they are left that time.
     */
    private boolean hasHandedOn(Route route) {
        long now = System.nanoTime();
        long quiet = now - quietSince.computeIfAbsent(route, any -> now);
        if (quiet < Resequencers.longestHold(RouteParts.services(route)).toNanos()) {
            return false;
        }
        List<AggregateProcessor> aggregators =
                RouteParts.services(route).stream()
                        .filter(AggregateProcessor.class::isInstance)
                        .map(AggregateProcessor.class::cast)
                        .toList();
        boolean collected =
                aggregators.stream()
                        .anyMatch(any -> !any.getAggregationRepository().getKeys().isEmpty());
        if (collected && completing.add(route)) {
            getExecutorServiceManager()
                    .newThread(
                            "complete " + route.getId(),
                            () -> {
                                aggregators.forEach(AggregateProcessor::forceCompletionOfAllGroups);
                                completing.remove(route);
                            })
                    .start();
        }
        return !collected
                && !completing.contains(route)
                && aggregators.stream().allMatch(any -> any.getInProgressCompleteExchanges() == 0);
    }

    /**
     * Stops what starts a route, and takes it out of the context. What it does goes on until {@link
     * #dispose}; a {@code direct:} entrance stays, because exchanges in other routes may need it.
     */
    private Retired retire(String id) {
        RouteService service = getRouteServices().get(id);
        Route route = service.getRoute();
        if (route.getEndpoint() instanceof QuartzEndpoint trigger) {
            // Its consumer stays, so that a fire that is on its way still comes to a route.
            ServiceHelper.stopService(trigger);
        } else if (!(route.getEndpoint() instanceof DirectEndpoint)) {
            ServiceHelper.stopService(route.getConsumer(), route.getEndpoint());
        }
        RouteStartupOrder order = null;
        for (RouteStartupOrder other : getCamelContextExtension().getRouteStartupOrder()) {
            order = other.getRoute() == route ? other : order;
        }
        Retired old = new Retired(route, service, getRouteDefinition(id), order);
        for (LifecycleStrategy strategy : getLifecycleStrategies()) {
            RouteParts.services(route)
                    .forEach(part -> strategy.onServiceRemove(this, part, route, true));
            strategy.onRoutesRemove(List.of(route));
        }
        getRouteServices().remove(id);
        getCamelContextExtension().getRouteStartupOrder().remove(order);
        getCamelContextExtension().removeRoute(route);
        getRouteDefinitions().remove(old.definition());
        retired.add(old);
        versions.retire(route);
        return old;
    }

    /** Takes back that a route was retired. */
    private void restore(Retired old) {
        Route route = old.route();
        retired.remove(old);
        versions.restore(route);
        getRouteDefinitions().add(old.definition());
        getRouteServices().put(route.getId(), old.service());
        getCamelContextExtension().getRouteStartupOrder().add(old.order());
        for (LifecycleStrategy strategy : getLifecycleStrategies()) {
            strategy.onRoutesAdd(List.of(route));
            RouteParts.services(route).forEach(part -> strategy.onServiceAdd(this, part, route));
        }
        getCamelContextExtension().addRoute(route);
        if (route.getEndpoint() instanceof QuartzEndpoint) {
            ServiceHelper.stopService(route.getConsumer());
        }
        ServiceHelper.startService(route.getEndpoint(), route.getConsumer());
    }

    /** Ends what a retired route has, such as threads, when no exchange goes on in it. */
    private void dispose(Retired old) {
        Route route = old.route();
        retired.remove(old);
        // Endpoints of the same URI are equal, though they are several.
        Set<Endpoint> inUse = Collections.newSetFromMap(new IdentityHashMap<>());
        getRoutes().forEach(other -> inUse.addAll(RouteParts.endpoints(other)));
        retired.forEach(other -> inUse.addAll(RouteParts.endpoints(other.route())));
        Set<Endpoint> own = RouteParts.endpoints(route);
        Set<Service> parts = RouteParts.services(route);
        if (route.getEndpoint() instanceof QuartzEndpoint && inUse.contains(route.getEndpoint())) {
            // It would stop the trigger of the route that has its place.
            parts.remove(route.getConsumer());
        }
        parts.forEach(ServiceHelper::stopAndShutdownService);
        ServiceHelper.stopAndShutdownServices(route);
        own.stream().filter(endpoint -> !inUse.contains(endpoint)).forEach(this::removeEndpoint);
        if (getRoute(route.getId()) == null) {
            getInflightRepository().removeRoute(route.getId());
        }
        disposePolicies(route);
        ExchangeFactoryManager factories = getCamelContextExtension().getExchangeFactoryManager();
        factories.getExchangeFactories().stream()
                .filter(factory -> factory.getConsumer() == route.getConsumer())
                .toList()
                .forEach(factories::removeExchangeFactory);
        versions.forget(route);
        quietSince.remove(route);
    }

    /** Each route has policies of its own, such as the one that counts for its metrics. */
    private void disposePolicies(Route route) {
        Set<RoutePolicy> inUse = new HashSet<>();
        getRoutes().forEach(other -> inUse.addAll(other.getRoutePolicyList()));
        retired.forEach(other -> inUse.addAll(other.route().getRoutePolicyList()));
        inUse.add(versions);
        for (RoutePolicy policy : route.getRoutePolicyList()) {
            if (inUse.contains(policy)) {
                continue;
            }
            if (getRoute(route.getId()) == null) {
                // It takes the metrics away that the route that has its place would count on.
                policy.onRemove(route);
            }
            try {
                removeService(policy);
            } catch (Exception e) {
                throw RuntimeCamelException.wrapRuntimeCamelException(e);
            }
        }
    }

    /** Does something that must not coincide with the stop; after that it does nothing. */
    boolean whileRunning(Callable<Boolean> action) throws Exception {
        synchronized (retired) {
            return isStarted() && action.call();
        }
    }

    @Override
    protected void doStop() throws Exception {
        // So that they are waited for and stopped like all others.
        synchronized (retired) {
            retired.forEach(
                    old -> getCamelContextExtension().getRouteStartupOrder().add(old.order()));
        }
        super.doStop();
    }
}
