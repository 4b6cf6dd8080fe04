package io.volumesnapshotter.routes;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.model.DynamicRouterDefinition;
import org.apache.camel.model.EnrichDefinition;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.PollEnrichDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RecipientListDefinition;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutingSlipDefinition;
import org.apache.camel.model.StopDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.model.ToDynamicDefinition;

/**
 * Follows routes from step to step, through {@code direct:} and all branches, to see that together
 * they are still a program that takes snapshots: each schedule leads to a run that asks for
 * snapshots, waits for them, prunes behind a guard and tells how it went; and what fails is told.
 * It goes by what the routes reach, which are beans and Kubernetes requests, not by their names,
 * which are their users'.
 */
public final class Flow {

    private static final String DIRECT = "direct:";
    private static final String GUARD = "deletionGate.check";
    private static final String TELLS = "failures.report";
    private static final String UNDELIVERED = "failures.undelivered";
    private static final String ROOM = "runs.markRefused";

    private static final Pattern MENTIONED = Pattern.compile("direct:(?://)?[\\w.-]+");

    /**
     * What is not reached any more.
     *
     * @param route the id of the route that does not lead there; empty when it is what is shared by
     *     all routes
     * @param line where that route begins in its file, counted from 1; 0 when it is not known
     * @param words what happens without it, and what to put back
     */
    public record Lost(String route, int line, String words) {}

    private record Place(String route, int line) {}

    private final Map<String, RouteDefinition> entrances = new LinkedHashMap<>();
    private final Collection<RouteDefinition> routes;
    private final UnaryOperator<String> resolve;
    private final Steps steps;

    /** What was reached, in order, and where. */
    private final List<String> reached = new ArrayList<>();

    private final List<Place> places = new ArrayList<>();

    /** What was reached also by a run that takes nothing and only prunes. */
    private final Set<String> reachedByPruning = new HashSet<>();

    /** How many steps are around that only a run enters which takes snapshots. */
    private int taking;

    /** Routes that are being followed: one that leads to itself is not entered again. */
    private final Set<RouteDefinition> underWay = new LinkedHashSet<>();

    /** Whether what is met counts: not before a schedule has said what it is. */
    private boolean counts;

    private Flow(Collection<RouteDefinition> routes, UnaryOperator<String> resolve) {
        this.routes = routes;
        this.resolve = resolve;
        this.steps = new Steps(resolve);
        for (RouteDefinition route : routes) {
            entrances.put(name(resolve.apply(route.getInput().getEndpointUri())), route);
        }
    }

    /**
     * What these routes have lost.
     *
     * @param configurations what applies to all of them
     * @param resolve puts values in the place of placeholders
     */
    public static List<Lost> check(
            Collection<RouteDefinition> routes,
            Collection<RouteConfigurationDefinition> configurations,
            UnaryOperator<String> resolve) {
        List<Lost> lost = new ArrayList<>();
        for (RouteDefinition route : routes) {
            new Flow(routes, resolve).lostBySchedule(route).ifPresent(lost::add);
            new Flow(routes, resolve).unguarded(route).ifPresent(lost::add);
        }
        new Flow(routes, resolve).lostByFailures(configurations).ifPresent(lost::add);
        return lost;
    }

    /** Whether a route is a schedule, as far as its steps say. */
    public static boolean isSchedule(RouteDefinition route, UnaryOperator<String> resolve) {
        Flow flow = new Flow(List.of(), resolve);
        flow.follow(route);
        return flow.reached.stream().anyMatch(Flow::isSchedule);
    }

    private static boolean isSchedule(String fact) {
        return fact.equals(Steps.POLICY) || fact.equals(Steps.DRILL);
    }

    private Optional<Lost> lostBySchedule(RouteDefinition schedule) {
        follow(schedule);
        for (Need need : Need.ALL) {
            int loser = reached.indexOf(need.loser());
            if (loser >= 0 && reached.contains(need.after()) && !isThere(need)) {
                boolean first = isSchedule(need.after());
                return Optional.of(
                        new Lost(
                                places.get(loser).route,
                                places.get(loser).line,
                                need.words()
                                        + (first
                                                ? ": nothing behind " + need.after()
                                                : ": nothing here")
                                        + " leads to "
                                        + words(need.fact())
                                        + "; put back what led there"
                                        + (first
                                                ? ", as a last step to direct:"
                                                        + (need.after().equals(Steps.DRILL)
                                                                ? "run-drill"
                                                                : "run-schedule")
                                                : "")));
            }
        }
        return lostByPruning();
    }

    /** A schedule that only prunes waits for nothing, so it does not come to what is done then. */
    private Optional<Lost> lostByPruning() {
        int start = reached.indexOf(Need.START);
        return start < 0 || reachedByPruning.containsAll(List.of(Need.STALE, Need.FINISHES))
                ? Optional.empty()
                : Optional.of(
                        new Lost(
                                places.get(start).route,
                                places.get(start).line,
                                "a schedule that only prunes does nothing: nothing here but what"
                                        + " waits for snapshots leads to "
                                        + words(
                                                reachedByPruning.contains(Need.STALE)
                                                        ? Need.FINISHES
                                                        : Need.STALE)
                                        + "; put back what led there"));
    }

    private boolean isThere(Need need) {
        List<String> behind = reached.subList(reached.indexOf(need.after()) + 1, reached.size());
        int end = behind.indexOf(need.before());
        return behind.subList(0, end < 0 ? behind.size() : end).contains(need.fact());
    }

