package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Keep;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;
import org.apache.camel.util.StringHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The step {@code policy:<schedule>} of a schedule's route: it holds the schedule's settings, which
 * are checked when the route is loaded, and hands them on. A setting that is left out is taken from
 * the program's settings.
 */
public final class PolicyComponent extends DefaultComponent {

    private static final String SCHEME = "policy:";

    private static final List<Set<String>> INHERITED_TOGETHER =
            List.of(
                    ClaimSelection.WHICH,
                    ClaimSelection.WHERE,
                    Set.of("snapshot-class-name", "snapshot-class-by-driver"),
                    Keep.RULES);

    /** How long a route may be gone, while it is exchanged, and still be the same schedule. */
    private static final Duration EXCHANGE = Duration.ofSeconds(5);

    private final InstantSource clock;
    private final Set<String> suspended = ConcurrentHashMap.newKeySet();
    private final Map<String, Instant> missingSince = new ConcurrentHashMap<>();

    private static final Logger LOG = LoggerFactory.getLogger(PolicyComponent.class);

    public PolicyComponent(InstantSource clock) {
        this.clock = clock;
    }

    @Override
    protected Endpoint createEndpoint(String uri, String name, Map<String, Object> parameters) {
        Schedule schedule = schedule(name, parameters);
        Map<String, String> settings = new TreeMap<>();
        for (String setting : Policy.SETTINGS) {
            value(own(parameters), setting)
                    .filter(value -> !value.isEmpty())
                    .ifPresent(value -> settings.put(setting, value));
        }
        parameters.clear();
        return new PolicyEndpoint(uri, this, schedule, settings);
    }

