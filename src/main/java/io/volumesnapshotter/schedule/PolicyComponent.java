package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.DrillSettings;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Setting;
import io.volumesnapshotter.settings.SettingNames;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.Route;
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
 * The step {@code policy:<schedule>} of a schedule's route, or {@code drill:<schedule>} of one that
 * drills: it holds the schedule's settings, which are checked when the route is loaded, and hands
 * them on. A setting that is left out is taken from the program's settings.
 */
public final class PolicyComponent extends DefaultComponent {

    private final Kind kind;
    private final ScheduleRegistry registry;

    private static final Logger LOG = LoggerFactory.getLogger(PolicyComponent.class);

    /** What a step makes of its route. */
    public enum Kind {
        /** A schedule that takes snapshots and prunes, or only prunes. */
        POLICY(ScheduleSettings.all(), ScheduleSettings.names(), Policy::of),
        /** A schedule that drills. */
        DRILL(DrillSettings.all(), DrillSettings.inherited(), Policy::ofDrill);

        private final List<Setting<?>> settings;
        private final Set<String> inherited;
        private final Function<Settings, Policy> reader;

        Kind(List<Setting<?>> settings, Set<String> inherited, Function<Settings, Policy> reader) {
            this.settings = settings;
            this.inherited = inherited;
            this.reader = reader;
        }

        /** The name of its component. */
        public String scheme() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** What its steps' addresses begin with. */
        public String prefix() {
            return scheme() + ":";
        }

        /** The kind of the step with an address, if it is a schedule's. */
        public static Optional<Kind> of(String uri) {
            return Stream.of(values()).filter(kind -> uri.startsWith(kind.prefix())).findAny();
        }

        private Set<String> names() {
            return settings.stream().map(Setting::name).collect(Collectors.toSet());
        }

        /** What a setting is that is not inherited, or that only another kind has. */
        private String builtIn(String name) {
            return Stream.concat(settings.stream(), ScheduleSettings.all().stream())
                    .filter(setting -> setting.name().equals(name))
                    .map(Setting::value)
                    .findFirst()
                    .orElse("");
        }
    }

    /**
     * @param kind of which kind the schedules are
     * @param registry tells which schedules are suspended
     */
    public PolicyComponent(Kind kind, ScheduleRegistry registry) {
        this.kind = kind;
        this.registry = registry;
    }

    /** The schedules that are there. */
    public ScheduleRegistry registry() {
        return registry;
    }

    @Override
    protected Endpoint createEndpoint(String uri, String name, Map<String, Object> parameters) {
        Schedule schedule = schedule(name, parameters);
        Map<String, String> settings = new TreeMap<>();
        for (Setting<?> setting : kind.settings) {
            value(own(parameters), setting.name())
                    .filter(value -> !value.isEmpty())
                    .ifPresent(value -> settings.put(setting.name(), value));
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
        PolicyComponent component =
                context.getComponent(
                        Kind.of(uri).orElse(Kind.POLICY).scheme(), PolicyComponent.class);
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
                        .filter(uri -> Kind.of(uri).isPresent())
                        .map(uri -> scheduleAt(context, uri))
                        .toList();
    }

    /** Camel hands over keep-last as keepLast. */
    private static Map<String, Object> own(Map<String, Object> parameters) {
        Map<String, Object> own = new TreeMap<>();
        parameters.forEach((key, value) -> own.put(StringHelper.camelCaseToDash(key), value));
        return own;
    }

    /**
     * A schedule by settings of its own, with the program's for the rest, as a step would describe
     * it; the context does not get it.
     *
     * @throws InvalidSettingException when one of them is wrong
     */
    public Schedule describe(String name, Map<String, String> settings) {
        return schedule(name, new TreeMap<>(settings));
    }

    private Schedule schedule(String name, Map<String, Object> parameters) {
        String place = kind.prefix() + name + ": ";
        if (!SnapshotNames.isSchedule(name)) {
            throw new InvalidSettingException(
                    kind.scheme(),
                    name,
                    "a schedule's name has lower case letters, digits and '-', at most "
                            + SnapshotNames.MAX_SCHEDULE
                            + " characters");
        }
        Map<String, Object> own = own(parameters);
        for (String setting : own.keySet()) {
            if (!kind.names().contains(setting)) {
                throw SettingNames.unknown(
                        place + setting, String.valueOf(own.get(setting)), setting, kind.names());
            }
        }
        Policy policy =
                kind.reader.apply(
                        new Settings(
                                setting ->
                                        (own.containsKey(setting)
                                                                || !kind.inherited.contains(setting)
                                                        ? place
                                                        : Settings.PREFIX)
                                                + setting,
                                setting -> value(own, setting)));
        return new Schedule(name, policy);
    }

    /** The schedule of a route, by its id, if it is one. */
    public static Optional<Schedule> scheduleOf(CamelContext context, String routeId) {
        return Optional.ofNullable(context.getRoute(routeId)).flatMap(PolicyComponent::scheduleOf);
    }

    /** The schedule that a route is, if it is one. */
    public static Optional<Schedule> scheduleOf(Route route) {
        return endpointOf(route).map(endpoint -> endpoint.schedule);
    }

    /** The settings of a route's schedule as they are in force, but for those that are empty. */
    public static Map<String, String> settingsOf(Route route) {
        return endpointOf(route).map(endpoint -> endpoint.settings).orElse(Map.of());
    }

    private static Optional<PolicyEndpoint> endpointOf(Route route) {
        return RouteParts.endpoints(route).stream()
                .filter(PolicyEndpoint.class::isInstance)
                .map(PolicyEndpoint.class::cast)
                .filter(endpoint -> endpoint.schedule.name().equals(route.getRouteId()))
                .findAny();
    }

    /**
     * A schedule that selects claims in its own way, has classes or keep rules, inherits no other
     * of these. Classes by driver are not for claims that it names.
     */
    private Optional<String> value(Map<String, Object> own, String setting) {
        if (own.containsKey(setting)) {
            return Optional.of(String.valueOf(own.get(setting)));
        }
        if (!kind.inherited.contains(setting)) {
            return Optional.of(kind.builtIn(setting));
        }
        boolean namesClaims =
                own.containsKey(ScheduleSettings.CLAIMS.name())
                        && !String.valueOf(own.get(ScheduleSettings.CLAIMS.name()))
                                .matches(".*[*?!].*");
        boolean replaced =
                namesClaims && setting.equals(ScheduleSettings.SNAPSHOT_CLASS_BY_DRIVER.name())
                        || own.keySet().stream()
                                .anyMatch(other -> ScheduleSettings.exclude(other, setting));
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
                    if (component.registry.isSuspended(schedule)) {
                        LogKeys.schedule(schedule.name());
                        LOG.info("{}: suspended, nothing is taken or pruned", schedule.name());
                        exchange.setRouteStop(true);
                    }
                }
            };
        }

        @Override
        public Consumer createConsumer(Processor processor) {
            throw new IllegalStateException(
                    component.kind.prefix() + " is a step, not the start of a route");
        }
    }
}
