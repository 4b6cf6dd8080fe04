package io.volumesnapshotter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.util.ObjectHelper;
import org.apache.camel.util.URISupport;

/**
 * The route files of a directory. Each is checked by itself before any is used, so that a mistake
 * is told with the file's name.
 */
public final class RouteFiles {

    static final String SUFFIX = ".camel.yaml";

    private final Path directory;
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
     * @throws InvalidSettingException when the directory or a file is not usable
     */
    public void load(CamelContext context) throws Exception {
        List<Path> files = files();
        for (Path file : files) {
            check(context, file);
        }
        PluginHelper.getRoutesLoader(context)
                .loadRoutes(files.stream().map(this::resource).toList());
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
            List<Path> files =
                    entries.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
            if (files.isEmpty()) {
                throw new InvalidSettingException(
                        "snapshotter.routes",
                        directory.toString(),
                        "it holds no *" + SUFFIX + " file; copy the program's routes there");
            }
            return files;
        }
    }

    private Resource resource(Path file) {
        try {
            return ResourceHelper.fromString("file:" + file, Files.readString(file));
        } catch (IOException e) {
            throw new InvalidSettingException(
                    "snapshotter.routes", file.toString(), "it cannot be read: " + e.getMessage());
        }
    }

    private void check(CamelContext context, Path file) {
        try {
            Collection<RoutesBuilder> builders =
                    PluginHelper.getRoutesLoader(context)
                            .findRoutesBuilders(List.of(resource(file)));
            for (RoutesBuilder builder : builders) {
                RouteBuilder routes = (RouteBuilder) builder;
                routes.configure();
                for (RouteDefinition route : routes.getRouteCollection().getRoutes()) {
                    check(context, file, route);
                }
            }
        } catch (Exception e) {
            InvalidSettingException invalid =
                    ObjectHelper.getException(InvalidSettingException.class, e);
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
        if (from.startsWith("quartz:") && from.contains("?")) {
            checkTrigger(URISupport.parseQuery(from.substring(from.indexOf('?') + 1)));
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
        if (parameters.get("cron") instanceof String cron) {
            Cron.toQuartz("cron", cron.replace('+', ' '));
        }
        if (parameters.get("trigger.timeZone") instanceof String zone) {
            try {
                ZoneId.of(zone);
            } catch (DateTimeException e) {
                throw new InvalidSettingException(
                        "trigger.timeZone",
                        zone,
                        "give a name of the time zone database, such as UTC or Europe/Berlin");
            }
        }
    }
}