    /** Each onException tells, or makes room; and one of them takes all that is left. */
    private Optional<Lost> lostByFailures(Collection<RouteConfigurationDefinition> configurations) {
        counts = true;
        for (RouteConfigurationDefinition configuration : configurations) {
            if (configuration.getId() != null) {
                continue;
            }
            for (OnExceptionDefinition handling : configuration.getOnExceptions()) {
                Place place = new Place("", handling.getLineNumber());
                int before = reached.size();
                follow(place, handling.getOutputs());
                if (reached.subList(before, reached.size()).stream()
                        .noneMatch(List.of(TELLS, Steps.LOG, ROOM)::contains)) {
                    return Optional.of(
                            new Lost(
                                    "",
                                    place.line,
                                    "this onException ends a failure that nobody is told; put back"
                                            + " its steps"));
                }
            }
        }
        for (String fact : List.of(TELLS, UNDELIVERED)) {
            if (!reached.contains(fact)) {
                return Optional.of(
                        new Lost(
                                "",
                                0,
                                "what fails is told by nobody: no onException leads to "
                                        + words(fact)
                                        + "; put back what led there"));
            }
        }
        int told = reached.indexOf(TELLS);
        return reached.subList(told, reached.size()).contains(Steps.LOG)
                ? Optional.empty()
                : Optional.of(
                        new Lost(
                                places.get(told).route,
                                places.get(told).line,
                                "what fails is told by nobody: no log of level ERROR or WARN comes"
                                        + " behind "
                                        + words(TELLS)
                                        + "; put it back"));
    }

    private Optional<Lost> unguarded(RouteDefinition route) {
        counts = true;
        return isUnguarded(route.getOutputs())
                ? Optional.of(
                        new Lost(
                                route.getRouteId(),
                                route.getLineNumber(),
                                "it deletes what nobody has judged again: put bean"
                                        + " deletionGate, method check, right before the deletion,"
                                        + " which is bean snapshots, method delete"))
                : Optional.empty();
    }

    private boolean isUnguarded(List<ProcessorDefinition<?>> sequence) {
        boolean guarded = false;
        for (ProcessorDefinition<?> step : sequence) {
            if (steps.isDisabled(step)) {
                continue;
            }
            if (steps.facts(step).contains(Steps.DELETES_UNASKED)) {
                return true;
            }
            if (steps.facts(step).contains(Steps.DELETES)) {
                if (!guarded) {
                    return true;
                }
                guarded = false;
            }
            guarded |= steps.facts(step).contains(GUARD);
            if (Steps.branches(step).stream().anyMatch(this::isUnguarded)) {
                return true;
            }
        }
        return false;
    }

    private void follow(RouteDefinition route) {
        if (underWay.add(route)) {
            follow(place(route), route.getOutputs());
            underWay.remove(route);
        }
    }

    private static Place place(RouteDefinition route) {
        return new Place(route.getRouteId(), route.getLineNumber());
    }

    private void follow(Place place, List<? extends ProcessorDefinition<?>> sequence) {
        for (ProcessorDefinition<?> step : sequence) {
            if (steps.isDisabled(step)) {
                continue;
            }
            for (String fact : steps.facts(step)) {
                counts |= isSchedule(fact);
                if (counts) {
                    reached.add(fact);
                    places.add(place);
                    if (taking == 0) {
                        reachedByPruning.add(fact);
                    }
                }
            }
            targets(step).forEach(this::follow);
            int more = Steps.isOfTaking(step) ? 1 : 0;
            taking += more;
            Steps.branches(step).forEach(branch -> follow(place, branch));
            taking -= more;
            if (step instanceof StopDefinition) {
                return;
            }
        }
    }

    /** The routes that a step may lead to: those that it names, or any when that is open. */
    private Collection<RouteDefinition> targets(ProcessorDefinition<?> step) {
        String text = "";
        boolean open = false;
        if (step instanceof ToDefinition to) {
            text = to.getUri();
        } else if (step instanceof ToDynamicDefinition to) {
            text = to.getUri();
            open = text.contains("${");
        } else if (step instanceof ExpressionNode node
                && (step instanceof RecipientListDefinition
                        || step instanceof RoutingSlipDefinition
                        || step instanceof DynamicRouterDefinition
                        || step instanceof EnrichDefinition
                        || step instanceof PollEnrichDefinition)) {
            text = String.valueOf(node.getExpression().getExpression());
            open = !"constant".equals(node.getExpression().getLanguage());
        }
        List<RouteDefinition> named = new ArrayList<>();
        Matcher matcher = MENTIONED.matcher(resolve.apply(text));
        while (matcher.find()) {
            Optional.ofNullable(entrances.get(name(matcher.group()))).ifPresent(named::add);
        }
        return named.isEmpty() && open ? routes : named;
    }

    /** A route's entrance, however it is written. */
    private static String name(String uri) {
        return uri.startsWith(DIRECT) ? uri.replace("//", "").split("\\?")[0] : uri;
    }

    private static String words(String fact) {
        if (fact.equals(Steps.CREATES)) {
            return "kubernetes-custom-resources, operation " + fact;
        }
        if (fact.equals(Steps.PAUSES)) {
            return "${variable.run.pollDelay}";
        }
        return "bean " + fact.replace(".", ", method ");
    }
}
