package io.volumesnapshotter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.util.URISupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The route files of a directory. Each is checked by itself before any is used, so that a mistake
 * is told with the file's name.
 */
public final class RouteFiles {

    static final String SUFFIX = ".camel.yaml";

    private static final String DIRECT = "direct:";
    private static final String POLICY = "policy:";

    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private final Path directory;
    private final Set<String> entrances = new TreeSet<>();
    private final Map<String, Path> filesByRoute = new TreeMap<>();
    private boolean leftOut;

    /**
     * @param directory the directory; a symbolic link to one, as in a ConfigMap mount, is followed
     */
    public RouteFiles(Path directory) {
        this.directory = directory;
    }

    /**
     * Checks all files and adds the routes of those that are right to the context, which is not
     * started yet. A file that is wrong is told and left out, as long as the others can work
     * without it.
     *
     * @throws InvalidSettingException when the directory is not usable, or the files that are right
     *     do not make a program: a schedule, all routes that they call, the error handling
     */
    public void load(CamelContext context) throws Exception {
        Map<Path, InvalidSettingException> wrong = new TreeMap<>();
        List<Path> right = new ArrayList<>();
        boolean handlesErrors = false;
        boolean hasSchedule = false;
        Map<String, Path> targets = new TreeMap<>();
        for (Path file : files()) {
            try {
                for (RouteBuilder routes : parse(context, file)) {
                    handlesErrors |= hasConfiguration(routes);
                    for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                        hasSchedule |= !uris(route, POLICY).isEmpty();
                        uris(route, DIRECT).forEach(uri -> targets.putIfAbsent(uri, file));
                    }
                }
                right.add(file);
            } catch (InvalidSettingException e) {
                wrong.put(file, e);
            }
        }
        Optional<InvalidSettingException> lack = lack(targets, handlesErrors);
        if (!wrong.isEmpty() && (lack.isPresent() || !hasSchedule)) {
            throw wrong.values().iterator().next();
        }
        if (lack.isPresent()) {
            throw lack.get();
        }
        leftOut = !wrong.isEmpty();
        wrong.values().forEach(e -> LOG.error("{}; the others run on", e.getMessage()));
        PluginHelper.getRoutesLoader(context)
                .loadRoutes(right.stream().map(this::resource).toList());
    }

    private Optional<InvalidSettingException> lack(
            Map<String, Path> targets, boolean handlesErrors) {
        if (!handlesErrors) {
            return Optional.of(
                    new InvalidSettingException(
                            "snapshotter.routes",
                            directory.toString(),
                            "no file has a routeConfiguration without an id, which alone applies to"
                                    + " all routes, so failures would be lost; take the id away, or"
                                    + " copy the program's error-handling.camel.yaml there"));
        }
        return targets.entrySet().stream()
                .filter(target -> !entrances.contains(target.getKey()))
                .findFirst()
                .map(
                        target ->
                                new InvalidSettingException(
                                                "uri",
                                                target.getKey(),
                                                "no route starts there; there are "
                                                        + String.join(", ", entrances))
                                        .in(target.getValue()));
    }

    /** Whether there is one without an id: one with an id is only for routes that name it. */
    private static boolean hasConfiguration(RouteBuilder routes) {
        return routes instanceof RouteConfigurationBuilder configurations
                && configurations
                        .getRouteConfigurationCollection()
                        .getRouteConfigurations()
                        .stream()
                        .anyMatch(configuration -> configuration.getId() == null);
    }

    /** The endpoints of a component that a route sends to, without their parameters. */
    private static List<String> uris(RouteDefinition route, String component) {
        return steps(route).stream()
                .map(ToDefinition::getUri)
                .filter(uri -> uri.startsWith(component))
                .map(uri -> uri.split("\\?")[0])
                .toList();
    }

    private static Collection<ToDefinition> steps(RouteDefinition route) {
        return ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ToDefinition.class);
    }

    /** Whether a file was left out because it is wrong. */
    boolean hasLeftOut() {
        return leftOut;
    }

    /** The file that a route came from, or the directory for an unknown route. */
    public Path fileOf(String routeId) {
        return filesByRoute.getOrDefault(routeId, directory);
    }

    private List<Path> files() throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new InvalidSettingException(
                    "snapshotter.routes", directory.toString(), "there is no such directory");
        }
        try (Stream<Path> entries = Files.list(directory)) {
            List<Path> all = entries.sorted().toList();
            all.stream().filter(RouteFiles::isMisnamed).forEach(RouteFiles::warn);
            List<Path> files =
                    all.stream().filter(file -> file.toString().endsWith(SUFFIX)).toList();
            if (files.isEmpty()) {
                throw new InvalidSettingException(
                        "snapshotter.routes",
                        directory.toString(),
                        "it holds no *" + SUFFIX + " file; copy the program's routes there");
            }
            return files;
        }
    }

    private static boolean isMisnamed(Path file) {
        String name = file.getFileName().toString();
        return (name.endsWith(".yaml") || name.endsWith(".yml"))
                && !name.endsWith(SUFFIX)
                && !name.equals("kustomization.yaml");
    }

    private static void warn(Path file) {
        LOG.warn("{}: not loaded, because its name does not end in {}", file, SUFFIX);
    }

    private Resource resource(Path file) {
        try {
            return ResourceHelper.fromString("file:" + file, Files.readString(file));
        } catch (IOException e) {
            throw new InvalidSettingException(
                    "snapshotter.routes", file.toString(), "it cannot be read: " + e.getMessage());
        }
    }

    private List<RouteBuilder> parse(CamelContext context, Path file) {
        Map<String, Path> ids = new TreeMap<>();
        Set<String> starts = new TreeSet<>();
        try {
            List<RouteBuilder> parsed = new ArrayList<>();
            for (RoutesBuilder builder :
                    PluginHelper.getRoutesLoader(context)
                            .findRoutesBuilders(List.of(resource(file)))) {
                RouteBuilder routes = (RouteBuilder) builder;
                if (routes instanceof RouteConfigurationBuilder configurations) {
                    configurations.configuration();
                }
                routes.configure();
                parsed.add(routes);
                for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                    check(context, route);
                    ids.put(route.getRouteId(), file);
                    starts.add(start(context, route)[0]);
                }
            }
            filesByRoute.putAll(ids);
            entrances.addAll(starts);
            return parsed;
        } catch (Exception e) {
            InvalidSettingException invalid =
                    Causes.find(InvalidSettingException.class, e).orElse(null);
            if (invalid != null) {
                throw invalid.in(file);
            }
            throw new InvalidSettingException(
                    file.toString(), Failures.rootWords(e), "correct the file");
        }
    }

    private void check(CamelContext context, RouteDefinition route) throws Exception {
        String id = route.getRouteId();
        if (!route.hasCustomIdAssigned()) {
            throw new InvalidSettingException("route", "", "give it an id, best the file's name");
        }
        if (filesByRoute.containsKey(id)) {
            throw new InvalidSettingException(
                    "route id", id, filesByRoute.get(id) + " has it too; best is the file's name");
        }
        String[] start = start(context, route);
        if (entrances.contains(start[0])) {
            throw new InvalidSettingException(
                    "from", start[0], "another route starts there too; best is the route's name");
        }
        checkComponent(context, start[0]);
        if (start[0].startsWith("quartz:") && start.length == 2) {
            checkTrigger(URISupport.parseQuery(start[1]));
        }
        for (ToDefinition step : steps(route)) {
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
            Trigger.zone("trigger.timeZone", zone);
        }
    }
}
