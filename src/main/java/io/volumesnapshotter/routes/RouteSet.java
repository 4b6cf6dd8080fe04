package io.volumesnapshotter.routes;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ScheduleSettings;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.model.ToDynamicDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * The routes of a set of files, each checked by itself and all of them together, before any is
 * used.
 */
final class RouteSet {

    private static final String DIRECT = "direct:";
    private static final String FREEZES = DIRECT + "freeze-";
    private static final String THAWS = DIRECT + "thaw-";
    private static final String QUIESCE = ScheduleSettings.QUIESCE.name();

    private final Map<Path, InvalidSettingException> wrong = new LinkedHashMap<>();
    private final Map<Path, InvalidSettingException> lacking = new LinkedHashMap<>();
    private final Set<String> entrances = new TreeSet<>();
    private final Map<String, Path> files = new TreeMap<>();
    private final Map<String, Call> targets = new TreeMap<>();
    private final Set<Path> configuring = new HashSet<>();
    private boolean handlesErrors;
    private final Set<Path> triggered = new HashSet<>();
    private final Set<String> schedules = new TreeSet<>();
    private final Set<Path> planning = new HashSet<>();
    private final Map<Path, RouteBuilder> builders = new TreeMap<>();
    private final List<RouteDefinition> routes = new ArrayList<>();
    private final List<RouteConfigurationDefinition> configurations = new ArrayList<>();

    /**
     * What has to lead somewhere.
     *
     * @param by the option or setting that says where
     * @param value what it says
     */
    private record Call(Path file, String by, String value) {}

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
                (target, call) -> {
                    if (!entrances.contains(target)) {
                        (complete ? faults(call.file) : lacking)
                                .putIfAbsent(
                                        call.file,
                                        new RouteText(contents.get(call.file))
                                                .locate(call.file, missing(target, call), 0));
                    }
                });
    }

    private InvalidSettingException missing(String target, Call call) {
        return new InvalidSettingException(
                call.by,
                call.value,
                call.by.equals(QUIESCE)
                        ? "no route starts at %s; copy it from examples/hooks, or name another kind; there are %s"
                                .formatted(target, starting(FREEZES))
                        : "no route starts there; there are " + starting(""));
    }

    private String starting(String beginning) {
        String all =
                entrances.stream()
                        .filter(entrance -> entrance.startsWith(beginning))
                        .map(entrance -> entrance.substring(beginning.length()))
                        .collect(Collectors.joining(", "));
        return all.isEmpty() ? "none" : all;
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

    /**
     * Adds the routes of some of the files, as they were parsed for the check, to the context,
     * which is not started yet. It can be done once.
     */
    void addTo(CamelContext context, Collection<Path> files) throws Exception {
        for (Path file : files) {
            if (builders.get(file) instanceof RouteConfigurationBuilder configurations) {
                configurations.addRouteConfigurationsToCamelContext(context);
            }
        }
        for (Path file : files) {
            context.addRoutes(builders.get(file));
        }
    }

    private static RouteBuilder parse(CamelContext context, Path file, String text)
            throws Exception {
        // What Camel's parsing in advance is for, RouteText refuses.
        return (RouteBuilder)
                PluginHelper.getRoutesLoader(context)
                        .getRoutesLoader("yaml")
                        .loadRoutesBuilder(resource(file, text));
    }

    private void add(CamelContext context, Path file, String text) {
        Map<String, Path> ids = new TreeMap<>();
        Set<String> starts = new TreeSet<>();
        Map<String, Call> calls = new TreeMap<>();
        boolean configures = false;
        boolean handles = false;
        Set<String> plans = new TreeSet<>();
        List<RouteDefinition> own = new ArrayList<>();
        List<RouteConfigurationDefinition> shared = new ArrayList<>();
        RouteCheck check = new RouteCheck(context);
        try {
            // Before Camel reads it, which binds what it finds.
            new RouteText(text).checkParts();
            RouteBuilder routes = parse(context, file, text);
            if (routes instanceof RouteConfigurationBuilder configurations) {
                configurations.configuration();
                for (RouteConfigurationDefinition configuration :
                        configurations.getRouteConfigurationCollection().getRouteConfigurations()) {
                    configures = true;
                    check.check(parts(configuration));
                    shared.add(configuration);
                    calls(context, parts(configuration))
                            .forEach(uri -> calls.put(uri, new Call(file, "uri", uri)));
                    // One with an id is only for routes that name it.
                    handles |= configuration.getId() == null;
                }
            }
            routes.configure();
            for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                boolean isSchedule = Flow.isSchedule(route, context::resolvePropertyPlaceholders);
                if (isSchedule) {
                    planning.add(file);
                }
                String start = check.check(route, files, entrances);
                own.add(route);
                ids.put(route.getRouteId(), file);
                starts.add(start);
                if (isSchedule && !start.startsWith(DIRECT)) {
                    plans.add(route.getRouteId());
                }
                calls(context, route.getOutputs())
                        .forEach(uri -> calls.put(uri, new Call(file, "uri", uri)));
                for (String kind : check.quiesces(route)) {
                    Stream.of(FREEZES, THAWS)
                            .forEach(step -> calls.put(step + kind, new Call(file, QUIESCE, kind)));
                }
            }
            builders.put(file, routes);
        } catch (Exception | LinkageError | StackOverflowError e) {
            wrong.put(file, RouteMistake.of(context, e).in(file, text, check.line()));
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
                .map(RouteCheck::entrance)
                .toList();
    }

    static Collection<ToDefinition> steps(RouteDefinition route) {
        return ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ToDefinition.class);
    }
}
