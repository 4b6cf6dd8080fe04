package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.drill.Drills;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.run.ClaimPlan;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunListeners;
import io.volumesnapshotter.schedule.ClaimFinder;
import io.volumesnapshotter.schedule.ClaimSearch;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.settings.NearMisses;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says what schedules would do, and does nothing. */
@Command(
        name = "plan",
        description =
                "Says what schedules would take, keep and delete, and why. It changes nothing.",
        footer = {
            "%nExamples:",
            "  What the next run of each schedule would do:",
            "    volume-snapshotter plan -n shop",
            "  What one would delete a week from now, for a machine to read:",
            "    volume-snapshotter plan nightly -n shop --at 7d -o json"
        })
final class PlanCommand extends ClusterCommand {

    private static final int MOST_TIMES = 1000;

    @Parameters(
            arity = "0..1",
            paramLabel = "SCHEDULE",
            description = "Of this schedule only. Default: of all.")
    private String schedule;

    @Option(
            names = "--at",
            paramLabel = "TIME",
            description =
                    "For a run at this time: 2026-12-01T02:00:00Z, or from now: 12h, 7d. Default: the next run.")
    private String at;

    @Option(
            names = "--next",
            paramLabel = "N",
            description = "How many of the next fire times to show. Default: 3.")
    private int next = 3;

    PlanCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        Instant now = Instant.now();
        Optional<Instant> time = Optional.ofNullable(at).map(text -> Times.of("--at", text, now));
        if (next < 0 || next > MOST_TIMES) {
            throw CommandException.usage("--next " + next, "give 0 to " + MOST_TIMES);
        }
        try (Wiring.Loaded program =
                wiring().load(
                                new Wiring.Request(
                                        cluster().choice(),
                                        Map.of(),
                                        new RunListeners(List.of()),
                                        true))) {
            program.wrongFiles().forEach(console()::warn);
            List<SchedulePlan> plans = new ArrayList<>();
            int failed = 0;
            boolean again = true;
            for (ScheduleEntry entry : chosen(program, schedule)) {
                try {
                    plans.add(plan(program, entry, time, now));
                } catch (KubernetesClientException e) {
                    console().warn("schedule " + entry.name() + " is not planned:");
                    again &= new Failed(console()).tell(e) == ExitCode.AGAIN;
                    failed++;
                }
            }
            if (!plans.isEmpty()) {
                write(plans);
            }
            return ExitCode.of(plans.size(), failed, again);
        }
    }

    /**
     * The schedule of a name, or all.
     *
     * @throws CommandException when there is none of that name
     */
    static List<ScheduleEntry> chosen(Wiring.Loaded program, String name) {
        List<ScheduleEntry> all = program.schedules().entries();
        if (name == null) {
            return all;
        }
        return List.of(
                program.schedules()
                        .find(name)
                        .orElseThrow(
                                () ->
                                        program.wrongFiles().isEmpty()
                                                ? CommandException.nothing(
                                                        "there is no schedule " + name,
                                                        NearMisses.hint(
                                                                name,
                                                                all.stream()
                                                                        .map(ScheduleEntry::name)
                                                                        .toList()))
                                                : CommandException.config(
                                                        "there is no schedule "
                                                                + name
                                                                + " in the files that are right",
                                                        "correct what is wrong with the others")));
    }

    private SchedulePlan plan(
            Wiring.Loaded program, ScheduleEntry entry, Optional<Instant> time, Instant now) {
        List<Instant> due = SchedulePlan.next(entry, now, Math.max(1, next));
        Instant planned =
                time.or(() -> due.stream().findFirst()).orElse(Instant.parse(Times.text(now)));
        if (entry.schedule().policy().drill().isPresent()) {
            return drillPlan(program, entry, due, planned);
        }
        boolean takes = entry.schedule().policy().pruneOnly().isEmpty();
        ClaimSearch search =
                takes
                        ? new ClaimFinder(program.claims()).search(entry.schedule())
                        : new ClaimSearch(List.of(), List.of(), Optional.empty());
        boolean isNamed = entry.schedule().policy().selection().isByName();
        List<Target> targets =
                search.candidates().stream()
                        // A run takes what is named as it is, and what is not there fails.
                        .filter(claim -> isNamed || claim.reasonToSkip().isEmpty())
                        .map(
                                claim ->
                                        new Target(
                                                claim.claim(),
                                                Optional.empty(),
                                                claim.seen().map(found -> found.uid())))
                        .toList();
        Run run = program.starts().imagine(entry.schedule(), entry.trigger(), planned, targets);
        List<ClaimPlan> plans = run.pruning().plan(program.snapshots().facts(run));
        return new SchedulePlan(
                entry,
                entry.route().map(PolicyComponent::settingsOf).orElse(Map.of()),
                program.schedules().isSuspended(entry.schedule()),
                next == 0 ? List.of() : due,
                planned,
                search.candidates(),
                plans,
                List.of(),
                search
                        .refusal()
                        .map(
                                refusal ->
                                        "whether the claims are there and bound: "
                                                + ApiErrors.reason(refusal)
                                                + " -> "
                                                + ApiErrors.remedy(refusal))
                        .stream()
                        .toList());
    }

    private SchedulePlan drillPlan(
            Wiring.Loaded program, ScheduleEntry entry, List<Instant> due, Instant planned) {
        Drills drills = program.context().getRegistry().lookupByNameAndType("drills", Drills.class);
        return new SchedulePlan(
                entry,
                entry.route().map(PolicyComponent::settingsOf).orElse(Map.of()),
                program.schedules().isSuspended(entry.schedule()),
                next == 0 ? List.of() : due,
                planned,
                List.of(),
                List.of(),
                drills.turns(entry.schedule(), entry.trigger(), planned),
                List.of());
    }

    private void write(List<SchedulePlan> plans) {
        output().write(
                        () -> {
                            Map<String, Object> document = Output.document("PlanList");
                            document.put("items", plans.stream().map(SchedulePlan::item).toList());
                            return document;
                        },
                        () ->
                                plans.stream()
                                        .flatMap(plan -> plan.removed().stream())
                                        .map(Snapshot::name)
                                        .map(SnapshotRef::shown)
                                        .toList(),
                        () -> lines(plans));
    }

    private List<String> lines(List<SchedulePlan> plans) {
        List<String> lines = new ArrayList<>();
        for (SchedulePlan plan : plans) {
            if (!lines.isEmpty()) {
                lines.add("");
            }
            lines.addAll(plan.lines(output()));
        }
        return lines;
    }
}
