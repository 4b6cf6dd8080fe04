package io.volumesnapshotter.command;

import io.volumesnapshotter.run.Failure;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.run.MissedFires;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunListener;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Route;

/**
 * A run that a command fires and waits for. It shows how far each claim is, tells what fails, and
 * says in the end what became of all. Safe for use by the run's threads.
 */
final class AttendedRun implements RunListener {

    private final Console console;
    private final Map<Claim, Snapshot> ready = new LinkedHashMap<>();
    private final Map<Claim, Failure> failures = new LinkedHashMap<>();
    private final Map<Claim, List<String>> deleted = new LinkedHashMap<>();
    private final List<Failure> others = new ArrayList<>();
    private boolean isPassing = true;
    private Run run;

    AttendedRun(Console console) {
        this.console = console;
    }

    /**
     * Fires a schedule's route, and returns when the run has ended.
     *
     * @param howToGoOn the command that goes on with the run after an interrupt, by its name
     * @throws CommandException when no run began
     */
    void fire(
            Route route,
            Firing firing,
            List<Target> targets,
            Interrupts interrupts,
            String howToGoOn) {
        targets.forEach(t -> console.progress(t.claim().toString(), "waits", Colour.FAINT));
        interrupts.onInterrupt(() -> interrupt(howToGoOn));
        Optional<Exception> failure = MissedFires.fire(route, firing, targets);
        console.endProgress();
        if (failure.isPresent()) {
            throw CommandException.nothing(
                    firing.run() + " failed: " + failure.get().getMessage(),
                    "look at it with --verbose");
        }
        if (run() == null && others.isEmpty()) {
            throw CommandException.config(
                    "schedule " + firing.schedule().name() + " is suspended",
                    "take suspend out of its settings");
        }
    }

    private synchronized Run run() {
        return run;
    }

    private void interrupt(String howToGoOn) {
        Run started = run();
        console.endProgress();
        if (started == null) {
            console.tell("interrupted: nothing was asked for yet");
            return;
        }
        started.giveUp("interrupted");
        List<Claim> asked =
                started.claims().stream()
                        .filter(claim -> !started.unrequested().contains(claim))
                        .toList();
        List<String> open =
                asked.stream()
                        .filter(claim -> !started.ready().contains(claim))
                        .map(claim -> claim.namespace() + "/" + started.snapshotOf(claim))
                        .toList();
        console.tell(
                "interrupted: "
                        + started.ready().size()
                        + " of "
                        + started.claims().size()
                        + " ready; "
                        + (open.isEmpty()
                                ? "nothing is under way"
                                : "the cluster goes on with " + String.join(", ", open)));
        console.tell("go on with: " + howToGoOn);
        console.tell("Ctrl-C ends it at once");
    }

    @Override
    public synchronized void started(Run begun) {
        run = begun;
    }

    @Override
    public void created(Run of, Claim claim, String snapshot, boolean isNew) {
        console.progress(
                claim.toString(),
                (isNew ? "asked for " : "already there: ") + snapshot,
                Colour.NONE);
    }

    @Override
    public void delayed(Run of, Claim claim, String words) {
        console.progress(claim.toString(), "not yet: " + words, Colour.YELLOW);
    }

    @Override
    public synchronized void ready(Run of, Claim claim, Snapshot snapshot) {
        ready.put(claim, snapshot);
        failures.remove(claim);
        console.progress(claim.toString(), "ready " + snapshot.name(), Colour.GREEN);
    }

    @Override
    public synchronized void lost(Run of, Claim claim) {
        ready.remove(claim);
    }

    @Override
    public void listed(Run of, Collection<Snapshot> listed) {
        // what is there besides is no part of the result
    }

    @Override
    public synchronized void pruned(Run of, Snapshot snapshot, String reason) {
        deleted.computeIfAbsent(snapshot.claim(), any -> new ArrayList<>()).add(snapshot.name());
        console.tell(snapshot.claim() + ": deleted " + snapshot.name() + ": " + reason);
    }

