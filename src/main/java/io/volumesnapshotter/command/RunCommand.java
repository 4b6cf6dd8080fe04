package io.volumesnapshotter.command;

import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.schedule.Trigger;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.camel.Route;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a schedule once. */
@Command(
        name = "run",
        description =
                "Runs a schedule once, now, as if it were due, and waits for the end of the run.",
        footer = {
            "%nExamples:",
            "  All of its claims:",
            "    volume-snapshotter run nightly -n shop",
            "  One of them, waiting five minutes at most for it to become ready:",
            "    volume-snapshotter run nightly -n shop --claim orders --wait 5m"
        })
final class RunCommand extends RunningCommand {

    @Parameters(arity = "1", paramLabel = "SCHEDULE", description = "The schedule.")
    private String name;

    @Option(
            names = "--claim",
            paramLabel = "CLAIM",
            description =
                    "Of its claims only this one, or those of a pattern; may be given more than once.")
    private List<String> claims = List.of();

    @Option(
            names = "--run",
            paramLabel = "KEY",
            description = {
                "A key of yours, or the time of a run as it stands in its name:",
                "asked again with it, nothing is taken twice."
            })
    private String run;

    @Option(
            names = "--job",
            paramLabel = "NAME",
            description = {
                "The name of the Job that this runs in. That of a CronJob says when it was due,",
                "any other is the key of the run."
            })
    private String job;

    RunCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (run != null && job != null) {
            throw CommandException.usage("--run and --job are given", "leave out one of them");
        }
        Instant now = Instant.now();
        AttendedRun attended = new AttendedRun(console());
        try (Wiring.Loaded program = load(attended, true)) {
            ScheduleEntry entry = PlanCommand.chosen(program, name).get(0);
            if (program.schedules().isSuspended(entry.schedule())) {
                throw CommandException.config(
                        "schedule " + name + " is suspended", "take suspend out of its settings");
            }
            if (entry.schedule().policy().drill().isPresent()) {
                throw CommandException.usage(
                        "schedule " + name + " drills", "drill its claims with drill CLAIM");
            }
            RunKey key = key(now);
            Schedule schedule = new Schedule(name, entry.schedule().policy().attended(waiting()));
            boolean takes = schedule.policy().pruneOnly().isEmpty();
            if (!takes && !claims.isEmpty()) {
                throw CommandException.usage(
                        "--claim: schedule " + name + " only prunes", "leave it out");
            }
            List<Target> targets = takes ? find(program, schedule, claims) : List.of();
            Route route = entry.route().orElseThrow();
            return fire(
                    attended,
                    route,
                    key.firing(schedule, entry.trigger().map(Trigger::zone).orElse(ZoneOffset.UTC)),
                    targets,
                    again(key));
        }
    }

    private RunKey key(Instant now) {
        if (run != null) {
            return RunKey.of(name, run, now);
        }
        return job == null || job.isEmpty() ? RunKey.now(now) : RunKey.ofJob(name, job, now);
    }

    private String again(RunKey key) {
        StringBuilder command = new StringBuilder("volume-snapshotter run " + name);
        cluster().choice().namespace().ifPresent(ns -> command.append(" -n ").append(ns));
        claims.forEach(claim -> command.append(" --claim ").append(claim));
        return command.append(" --run ").append(key.text(name)).toString();
    }
}
