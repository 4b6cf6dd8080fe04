package io.volumesnapshotter.routes;

import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.Endpoint;
import org.apache.camel.NoSuchBeanException;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.component.bean.MethodNotFoundException;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.component.quartz.QuartzEndpoint;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.model.ToDynamicDefinition;
import org.apache.camel.spi.Language;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.EndpointHelper;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.support.service.ServiceHelper;
import org.apache.camel.util.URISupport;

/**
 * The routes of a set of files, each checked by itself and all of them together, before any is
 * used.
 */
final class RouteSet {

    private static final String DIRECT = "direct:";
    private static final String POLICY = "policy:";
    private static final String TRIGGER = "trigger.";

    /** Quartz passes over others, such as {@code timezone}, in silence. */
    private static final List<String> TRIGGER_OPTIONS =
            List.of(
                    "calendarName",
                    "description",
                    "endAt",
                    "misfireInstruction",
                    "priority",
                    "repeatCount",
                    "repeatInterval",
                    "startAt",
                    "timeZone");

    private final Map<Path, InvalidSettingException> wrong = new LinkedHashMap<>();
    private final Map<Path, InvalidSettingException> lacking = new LinkedHashMap<>();
    private final Set<String> entrances = new TreeSet<>();
    private final Map<String, Path> files = new TreeMap<>();
    private final Map<String, Path> targets = new TreeMap<>();
    private final Set<Path> configuring = new HashSet<>();
    private boolean handlesErrors;
    private final Set<Path> triggered = new HashSet<>();
    private final Set<String> schedules = new TreeSet<>();
    private final Set<Path> planning = new HashSet<>();
    private final List<RouteDefinition> routes = new ArrayList<>();
    private final List<RouteConfigurationDefinition> configurations = new ArrayList<>();

    /** Where in a file the check is. */
    private int line;

    private RouteSet() {}

    /**
     * Checks files. Of two that cannot be together the later one is wrong.
     *
     * @param directory where they are from, for a message
     * @param contents the files' texts
     * @param former the schedules that run now; none of them may cease to be one unless its route
     *     goes
     */
    static RouteSet of(
            CamelContext context, Path directory, Map<Path, String> contents, Set<String> former) {
        RouteSet set = new RouteSet();
        contents.forEach((file, text) -> set.add(context, file, text));
        set.checkShared(directory);
        set.checkTargets(contents);
        set.checkFlow(context, directory, former);
        return set;
    }

    private void checkShared(Path directory) {
        if (!handlesErrors) {
            lacking.put(
                    directory,
                    new InvalidSettingException(
                            "snapshotter.routes",
                            directory.toString(),
                            "no file has a routeConfiguration without an id, which alone applies to"
                                    + " all routes, so failures would be lost; take the id away, or"
                                    + " copy the program's error-handling.camel.yaml there"));
        }
    }

    private void checkTargets(Map<Path, String> contents) {
        // A route that is not there may be in a file that is wrong.
        boolean complete = planning.containsAll(wrong.keySet());
        targets.forEach(
                (target, file) -> {
                    if (!entrances.contains(target)) {
                        (complete ? faults(file) : lacking)
                                .putIfAbsent(
                                        file,
                                        new RouteText(contents.get(file))
                                                .locate(
                                                        file,
                                                        new InvalidSettingException(
                                                                "uri",
                                                                target,
                                                                "no route starts there; there are "
                                                                        + String.join(
                                                                                ", ", entrances)),
                                                        0));
                    }
                });
    }

    /** Sees that what runs takes snapshots. */
    private void checkFlow(CamelContext context, Path directory, Set<String> former) {
        for (String id : former) {
            if (files.containsKey(id) && !schedules.contains(id)) {
                Path file = files.get(id);
                faults(file)
                        .putIfAbsent(
                                file,
                                new InvalidSettingException(
                                                "route",
                                                id,
                                                "it was a schedule and is none any more: put back"
                                                        + " its trigger and its step policy:"
                                                        + id
                                                        + ", or take its route away to end it")
                                        .at(file, lineOf(id)));
            }
        }
        if (!lacking.isEmpty()) {
            // What is missing would show again as what does not lead there.
            return;
        }
        for (Flow.Lost lost :
                Flow.check(routes, configurations, context::resolvePropertyPlaceholders)) {
            Path file =
                    files.getOrDefault(
                            lost.route(), configuring.stream().findFirst().orElse(directory));
            if (!wrong.containsKey(file)) {
                faults(file)
                        .putIfAbsent(
                                file,
                                new InvalidSettingException(
                                                lost.route().isEmpty()
                                                        ? "routeConfiguration"
                                                        : "route",
                                                lost.route(),
                                                lost.words())
                                        .at(file, lost.line()));
            }
        }
    }

