package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.run.RunListener;
import io.volumesnapshotter.schedule.ClaimFinder;
import io.volumesnapshotter.schedule.ClaimSearch;
import io.volumesnapshotter.schedule.ClaimSearch.Candidate;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.settings.NameFilter;
import io.volumesnapshotter.settings.NearMisses;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.Route;
import picocli.CommandLine.Option;

/** A command that fires a run and waits for its end. */
abstract class RunningCommand extends ClusterCommand {

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            converter = ClusterOptions.Limit.class,
            description =
                    "How long a snapshot may take to become ready, such as 90s, 15m. Default: ready-timeout.")
    private Duration wait;

    RunningCommand(CommandEnvironment environment) {
        super(environment);
    }

    /** How long a snapshot may take, where that was said. */
    final Optional<Duration> waiting() {
        return Optional.ofNullable(wait);
    }

    /** The program, with whoever listens to the run. */
    final Wiring.Loaded load(RunListener listener, boolean needsClaims) {
        Wiring.Loaded program =
                wiring().load(
                                new Wiring.Request(
                                        cluster().choice(), Map.of(), listener, needsClaims));
        program.wrongFiles().forEach(console()::warn);
        return program;
    }

    /**
     * Finds the claims of a schedule before anything is asked for.
     *
     * @param only names of those that are wanted; empty for all
     * @throws CommandException when there is no such claim, or no snapshot can be taken of it
     */
    final List<Target> find(Wiring.Loaded program, Schedule schedule, Collection<String> only) {
        NameFilter wanted = new NameFilter(List.copyOf(only));
        ClaimFinder finder = new ClaimFinder(program.claims());
        ClaimSearch search = finder.search(schedule);
        boolean isNamed = schedule.policy().selection().isByName();
        List<Candidate> candidates =
                search.candidates().stream().filter(c -> wanted.accepts(c.claim().name())).toList();
        checkNames(search, candidates, only, schedule);
        List<Target> targets = new ArrayList<>();
        for (Candidate candidate : candidates) {
            if (candidate.reasonToSkip().isEmpty()) {
                targets.add(finder.target(schedule, candidate));
            } else if (isNamed || wanted.isExact()) {
                throw CommandException.nothing(
                        "claim " + candidate.claim() + ": " + candidate.reasonToSkip().get(),
                        remedy(program, search, candidate));
            } else {
                console()
                        .warn(
                                candidate.claim()
                                        + " is left out: "
                                        + candidate.reasonToSkip().get());
            }
        }
        if (targets.isEmpty()) {
            throw CommandException.nothing(
                    "no claim is selected", "plan shows which claims there are, and why not");
        }
        return targets;
    }

    private static void checkNames(
            ClaimSearch search,
            List<Candidate> candidates,
            Collection<String> only,
            Schedule schedule) {
        Set<String> found =
                candidates.stream().map(c -> c.claim().name()).collect(Collectors.toSet());
        for (String name : only) {
            if (!NameFilter.isPattern(name) && !found.contains(name)) {
                throw CommandException.nothing(
                        "schedule " + schedule.name() + " takes no claim " + name,
                        NearMisses.hint(
                                name,
                                search.candidates().stream().map(c -> c.claim().name()).toList()));
            }
        }
    }

    private static String remedy(Wiring.Loaded program, ClaimSearch search, Candidate candidate) {
        if (candidate.seen().isPresent()) {
            return "no snapshot can be taken of it: mend it, or leave it out";
        }
        Claim claim = candidate.claim();
        Namespaces.check(program.client(), claim.namespace());
        String near = NearMisses.hint(claim.name(), names(program, search, claim));
        return near.isEmpty() ? "create it or correct its name" : near;
    }

    private static Collection<String> names(
            Wiring.Loaded program, ClaimSearch search, Claim claim) {
        if (!search.names().isEmpty()) {
            return search.names();
        }
        try {
            return new ClaimFinder(program.claims()).names(claim.namespace());
        } catch (KubernetesClientException e) {
            // The near misses are a help, and no more.
            return List.of();
        }
    }

    /** Fires the run, waits for its end, and tells what became of it. */
    final int fire(
            AttendedRun attended,
            Route route,
            Firing firing,
            List<Target> targets,
            String howToGoOn) {
        attended.fire(route, firing, targets, interrupts(), howToGoOn);
        output().write(
                        attended::document,
                        () -> attended.names().stream().map(SnapshotRef::shown).toList(),
                        () -> output().lines(attended.table()));
        return attended.exitCode(interrupts());
    }
}
