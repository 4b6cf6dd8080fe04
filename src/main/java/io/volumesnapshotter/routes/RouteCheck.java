package io.volumesnapshotter.routes;

import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Quiesce;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.Endpoint;
import org.apache.camel.NoSuchBeanException;
import org.apache.camel.component.bean.MethodNotFoundException;
import org.apache.camel.component.quartz.QuartzComponent;
import org.apache.camel.component.quartz.QuartzEndpoint;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.spi.Language;
import org.apache.camel.support.EndpointHelper;
import org.apache.camel.support.service.ServiceHelper;
import org.apache.camel.util.URISupport;

/** Sees that a route by itself is one that would start. Nothing of it gets into the context. */
final class RouteCheck {

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

    private final CamelContext context;
    private final Steps reader;
    private int line;

    RouteCheck(CamelContext context) {
        this.context = context;
        this.reader = new Steps(context::resolvePropertyPlaceholders);
    }

    /**
     * Checks a route.
     *
     * @param files the files of the other routes by their ids
     * @param entrances where the other routes start
     * @return where it starts, however that is written
     */
    String check(RouteDefinition route, Map<String, Path> files, Set<String> entrances)
            throws Exception {
        String id = route.getRouteId();
        line = route.getLineNumber();
        if (!route.hasCustomIdAssigned()) {
            throw new InvalidSettingException("route", "", "give it an id, best the file's name");
        }
        Path other = files.get(id);
        if (other != null) {
            throw new InvalidSettingException(
                    "route id", id, other + " has it too; best is the file's name");
        }
        String[] start = start(route);
        line = route.getInput().getLineNumber();
        checkComponent(start[0]);
        boolean quartz = start[0].startsWith("quartz:");
        if (quartz) {
            checkTrigger(
                    start.length == 2 ? URISupport.parseQuery(start[1]) : Map.of(),
                    Flow.isSchedule(route, context::resolvePropertyPlaceholders));
        }
        Endpoint endpoint = endpoint(String.join("?", start));
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
        checkCalls(route.getOutputs());
        for (ToDefinition step : RouteSet.steps(route)) {
            line = step.getLineNumber();
            String uri = context.resolvePropertyPlaceholders(step.getUri());
            Optional<PolicyComponent.Kind> kind = PolicyComponent.Kind.of(uri);
            if (kind.isPresent()) {
                checkPolicy(route, uri, kind.get());
            } else {
                checkEndpoint(step);
            }
        }
        return entrance;
    }

    /** Checks what is added to all routes. */
    void check(List<ProcessorDefinition<?>> steps) throws Exception {
        checkCalls(steps);
        for (ToDefinition step :
                ProcessorDefinitionHelper.filterTypeInOutputs(steps, ToDefinition.class)) {
            line = step.getLineNumber();
            checkEndpoint(step);
        }
    }

    /** The line that was checked last. */
    int line() {
        return line;
    }

    private void checkEndpoint(ToDefinition step) throws Exception {
        String uri = context.resolvePropertyPlaceholders(step.getUri());
        checkComponent(uri);
        endpoint(uri);
    }

    /** Sees that beans, their methods and expressions are there, as the start of a route would. */
    private void checkCalls(List<? extends ProcessorDefinition<?>> steps) {
        for (Steps.Call call : reader.calls(steps)) {
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
        Steps.simpleTexts(steps)
                .forEach(
                        (text, at) -> {
                            line = at;
                            simple.createExpression(context.resolvePropertyPlaceholders(text));
                        });
    }

    /** The endpoint that a route would get; the context does not get it. */
    private Endpoint endpoint(String uri) throws Exception {
        String normalized = EndpointHelper.normalizeEndpointUri(uri);
        Component component = context.getComponent(normalized.split("[:?]")[0], true, false);
        if (!(component instanceof QuartzComponent)) {
            // That one would make its threads.
            ServiceHelper.initService(component);
        }
        return component.createEndpoint(component.useRawUri() ? uri : normalized);
    }

    /** {@code direct://name?options} is {@code direct:name}, too. */
    static String entrance(String uri) {
        return uri.split("\\?")[0].replaceFirst(":/*", ":");
    }

    /** Where a route starts, and its parameters if there are any. */
    private String[] start(RouteDefinition route) {
        return LeaderRoutes.withoutMaster(
                        context.resolvePropertyPlaceholders(route.getInput().getEndpointUri()))
                .split("\\?", 2);
    }

    private void checkComponent(String uri) {
        String component = uri.split(":")[0];
        if (context.getComponent(component, true, false) == null) {
            throw new InvalidSettingException("uri", uri, ComponentJars.whatIsMissing(component));
        }
    }

    private void checkPolicy(RouteDefinition route, String uri, PolicyComponent.Kind kind)
            throws Exception {
        String id = route.getRouteId();
        String name = uri.substring(kind.prefix().length()).split("\\?")[0];
        if (!name.equals(id)) {
            throw new InvalidSettingException(
                    kind.scheme(), name, "name it after the route, " + id);
        }
        Policy policy = PolicyComponent.scheduleAt(context, uri).policy();
        Duration jitter = policy.jitter();
        String[] start = start(route);
        Map<String, Object> trigger =
                start.length == 2 ? URISupport.parseQuery(start[1]) : Map.of();
        if ((!jitter.isZero() || policy.drill().isPresent())
                && trigger.get("cron") instanceof String cron) {
            Duration shortest = Cron.shortestInterval(cron.replace('+', ' '));
            if (policy.drill()
                    .filter(drill -> drill.within().compareTo(shortest) < 0)
                    .isPresent()) {
                throw new InvalidSettingException(
                        kind.prefix() + id + ": within",
                        Settings.text(policy.drill().get().within()),
                        "it must not be shorter than the time between two runs, "
                                + Settings.text(shortest));
            }
            if (jitter.compareTo(shortest) > 0) {
                throw new InvalidSettingException(
                        kind.prefix() + id + ": jitter",
                        Settings.text(jitter),
                        "it must not be longer than the shortest time between two runs, "
                                + Settings.text(shortest));
            }
        }
    }

    /** How the applications are frozen of the schedule that a route is, if it is one. */
    List<String> quiesces(RouteDefinition route) {
        return RouteSet.steps(route).stream()
                .map(step -> context.resolvePropertyPlaceholders(step.getUri()))
                .filter(uri -> uri.startsWith(PolicyComponent.Kind.POLICY.prefix()))
                .flatMap(
                        uri -> PolicyComponent.scheduleAt(context, uri).policy().quiesce().stream())
                .map(Quiesce::kind)
                .toList();
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