    /**
     * The schedule that an endpoint of this component would describe; the context does not get it.
     *
     * @param uri the endpoint's URI
     */
    public static Schedule scheduleAt(CamelContext context, String uri) {
        PolicyComponent component = context.getComponent("policy", PolicyComponent.class);
        try {
            return ((PolicyEndpoint) component.createEndpoint(uri)).schedule;
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The schedules among the routes of a context, started or not. */
    public static List<Schedule> schedules(CamelContext context) {
        return ((ModelCamelContext) context)
                .getRouteDefinitions().stream()
                        .flatMap(
                                route ->
                                        ProcessorDefinitionHelper.filterTypeInOutputs(
                                                route.getOutputs(), ToDefinition.class)
                                                .stream())
                        .map(step -> context.resolvePropertyPlaceholders(step.getUri()))
                        .filter(uri -> uri.startsWith(SCHEME))
                        .map(uri -> scheduleAt(context, uri))
                        .toList();
    }

    /** Camel hands over keep-last as keepLast. */
    private static Map<String, Object> own(Map<String, Object> parameters) {
        Map<String, Object> own = new TreeMap<>();
        parameters.forEach((key, value) -> own.put(StringHelper.camelCaseToDash(key), value));
        return own;
    }

    private Schedule schedule(String name, Map<String, Object> parameters) {
        String place = "policy:" + name + ": ";
        if (!SnapshotNames.isSchedule(name)) {
            throw new InvalidSettingException(
                    "policy",
                    name,
                    "a schedule's name has lower case letters, digits and '-', at most "
                            + SnapshotNames.MAX_SCHEDULE
                            + " characters");
        }
        Map<String, Object> own = own(parameters);
        for (String setting : own.keySet()) {
            if (!Policy.SETTINGS.contains(setting)) {
                throw new InvalidSettingException(
                        place + setting,
                        String.valueOf(own.get(setting)),
                        "there is no such setting; there are "
                                + String.join(", ", new TreeSet<>(Policy.SETTINGS)));
            }
        }
        Policy policy =
                Policy.of(
                        new Settings(
                                setting ->
                                        (own.containsKey(setting) ? place : Settings.PREFIX)
                                                + setting,
                                setting -> value(own, setting)));
        return new Schedule(name, policy);
    }

    /** What the schedule of a route does, if the route is one. */
    public static Optional<Policy> policyOf(CamelContext context, String routeId) {
        return scheduleOf(context, routeId).map(Schedule::policy);
    }

    /** The schedule that a route is, if it is one. */
    public static Optional<Schedule> scheduleOf(CamelContext context, String routeId) {
        return endpointOf(context, routeId).map(endpoint -> endpoint.schedule);
    }

    /** A schedule's settings as they are in force, but for those that are empty. */
    public static Map<String, String> settingsOf(CamelContext context, String routeId) {
        return endpointOf(context, routeId).map(endpoint -> endpoint.settings).orElse(Map.of());
    }

    private static Optional<PolicyEndpoint> endpointOf(CamelContext context, String routeId) {
        Route route = context.getRoute(routeId);
        return (route == null ? Set.<Endpoint>of() : RouteParts.endpoints(route))
                .stream()
                        .filter(PolicyEndpoint.class::isInstance)
                        .map(PolicyEndpoint.class::cast)
                        .filter(endpoint -> endpoint.schedule.name().equals(routeId))
                        .findAny();
    }

    /**
     * Lets a schedule do nothing, or work again, until the program ends. The fires come all the
     * same, so there is none to be made up but the last one.
     */
    public void suspend(String schedule, boolean suspend) {
        if (suspend) {
            suspended.add(schedule);
        } else {
            suspended.remove(schedule);
        }
    }

    /**
     * Whether a schedule, by its name, is to do nothing any more: it is suspended, its route is
     * stopped, or it is gone. While its route is being exchanged it is still there.
     */
    public boolean isStopped(String schedule) {
        Route route = getCamelContext().getRoute(schedule);
        if (route == null) {
            Instant now = clock.instant();
            Instant since = missingSince.computeIfAbsent(schedule, any -> now);
            return since.plus(EXCHANGE).isBefore(now) || now.isBefore(since);
        }
        missingSince.remove(schedule);
        Optional<Schedule> present = scheduleOf(getCamelContext(), schedule);
        ServiceStatus status = getCamelContext().getRouteController().getRouteStatus(schedule);
        return present.filter(this::isSuspended).isPresent()
                || status != null && status.isStopped() && !getCamelContext().isStopping();
    }

    /** Whether a schedule does nothing, by its settings or because it was told so. */
    public boolean isSuspended(Schedule schedule) {
        return schedule.policy().suspend() || suspended.contains(schedule.name());
    }

    /**
     * A schedule that selects claims in its own way, has classes or keep rules, inherits no other
     * of these. Classes by driver are not for claims that it names.
     */
    private Optional<String> value(Map<String, Object> own, String setting) {
        if (own.containsKey(setting)) {
            return Optional.of(String.valueOf(own.get(setting)));
        }
        boolean namesClaims = own.containsKey("claims") && !Settings.ALL.equals(own.get("claims"));
        boolean replaced =
                namesClaims && setting.equals("snapshot-class-by-driver")
                        || INHERITED_TOGETHER.stream()
                                .filter(group -> group.contains(setting))
                                .anyMatch(group -> own.keySet().stream().anyMatch(group::contains));
        return replaced
                ? Optional.empty()
                : getCamelContext()
                        .getPropertiesComponent()
                        .resolveProperty(Settings.PREFIX + setting);
    }

    private static final class PolicyEndpoint extends DefaultEndpoint {

        private final PolicyComponent component;
        private final Schedule schedule;
        private final Map<String, String> settings;

        PolicyEndpoint(
                String uri,
                PolicyComponent component,
                Schedule schedule,
                Map<String, String> settings) {
            super(uri, component);
            this.component = component;
            this.schedule = schedule;
            this.settings = settings;
        }

        @Override
        public Producer createProducer() {
            return new DefaultProducer(this) {
                @Override
                public void process(Exchange exchange) {
                    exchange.setVariable(Schedule.VARIABLE, schedule);
                    if (component.isSuspended(schedule)) {
                        LogKeys.schedule(schedule.name());
                        LOG.info("{}: suspended, nothing is taken or pruned", schedule.name());
                        exchange.setRouteStop(true);
                    }
                }
            };
        }

        @Override
        public Consumer createConsumer(Processor processor) {
            throw new IllegalStateException("policy: is a step, not the start of a route");
        }
    }
}