    @Override
    public void failed(Failure letter) {
        failed(letter, false);
    }

    @Override
    public synchronized void failed(Failure letter, boolean mayPass) {
        isPassing &= mayPass;
        if (letter.claim().isEmpty()) {
            others.add(letter);
        } else {
            Claim claim = new Claim(letter.namespace(), letter.claim());
            failures.put(claim, letter);
            console.progress(claim.toString(), "failed", Colour.RED);
        }
        console.error(
                letter.subject().trim() + (letter.claim().isEmpty() ? "" : ": ") + words(letter));
    }

    private static String words(Failure letter) {
        return letter.reason() + (letter.remedy().isEmpty() ? "" : " -> " + letter.remedy());
    }

    @Override
    public void ended(Run of) {
        // the command waits for it
    }

    /** What the command ends with. */
    synchronized int exitCode(Interrupts interrupts) {
        if (interrupts.isInterrupted()) {
            return ExitCode.INTERRUPTED;
        }
        if (run == null) {
            return isPassing ? ExitCode.AGAIN : ExitCode.NOTHING;
        }
        int all = run.claims().size();
        int well = run.ready().size();
        int failed = all - well + others.size() + (run.givenUp().isPresent() ? 1 : 0);
        return run.prunesOnly() && failed == 0
                ? ExitCode.OK
                : ExitCode.of(well, failed, isPassing && run.givenUp().isEmpty());
    }

    /** What became of each claim, for people. */
    synchronized Table table() {
        Table table = new Table("CLAIM", "SNAPSHOT", "OUTCOME", "SIZE");
        if (run != null) {
            for (Claim claim : run.claims()) {
                Snapshot snapshot = ready.get(claim);
                String outcome = outcome(claim);
                table.add(
                        List.of(
                                Table.Cell.of(claim.toString()),
                                Table.Cell.of(run.snapshotOf(claim)),
                                new Table.Cell(outcome, colour(outcome)),
                                Table.Cell.of(
                                        snapshot == null || snapshot.size() == null
                                                ? "-"
                                                : snapshot.size())));
            }
        }
        return table;
    }

    private static Colour colour(String outcome) {
        return switch (outcome) {
            case "ready" -> Colour.GREEN;
            case "failed" -> Colour.RED;
            default -> Colour.YELLOW;
        };
    }

    private String outcome(Claim claim) {
        if (run.ready().contains(claim)) {
            return "ready";
        }
        if (failures.containsKey(claim)) {
            return "failed";
        }
        return run.unrequested().contains(claim) ? "not asked for" : "under way";
    }

    /** The snapshots that are ready. */
    synchronized List<String> names() {
        return ready.values().stream().map(Snapshot::name).toList();
    }

    /** What became of all, for machines. */
    synchronized Map<String, Object> document() {
        Map<String, Object> document = Output.document("RunResult");
        document.put("run", run == null ? null : run.name());
        document.put("schedule", run == null ? null : run.schedule());
        document.put("failures", others.stream().map(AttendedRun::words).toList());
        document.put(
                "items", run == null ? List.of() : run.claims().stream().map(this::item).toList());
        return document;
    }

    private Map<String, Object> item(Claim claim) {
        Snapshot snapshot = ready.get(claim);
        Failure failure = failures.get(claim);
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("namespace", claim.namespace());
        item.put("claim", claim.name());
        item.put("snapshot", run.snapshotOf(claim));
        item.put("outcome", outcome(claim));
        item.put("cutAt", snapshot == null ? null : Times.text(snapshot.takenAt()));
        item.put("size", snapshot == null ? null : snapshot.size());
        item.put("reason", failure == null ? null : failure.reason());
        item.put("remedy", failure == null ? null : failure.remedy());
        item.put("deleted", deleted.getOrDefault(claim, List.of()));
        return item;
    }
}
