package io.volumesnapshotter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private final Path directory;
    private final Set<String> entrances = new TreeSet<>();
    private final Map<String, Path> filesByRoute = new TreeMap<>();

    /**
     * @param directory the directory; a symbolic link to one, as in a ConfigMap mount, is followed
     */
    public RouteFiles(Path directory) {
        this.directory = directory;
    }

    /**
     * Checks all files and adds their routes to the context, which is not started yet.
     *
     * @throws InvalidSettingException when the directory or a file is not usable, or the files
     *     together lack a route or the error handling
     */
    public void load(CamelContext context) throws Exception {
        List<Path> files = files();
        boolean handlesErrors = false;
        Map<String, Path> targets = new TreeMap<>();
        for (Path file : files) {
            for (RouteBuilder routes : parse(context, file)) {
                handlesErrors |= hasConfiguration(routes);
                for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                    targetsOf(route).forEach(target -> targets.putIfAbsent(target, file));
                }
            }
        }
        targets.forEach(this::checkTarget);
        if (!handlesErrors) {
            throw new InvalidSettingException(
                    "snapshotter.routes",
                    directory.toString(),
                    "no file has a routeConfiguration, so failures would be lost; copy the program's"
                            + " error-handling.camel.yaml there");
        }
        PluginHelper.getRoutesLoader(context)
                .loadRoutes(files.stream().map(this::resource).toList());
    }

    private static boolean hasConfiguration(RouteBuilder routes) {
        return routes instanceof RouteConfigurationBuilder configurations
                && !configurations
                        .getRouteConfigurationCollection()
                        .getRouteConfigurations()
                        .isEmpty();
    }

    private static List<String> targetsOf(RouteDefinition route) {
        return ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), ToDefinition.class)
                .stream()
                .map(ToDefinition::getUri)
                .filter(uri -> uri.startsWith(DIRECT))
                .map(uri -> uri.substring(DIRECT.length()).split("\\?")[0])
                .toList();
    }

    private void checkTarget(String target, Path file) {
        if (!entrances.contains(DIRECT + target)) {
            throw new InvalidSettingException(
                            "direct",
                            target,
                            "no route starts there; there are " + String.join(", ", entrances))
                    .in(file);
        }
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
                    check(context, file, route);
                }
            }
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

    private void check(CamelContext context, Path file, RouteDefinition route) throws Exception {
        String id = route.getRouteId();
        if (!route.hasCustomIdAssigned()) {
            throw new InvalidSettingException("route", "", "give it an id, best the file's name");
        }
        Path other = filesByRoute.putIfAbsent(id, file);
        if (other != null) {
            throw new InvalidSettingException(
                    "route id", id, other + " has it too; best is the file's name");
        }
        String from = context.resolvePropertyPlaceholders(route.getInput().getEndpointUri());
        String[] entrance = from.split("\\?", 2);
        if (!entrances.add(entrance[0])) {
            throw new InvalidSettingException(
                    "from",
                    entrance[0],
                    "another route starts there too; best is the route's name");
        }
        if (from.startsWith("quartz:") && entrance.length == 2) {
            checkTrigger(URISupport.parseQuery(entrance[1]));
        }
        for (ToDefinition step :
                route.getOutputs().stream()
                        .filter(ToDefinition.class::isInstance)
                        .map(ToDefinition.class::cast)
                        .toList()) {
            String uri = step.getUri();
            String policy = uri.startsWith("policy:") ? uri.substring("policy:".length()) : id;
            if (!policy.split("\\?")[0].equals(id)) {
                throw new InvalidSettingException(
                        "policy", policy.split("\\?")[0], "name it after the route, " + id);
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
