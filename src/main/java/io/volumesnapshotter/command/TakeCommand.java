package io.volumesnapshotter.command;

import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Hold;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.builder.RouteBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes snapshots now, outside of any schedule. */
@Command(
        name = "take",
        description = {
            "Takes snapshots of claims now, and waits until they are ready.",
            "They belong to the schedule name on-demand, and nothing deletes them unless a rule is given."
        },
        footer = {
            "%nExamples:",
            "  Before an upgrade; asked again, it takes none twice:",
            "    volume-snapshotter take orders carts -n shop --run before-upgrade-7",
            "  Of all claims with a label, keeping the three newest of each that were taken so:",
            "    volume-snapshotter take -l app=db -n shop --keep-last 3"
        })
final class TakeCommand extends RunningCommand {

    private static final String PLACE = "policy:";

    @Parameters(
            arity = "0..*",
            paramLabel = "CLAIM",
            description = "Of these claims; patterns as in a schedule: data-* or !data-tmp-*.")
    private List<String> claims = List.of();

    @Option(
            names = {"-l", "--selector"},
            paramLabel = "SELECTOR",
            description = "Of the claims with these labels.")
    private String selector;

    @Option(
            names = "--class",
            paramLabel = "NAME",
            description = "The VolumeSnapshotClass. Default: the claim's, else the cluster's.")
    private String snapshotClass;

    @Option(
            names = "--label",
            paramLabel = "KEY=VALUE",
            description = "A label to put on them; may be given more than once.")
    private List<String> labels = List.of();

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = {
                "The schedule name that they belong to. Default: on-demand.",
                "A schedule of that name counts and deletes them like its own."
            })
    private String name = OnDemand.SCHEDULE;

    @Mixin private KeepOptions keep;

    @Option(names = "--hold", description = "Pins them, so that no rule deletes them.")
    private boolean hold;

    @Option(
            names = "--run",
            paramLabel = "KEY",
            description = "A key of yours: asked again with it, nothing is taken twice.")
    private String run;

    TakeCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (claims.isEmpty() == (selector == null)) {
            throw CommandException.usage(
                    claims.isEmpty() ? "no claim is named" : "claims and --selector are given",
                    "name claims, or select them by -l");
        }
        if (!SnapshotNames.isSchedule(name)) {
            throw CommandException.usage(
                    "--schedule \"" + name + "\" can be no schedule's name",
                    "give lower case letters, digits and '-', at most "
                            + SnapshotNames.MAX_SCHEDULE
                            + " characters");
        }
        Instant now = Instant.now();
        RunKey key = run == null ? RunKey.now(now) : RunKey.of(name, run, now);
        AttendedRun attended = new AttendedRun(console());
        try (Wiring.Loaded program = load(attended, false)) {
            CamelContext context = program.context();
            Schedule schedule = schedule(context);
            Optional<Route> existing = Optional.ofNullable(context.getRoute(name));
            List<Target> targets = find(program, schedule, List.of());
            Route route = existing.orElseGet(() -> addRoute(context));
            ZoneId zone = Trigger.of(route).map(Trigger::zone).orElse(ZoneOffset.UTC);
            return fire(attended, route, key.firing(schedule, zone), targets, again(key));
        }
    }

    /** What was asked for, as a schedule of its own. */
    private Schedule schedule(CamelContext context) {
        Map<String, String> settings = new LinkedHashMap<>(keep.settings());
        settings.put("claims", claims.isEmpty() ? "" : String.join(",", claims));
        settings.put("claim-selector", selector == null ? "" : selector);
        settings.put("namespace", "");
        settings.put("suspend", "false");
        settings.put("adopt", "false");
        settings.put("prune-only", "");
        if (snapshotClass != null) {
            settings.put("snapshot-class-name", snapshotClass);
        }
        if (!labels.isEmpty()) {
            settings.put("labels", String.join(",", labels));
        }
        if (hold) {
            settings.put("annotations", Hold.HOLD + "=true");
        }
        try {
            Schedule described =
                    context.getComponent("policy", PolicyComponent.class).describe(name, settings);
            return new Schedule(name, described.policy().attended(waiting()));
        } catch (InvalidSettingException e) {
            String place = PLACE + name + ": ";
            if (!e.getMessage().startsWith(place)) {
                throw e;
            }
            throw CommandException.usage(e.getMessage().substring(place.length()), "");
        }
    }

    /** The way of a schedule that has no trigger and is there for this run alone. */
    private Route addRoute(CamelContext context) {
        try {
            context.addRoutes(
                    new RouteBuilder() {
                        @Override
                        public void configure() {
                            from("direct:" + name)
                                    .routeId(name)
                                    .to(PLACE + name + "?claims=" + Settings.ALL + "&suspend=false")
                                    .to("direct:run-schedule");
                        }
                    });
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return context.getRoute(name);
    }

    private String again(RunKey key) {
        StringBuilder command = new StringBuilder("volume-snapshotter take");
        claims.forEach(claim -> command.append(' ').append(claim));
        if (selector != null) {
            command.append(" -l '").append(selector).append('\'');
        }
        cluster().choice().namespace().ifPresent(ns -> command.append(" -n ").append(ns));
        if (!name.equals(OnDemand.SCHEDULE)) {
            command.append(" --schedule ").append(name);
        }
        return command.append(" --run ").append(key.text(name)).toString();
    }
}
