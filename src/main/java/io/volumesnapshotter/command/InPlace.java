package io.volumesnapshotter.command;

import io.volumesnapshotter.restore.InPlaceRestores;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.snapshot.Claim;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Has a claim restored in place, or that undone, and tells each step and how to go on.
 *
 * @param limit how long it was to be waited, as it was said
 */
record InPlace(Claim claim, Console console, Output output, String limit, Interrupts interrupts) {

    int restore(
            Changing changing,
            Waiting waiting,
            InstantSource clock,
            Optional<SnapshotChoice> choice,
            Optional<String> image,
            Set<String> forced) {
        return tell(
                restores(changing, waiting, clock)
                        .restore(new InPlaceRestores.Wish(claim, choice, image, forced)),
                true);
    }

    int undo(Changing changing, Waiting waiting, InstantSource clock) {
        return tell(restores(changing, waiting, clock).undo(claim), false);
    }

    private InPlaceRestores restores(Changing changing, Waiting waiting, InstantSource clock) {
        return new InPlaceRestores(
                changing.client(),
                changing::send,
                waiting,
                clock,
                console::tell,
                words -> console.progress(claim.name(), words, Colour.FAINT));
    }

    private int tell(InPlaceRestores.Result result, boolean forward) {
        console.endProgress();
        if (!result.isOver()) {
            String goOn =
                    "go on by restore %s %s, or %s"
                            .formatted(
                                    forward ? "--in-place" : "--undo",
                                    claim.name(),
                                    forward
                                            ? "back by restore --undo " + claim.name()
                                            : "to the restored data by restore --in-place "
                                                    + claim.name());
            if (interrupts.isInterrupted()) {
                console.tell("%s is in between, and no data is lost: %s".formatted(claim, goOn));
                return ExitCode.INTERRUPTED;
            }
            throw CommandException.again(
                    "%s is not done after %s, and no data is lost".formatted(claim, limit), goOn);
        }
        output.write(
                () -> document(result, forward),
                () -> List.of("persistentvolumeclaim/" + claim.name()),
                () -> forward ? restored(result) : undone(result));
        return ExitCode.OK;
    }

    private List<String> restored(InPlaceRestores.Result result) {
        return List.of(
                "%s restored in place from %s, cut at %s"
                        .formatted(claim, result.snapshot(), result.cutTime()),
                "what was there is kept in volume %s and snapshot %s"
                        .formatted(result.original(), result.before()),
                "undo: volume-snapshotter restore --undo %s -n %s"
                        .formatted(claim.name(), claim.namespace()));
    }

    private List<String> undone(InPlaceRestores.Result result) {
        String back = "%s has its volume %s back".formatted(claim, result.original());
        return result.restored().isEmpty()
                ? List.of(back)
                : List.of(
                        back,
                        "the data from %s is kept in volume %s; delete that when you do not need it"
                                .formatted(result.snapshot(), result.restored()));
    }

    private Map<String, Object> document(InPlaceRestores.Result result, boolean forward) {
        Map<String, Object> document = Output.document("RestoreInPlace");
        document.put("namespace", claim.namespace());
        document.put("name", claim.name());
        document.put("outcome", forward ? "restored" : "undone");
        document.put("snapshot", result.snapshot());
        document.put("cutTime", result.cutTime());
        document.put("before", result.before());
        document.put("originalVolume", result.original());
        document.put("restoredVolume", result.restored());
        return document;
    }
}
