package io.volumesnapshotter.command;

import io.volumesnapshotter.snapshot.Hold;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Pins snapshots. */
@Command(
        name = "hold",
        description = "Pins snapshots: no rule deletes them as long as the hold lasts.",
        footer = {
            "%nExamples:",
            "  For good, until somebody releases it:",
            "    volume-snapshotter hold data-hourly-20261122100000 -n shop --reason audit",
            "  For a week; it ends by itself:",
            "    volume-snapshotter hold data-hourly-20261122100000 -n shop --until 7d"
        })
final class HoldCommand extends HoldingCommand {

    private static final int LONGEST_REASON = 1000;

    @Option(
            names = "--until",
            paramLabel = "TIME",
            description =
                    "When the hold ends by itself: 2026-12-01T02:00:00Z, 2026-12-01, or from now: 7d, 12h.")
    private String until;

    @Option(names = "--reason", paramLabel = "WORDS", description = "Why, for whoever finds it.")
    private String reason;

    private Instant end;

    HoldCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    void check() {
        Instant now = Instant.now();
        end = until == null ? null : Times.of("--until", until, now);
        if (end != null && !end.isAfter(now)) {
            throw CommandException.usage(
                    "--until " + Times.text(end) + " is over", "give a time in the future");
        }
        if (reason != null && (reason.isBlank() || reason.length() > LONGEST_REASON)) {
            throw CommandException.usage(
                    "--reason has " + reason.length() + " characters",
                    "give 1 to " + LONGEST_REASON);
        }
    }

    @Override
    Hold holdOf(Snapshot snapshot) {
        if (snapshot.terminating()) {
            throw CommandException.nothing(
                    snapshot.name() + " is being deleted, which a hold does not stop",
                    "hold another snapshot of the claim");
        }
        return new Hold(true, end == null ? null : Times.text(end), reason);
    }

    @Override
    String done(Hold hold) {
        return hold.until() == null ? "held" : "held until " + hold.until();
    }
}
