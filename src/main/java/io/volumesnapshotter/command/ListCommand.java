package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.drill.Drills;
import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ClusterChoice;
import io.volumesnapshotter.run.RunListeners;
import io.volumesnapshotter.settings.NameFilter;
import io.volumesnapshotter.settings.NearMisses;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows which snapshots there are, and what keeps each of them. */
@Command(
        name = "list",
        description = "Lists snapshots by claim, whoever took them, and what keeps each of them.",
        footer = {
            "%nExamples:",
            "  All of a namespace:",
            "    volume-snapshotter list -n shop",
            "  The names of those that a schedule took of two claims:",
            "    volume-snapshotter list orders carts -n shop --schedule nightly -o name"
        })
final class ListCommand extends ClusterCommand {

    @Parameters(
            arity = "0..*",
            paramLabel = "CLAIM",
            description = {
                "Of these claims only; also of such as are not there any more.",
                "Patterns as in a schedule: data-* or !data-tmp-*."
            })
    private List<String> claims = List.of();

    @Option(
            names = {"-A", "--all-namespaces"},
            description = "Of all namespaces.")
    private boolean everywhere;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = "Those of this schedule only; on-demand are those that take took.")
    private String schedule;

    ListCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        ClusterChoice choice = cluster().choice();
        if (everywhere && choice.namespace().isPresent()) {
            throw CommandException.usage(
                    "-A and -n " + choice.namespace().get() + " exclude each other",
                    "leave out one of them");
        }
        try (Wiring.Loaded program =
                wiring().load(
                                new Wiring.Request(
                                        choice, Map.of(), new RunListeners(List.of()), false))) {
            program.wrongFiles().forEach(console()::warn);
            return list(program, choice);
        }
    }

    private int list(Wiring.Loaded program, ClusterChoice choice) {
        Optional<String> namespace =
                everywhere ? Optional.empty() : Optional.of(program.client().getNamespace());
        List<Snapshot> all = program.snapshots().all(namespace);
        Set<String> missing = missing(all);
        if (all.isEmpty() && choice.namespace().isPresent()) {
            Namespaces.check(program.client(), choice.namespace().get());
        }
        checkSchedule(program, all);
        for (String claim : missing) {
            console()
                    .error(
                            "there is no snapshot of a claim "
                                    + claim
                                    + namespace.map(name -> " in namespace " + name).orElse("")
                                    + " -> "
                                    + NearMisses.hint(claim, names(all)));
        }
        if (!claims.isEmpty() && missing.size() == Set.copyOf(claims).size()) {
            return ExitCode.NOTHING;
        }
        List<Listing.Row> rows =
                new Listing(program, Instant.now())
                        .rows(all, new NameFilter(claims), Optional.ofNullable(schedule));
        Map<Claim, Proof> proofs = proofs(program);
        output().write(
                        () -> Listing.document(rows, proofs),
                        () -> rows.stream().map(row -> SnapshotRef.shown(row.name())).toList(),
                        () -> table(rows, proofs, namespace));
        return missing.isEmpty() ? ExitCode.OK : ExitCode.SOME;
    }

    private List<String> table(
            List<Listing.Row> rows, Map<Claim, Proof> proofs, Optional<String> namespace) {
        if (rows.isEmpty()) {
            console()
                    .tell(
                            "No snapshots found"
                                    + namespace.map(name -> " in namespace " + name).orElse("")
                                    + ".");
            return List.of();
        }
        return output().lines(Listing.table(rows, proofs, everywhere, Instant.now()));
    }

    /** What drills have proven, as far as that is kept here and may be read. */
    private static Map<Claim, Proof> proofs(Wiring.Loaded program) {
        try {
            return program.context()
                    .getRegistry()
                    .lookupByNameAndType("drills", Drills.class)
                    .known();
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            return Map.of();
        }
    }

    private Set<String> missing(List<Snapshot> all) {
        Set<String> missing = new TreeSet<>(claims);
        missing.removeIf(NameFilter::isPattern);
        all.forEach(snapshot -> missing.remove(snapshot.claim().name()));
        return missing;
    }

    private static Set<String> names(List<Snapshot> all) {
        return all.stream()
                .map(snapshot -> snapshot.claim().name())
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toSet());
    }

    private void checkSchedule(Wiring.Loaded program, List<Snapshot> all) {
        if (schedule == null) {
            return;
        }
        Set<String> known = new TreeSet<>();
        program.schedules().entries().forEach(entry -> known.add(entry.name()));
        all.forEach(snapshot -> Listing.scheduleOf(snapshot).ifPresent(known::add));
        if (!known.contains(schedule) && !schedule.equals(OnDemand.SCHEDULE)) {
            throw CommandException.nothing(
                    "there is no schedule " + schedule + ", and no snapshot of one",
                    NearMisses.hint(schedule, known));
        }
    }
}