    /** A schedule can be left out; the others need what else is wrong. */
    private Map<Path, InvalidSettingException> faults(Path file) {
        return planning.contains(file) ? wrong : lacking;
    }

    private int lineOf(String id) {
        return routes.stream()
                .filter(route -> id.equals(route.getRouteId()))
                .mapToInt(RouteDefinition::getLineNumber)
                .findFirst()
                .orElse(0);
    }

    /** Files that are wrong by themselves, or beside the earlier ones. */
    Map<Path, InvalidSettingException> wrong() {
        return wrong;
    }

    /** What the files that are right do not have, by the file that needs it; else the directory. */
    Map<Path, InvalidSettingException> lacking() {
        return lacking;
    }

    boolean isRight() {
        return wrong.isEmpty() && lacking.isEmpty();
    }

    boolean hasSchedule() {
        return !wrong.keySet().containsAll(planning);
    }

    /** The ids of the routes that start by themselves and are schedules. */
    Set<String> schedules() {
        return schedules;
    }

    /** Whether a file has a schedule. */
    boolean isPlanning(Path file) {
        return planning.contains(file);
    }

    /** Whether a file has error handling or the like, which applies to all routes. */
    boolean isShared(Path file) {
        return configuring.contains(file);
    }

    /** Whether a file has a route that starts by itself. */
    boolean isTriggered(Path file) {
        return triggered.contains(file);
    }

    /** The files by the ids of their routes. */
    Map<String, Path> files() {
        return files;
    }

    static Resource resource(Path file, String text) {
        return ResourceHelper.fromString("file:" + file, text);
    }

