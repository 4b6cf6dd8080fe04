package io.volumesnapshotter.routes;

import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
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
import org.apache.camel.util.URISupport;

/**
 * The routes of a set of files, each checked by itself and all of them together, before any is
 * used.
 */
final class RouteSet {

    private static final String DIRECT = "direct:";
    private static final String POLICY = "policy:";

    private final Map<Path, InvalidSettingException> wrong = new LinkedHashMap<>();
    private final Map<Path, InvalidSettingException> lacking = new LinkedHashMap<>();
    private final Set<String> entrances = new TreeSet<>();
    private final Map<String, Path> files = new TreeMap<>();
    private final Map<String, Path> targets = new TreeMap<>();
    private final Set<Path> configuring = new HashSet<>();
    private boolean handlesErrors;
    private final Set<Path> triggered = new HashSet<>();
    private boolean hasSchedule;

    /** Where in a file the check is. */
    private int line;

    private RouteSet() {}

    /**
     * Checks files. Of two that cannot be together the later one is wrong.
     *
     * @param directory where they are from, for a message
     * @param contents the files' texts
     */
    static RouteSet of(CamelContext context, Path directory, Map<Path, String> contents) {
        RouteSet set = new RouteSet();
        contents.forEach((file, text) -> set.add(context, file, text));
        if (!set.handlesErrors) {
            set.lacking.put(
                    directory,
                    new InvalidSettingException(
                            "snapshotter.routes",
                            directory.toString(),
                            "no file has a routeConfiguration without an id, which alone applies to"
                                    + " all routes, so failures would be lost; take the id away, or"
                                    + " copy the program's error-handling.camel.yaml there"));
        }
        set.targets.forEach(
                (target, file) -> {
                    if (!set.entrances.contains(target)) {
                        set.lacking.putIfAbsent(
                                file,
                                new RouteText(contents.get(file))
                                        .locate(
                                                file,
                                                new InvalidSettingException(
                                                        "uri",
                                                        target,
                                                        "no route starts there; there are "
                                                                + String.join(", ", set.entrances)),
                                                0));
                    }
                });
        return set;
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
        return hasSchedule;
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
        boolean plans = false;
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
                        calls(context, parts(configuration)).forEach(uri -> calls.put(uri, file));
                        // One with an id is only for routes that name it.
                        handles |= configuration.getId() == null;
                    }
                }
                routes.configure();
                for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                    check(context, route);
                    ids.put(route.getRouteId(), file);
                    starts.add(start(context, route)[0]);
                    plans |= steps(route).stream().anyMatch(s -> s.getUri().startsWith(POLICY));
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
        hasSchedule |= plans;
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
                .map(uri -> uri.split("\\?")[0])
                .toList();
    }

    private static Collection<ToDefinition> steps(RouteDefinition route) {
        return ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ToDefinition.class);
    }

    private void check(CamelContext context, RouteDefinition route) throws Exception {
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
        if (entrances.contains(start[0])) {
            throw new InvalidSettingException(
                    "from", start[0], "another route starts there too; best is the route's name");
        }
        line = route.getInput().getLineNumber();
        checkComponent(context, start[0]);
        if (start[0].startsWith("quartz:") && start.length == 2) {
            checkTrigger(URISupport.parseQuery(start[1]));
        }
        for (ToDefinition step : steps(route)) {
            line = step.getLineNumber();
            String uri = context.resolvePropertyPlaceholders(step.getUri());
            checkComponent(context, uri);
            if (uri.startsWith(POLICY)) {
                checkPolicy(context, route, uri);
            }
        }
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

    private static void checkTrigger(Map<String, Object> parameters) {
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
