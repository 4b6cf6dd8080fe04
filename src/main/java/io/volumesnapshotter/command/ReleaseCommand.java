package io.volumesnapshotter.command;

import io.volumesnapshotter.snapshot.Hold;
import io.volumesnapshotter.snapshot.Snapshot;
import picocli.CommandLine.Command;

/** Ends holds. */
@Command(
        name = "release",
        description = "Ends the hold of snapshots: from now on the rules apply to them again.",
        footer = {
            "%nExamples:",
            "  One of them:",
            "    volume-snapshotter release data-hourly-20261122100000 -n shop",
            "  Two, named as list -o name writes them:",
            "    volume-snapshotter release vs/data-hourly-20261122100000 vs/db-hourly-20261122100000"
        })
final class ReleaseCommand extends HoldingCommand {

    ReleaseCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    void check() {
        // there is nothing to check
    }

    @Override
    Hold holdOf(Snapshot snapshot) {
        return Hold.NONE;
    }

    @Override
    String done(Hold hold) {
        return "released";
    }
}