    private void add(CamelContext context, Path file, String text) {
        Map<String, Path> ids = new TreeMap<>();
        Set<String> starts = new TreeSet<>();
        Map<String, Path> calls = new TreeMap<>();
        boolean configures = false;
        boolean handles = false;
        Set<String> plans = new TreeSet<>();
        List<RouteDefinition> own = new ArrayList<>();
        List<RouteConfigurationDefinition> shared = new ArrayList<>();
        line = 0;
        try {
            // Before Camel reads it, which binds what it finds.
            new RouteText(text).checkParts();
            for (RoutesBuilder builder :
                    PluginHelper.getRoutesLoader(context)
                            .findRoutesBuilders(List.of(resource(file, text)))) {
                RouteBuilder routes = (RouteBuilder) builder;
                if (routes instanceof RouteConfigurationBuilder configurations) {
                    configurations.configuration();
                    for (RouteConfigurationDefinition configuration :
                            configurations
                                    .getRouteConfigurationCollection()
                                    .getRouteConfigurations()) {
                        configures = true;
                        checkCalls(context, parts(configuration));
                        for (ToDefinition step :
                                ProcessorDefinitionHelper.filterTypeInOutputs(
                                        parts(configuration), ToDefinition.class)) {
                            line = step.getLineNumber();
                            checkEndpoint(context, step);
                        }
                        shared.add(configuration);
                        calls(context, parts(configuration)).forEach(uri -> calls.put(uri, file));
                        // One with an id is only for routes that name it.
                        handles |= configuration.getId() == null;
                    }
                }
                routes.configure();
                for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                    boolean isSchedule =
                            Flow.isSchedule(route, context::resolvePropertyPlaceholders);
                    if (isSchedule) {
                        planning.add(file);
                    }
                    String start = check(context, route);
                    own.add(route);
                    ids.put(route.getRouteId(), file);
                    starts.add(start);
                    if (isSchedule && !start.startsWith(DIRECT)) {
                        plans.add(route.getRouteId());
                    }
                    calls(context, route.getOutputs()).forEach(uri -> calls.put(uri, file));
                }
            }
        } catch (Exception | LinkageError | StackOverflowError e) {
            wrong.put(file, RouteMistake.of(context, e).in(file, text, line));
            return;
        }
        files.putAll(ids);
        entrances.addAll(starts);
        calls.forEach(targets::putIfAbsent);
        schedules.addAll(plans);
        routes.addAll(own);
        configurations.addAll(shared);
        handlesErrors |= handles;
        if (configures) {
            configuring.add(file);
        }
        if (starts.stream().anyMatch(start -> !start.startsWith(DIRECT))) {
            triggered.add(file);
        }
    }

    /** What a configuration adds to all routes. */
    private static List<ProcessorDefinition<?>> parts(RouteConfigurationDefinition configuration) {
        List<ProcessorDefinition<?>> all = new ArrayList<>();
        all.addAll(configuration.getOnExceptions());
        all.addAll(configuration.getOnCompletions());
        all.addAll(configuration.getIntercepts());
        all.addAll(configuration.getInterceptFroms());
        all.addAll(configuration.getInterceptSendTos());
        return all;
    }

    /** The routes that steps send to, as far as that does not depend on the message. */
    private static List<String> calls(CamelContext context, List<ProcessorDefinition<?>> steps) {
        return Stream.concat(
                        ProcessorDefinitionHelper.filterTypeInOutputs(steps, ToDefinition.class)
                                .stream()
                                .map(ToDefinition::getUri),
                        ProcessorDefinitionHelper.filterTypeInOutputs(
                                        steps, ToDynamicDefinition.class)
                                .stream()
                                .map(ToDynamicDefinition::getUri)
                                .filter(uri -> !uri.contains("$")))
                .map(context::resolvePropertyPlaceholders)
                .filter(uri -> uri.startsWith(DIRECT))
                .map(RouteSet::entrance)
                .toList();
    }

    private static Collection<ToDefinition> steps(RouteDefinition route) {
        return ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ToDefinition.class);
    }

    /** Where it starts, however that is written. */
    private String check(CamelContext context, RouteDefinition route) throws Exception {
        String id = route.getRouteId();
        line = route.getLineNumber();
        if (!route.hasCustomIdAssigned()) {
            throw new InvalidSettingException("route", "", "give it an id, best the file's name");
        }
        if (files.containsKey(id)) {
            throw new InvalidSettingException(
                    "route id", id, files.get(id) + " has it too; best is the file's name");
        }
        String[] start = start(context, route);
        line = route.getInput().getLineNumber();
        checkComponent(context, start[0]);
        boolean quartz = start[0].startsWith("quartz:");
        if (quartz) {
            checkTrigger(
                    start.length == 2 ? URISupport.parseQuery(start[1]) : Map.of(),
                    Flow.isSchedule(route, context::resolvePropertyPlaceholders));
        }
        Endpoint endpoint = endpoint(context, String.join("?", start));
        String entrance =
                endpoint instanceof QuartzEndpoint trigger
                        ? "quartz:" + trigger.getGroupName() + "/" + trigger.getTriggerName()
                        : entrance(start[0]);
        if (entrances.contains(entrance)) {
            throw new InvalidSettingException(
                    "from", start[0], "another route starts there too; best is the route's name");
        }
        if (endpoint instanceof QuartzEndpoint trigger
                && trigger.isPauseJob()
                && trigger.isDeleteJob()) {
            throw new InvalidSettingException(
                    "pauseJob", "true", "leave it out; Quartz takes one of it and deleteJob");
        }
        checkCalls(context, route.getOutputs());
        for (ToDefinition step : steps(route)) {
            line = step.getLineNumber();
            String uri = context.resolvePropertyPlaceholders(step.getUri());
            if (uri.startsWith(POLICY)) {
                checkPolicy(context, route, uri);
            } else {
                checkEndpoint(context, step);
            }
        }
        return entrance;
    }

    private static void checkEndpoint(CamelContext context, ToDefinition step) throws Exception {
        String uri = context.resolvePropertyPlaceholders(step.getUri());
        checkComponent(context, uri);
        endpoint(context, uri);
    }

    /** Sees that beans, their methods and expressions are there, as the start of a route would. */
    private void checkCalls(CamelContext context, List<? extends ProcessorDefinition<?>> steps) {
        for (Flow.Call call : Flow.calls(steps)) {
            line = call.line();
            Object bean = context.getRegistry().lookupByName(call.bean());
            if (bean == null) {
                throw new NoSuchBeanException(call.bean());
            }
            String method = call.method().orElse("").split("\\(")[0];
            if (!method.isEmpty()
                    && Arrays.stream(bean.getClass().getMethods())
                            .noneMatch(known -> known.getName().equals(method))) {
                throw new IllegalArgumentException(new MethodNotFoundException(null, bean, method));
            }
        }
        Language simple = context.resolveLanguage("simple");
        Flow.simpleTexts(steps)
                .forEach(
                        (text, at) -> {
                            line = at;
                            simple.createExpression(context.resolvePropertyPlaceholders(text));
                        });
    }

    /** The endpoint that a route would get; the context does not get it. */
    private static Endpoint endpoint(CamelContext context, String uri) throws Exception {
        String normalized = EndpointHelper.normalizeEndpointUri(uri);
        Component component = context.getComponent(normalized.split("[:?]")[0], true, false);
        if (!(component instanceof QuartzComponent)) {
            // That one would make its threads.
            ServiceHelper.initService(component);
        }
        return component.createEndpoint(component.useRawUri() ? uri : normalized);
    }

    /** {@code direct://name?options} is {@code direct:name}, too. */
    private static String entrance(String uri) {
        return uri.split("\\?")[0].replaceFirst(":/*", ":");
    }

    /** Where a route starts, and its parameters if there are any. */
    private static String[] start(CamelContext context, RouteDefinition route) {
        return LeaderRoutes.withoutMaster(
                        context.resolvePropertyPlaceholders(route.getInput().getEndpointUri()))
                .split("\\?", 2);
    }

    private static void checkComponent(CamelContext context, String uri) {
        String component = uri.split(":")[0];
        if (context.getComponent(component, true, false) == null) {
            throw new InvalidSettingException(
                    "uri", uri, "the program has no component " + component);
        }
    }

    private static void checkPolicy(CamelContext context, RouteDefinition route, String uri)
            throws Exception {
        String id = route.getRouteId();
        String name = uri.substring(POLICY.length()).split("\\?")[0];
        if (!name.equals(id)) {
            throw new InvalidSettingException("policy", name, "name it after the route, " + id);
        }
        Duration jitter = PolicyComponent.scheduleAt(context, uri).policy().jitter();
        String[] start = start(context, route);
        Map<String, Object> trigger =
                start.length == 2 ? URISupport.parseQuery(start[1]) : Map.of();
        if (!jitter.isZero() && trigger.get("cron") instanceof String cron) {
            Duration shortest = Cron.shortestInterval(cron.replace('+', ' '));
            if (jitter.compareTo(shortest) > 0) {
                throw new InvalidSettingException(
                        "policy:" + id + ": jitter",
                        Settings.text(jitter),
                        "it must not be longer than the shortest time between two runs, "
                                + Settings.text(shortest));
            }
        }
    }

    private static void checkTrigger(Map<String, Object> parameters, boolean isSchedule) {
        if (isSchedule && parameters.get("cron") == null) {
            throw new InvalidSettingException(
                    "cron",
                    "",
                    "a schedule says when it is due, as cron: \"{{cron:@hourly}}\"; without, Quartz"
                            + " fires each second");
        }
        if ("false".equals(parameters.get("autoStartScheduler"))) {
            throw new InvalidSettingException(
                    "autoStartScheduler", "false", "leave it out; no schedule would ever be due");
        }
        for (Map.Entry<String, Object> parameter : parameters.entrySet()) {
            if (parameter.getKey().startsWith(TRIGGER)
                    && !TRIGGER_OPTIONS.contains(parameter.getKey().substring(TRIGGER.length()))) {
                throw new InvalidSettingException(
                        "quartz: " + parameter.getKey(),
                        String.valueOf(parameter.getValue()),
                        "there is no such option of a trigger; there are "
                                + TRIGGER_OPTIONS.stream()
                                        .map(TRIGGER::concat)
                                        .collect(Collectors.joining(", ")));
            }
        }
        if (parameters.get("cron") instanceof String text) {
            String cron = text.replace('+', ' ').trim();
            Cron.toQuartz("cron", cron);
            if (cron.startsWith("@") || cron.split("\\s+").length < 6) {
                throw new InvalidSettingException(
                        "cron",
                        cron,
                        "Quartz takes six or seven fields; write {{cron:" + cron + "}}");
            }
        }
        if (parameters.get("trigger.timeZone") instanceof String zone) {
            Settings.zone("trigger.timeZone", zone);
        }
    }
}
