package io.volumesnapshotter.command;

import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Gives the data of a claim back, in a claim of another name or in place. */
@Command(
        name = "restore",
        description = {
            "Gives the data of a claim back from a snapshot: in a new claim, or in place.",
            "No volume is ever deleted."
        },
        footer = {
            "%nExamples:",
            "  The newest snapshot, into a new claim:",
            "    volume-snapshotter restore data --to data-restored -n shop",
            "  The data as it was at a time:",
            "    volume-snapshotter restore data --to data-monday --at 2026-11-23T07:00:00Z",
            "  In place, once nothing uses the claim, and back again:",
            "    volume-snapshotter restore --in-place data",
            "    volume-snapshotter restore --undo data"
        })
final class RestoreCommand extends ClusterCommand {

    @Parameters(paramLabel = "CLAIM", description = "The claim whose data is wanted.")
    private String claim;

    @Option(
            names = "--to",
            paramLabel = "NEW",
            description = "Makes a new claim of this name, and leaves CLAIM alone.")
    private String to;

    @Option(
            names = "--in-place",
            description =
                    "Gives CLAIM a volume with the restored data. The one that it has is kept, and --undo gives it back.")
    private boolean inPlace;

    @Option(names = "--undo", description = "Undoes a restore in place, at whatever step it is.")
    private boolean undo;

    @Option(
            names = "--at",
            paramLabel = "TIME",
            description =
                    "The data as of this time: the last snapshot that was cut by then. A time such as 2026-11-22T07:00:00Z, or how long ago, such as 3h.")
    private String at;

    @Option(
            names = "--offset",
            paramLabel = "N",
            defaultValue = "0",
            description = "So many snapshots before the newest. Default: 0, the newest.")
    private int offset;

    @Option(names = "--snapshot", paramLabel = "NAME", description = "This snapshot.")
    private String snapshot;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = "Only snapshots of this schedule.")
    private String schedule;

    @Option(
            names = "--storage-class",
            paramLabel = "NAME",
            description = "The new claim's storage class. Default: that of the claim.")
    private String storageClass;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            description =
                    "What the new claim asks for. Default: the largest of what the snapshot needs and what the claim had and asked for.")
    private String size;

    @Option(
            names = "--access-mode",
            paramLabel = "MODE",
            description =
                    "An access mode; may be given more than once. Default: those of the claim.")
    private List<String> accessModes = List.of();

    @Option(
            names = "--volume-mode",
            paramLabel = "MODE",
            description = "Filesystem or Block. Default: that of the claim.")
    private String volumeMode;

    @Option(
            names = "--labels",
            paramLabel = "KEY=VALUE",
            split = ",",
            description = "Labels of the new claim. Default: none.")
    private Map<String, String> labels = Map.of();

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "How long to wait until it is done. Default: 10m.")
    private String wait;

    @Option(
            names = "--force",
            paramLabel = "OWNER",
            description =
                    "With --in-place: an owner that you answer for, such as statefulset/db, though it deletes its claims or is kept as it is in git.")
    private List<String> force = List.of();

    @Option(
            names = "--image",
            paramLabel = "IMAGE",
            description =
                    "With --in-place: the image of the pod that has the volume made where the class waits for one. Default: registry.k8s.io/pause:3.10.")
    private String image;

    private final InstantSource clock = InstantSource.system();

    RestoreCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    Optional<String> component() {
        return Optional.of(inPlace || undo ? "restore-in-place" : "restore");
    }

    @Override
    public Integer call() {
        checkArguments();
        Duration limit =
                new Settings(name -> "--" + name, name -> Optional.of(wait)).duration("wait");
        SnapshotChoice choice =
                new SnapshotChoice(
                        Optional.ofNullable(at).map(t -> PastTime.of("--at", t, clock)),
                        offset,
                        Optional.ofNullable(snapshot),
                        Optional.ofNullable(schedule));
        try (Changing changing = Changing.load(wiring(), cluster().choice())) {
            Waiting waiting = new Waiting(clock, limit, new Pause(interrupts()));
            Claim of = new Claim(changing.namespace(), claim);
            if (to != null) {
                return restore(changing, of, choice, waiting);
            }
            InPlace inPlaceOf = new InPlace(of, console(), output(), wait, interrupts());
            return undo
                    ? inPlaceOf.undo(changing, waiting, clock)
                    : inPlaceOf.restore(
                            changing,
                            waiting,
                            clock,
                            choice.equals(SnapshotChoice.NEWEST)
                                    ? Optional.empty()
                                    : Optional.of(choice),
                            Optional.ofNullable(image),
                            Set.copyOf(force));
        } catch (RefusedException e) {
            throw CommandException.nothing(e.getMessage(), e.remedy());
        }
    }

    private int restore(Changing changing, Claim of, SnapshotChoice choice, Waiting waiting) {
        NewClaim.Wish wish =
                new NewClaim.Wish(
                        new Claim(of.namespace(), to),
                        Optional.ofNullable(storageClass),
                        Optional.ofNullable(size),
                        accessModes,
                        Optional.ofNullable(volumeMode),
                        labels);
        Restores.Result result =
                new Restores(changing.client(), changing::send)
                        .restore(of, choice, wish, waiting, this::tellPlan, this::tellPending);
        console().endProgress();
        return tell(result);
    }

    private void checkArguments() {
        long ways = Stream.of(to != null, inPlace, undo).filter(way -> way).count();
        if (ways != 1) {
            throw CommandException.usage(
                    ways == 0
                            ? "what is to be done with %s?".formatted(claim)
                            : "--to, --in-place and --undo are three different things",
                    "say one of --to NEW, --in-place, --undo");
        }
        if (offset < 0) {
            throw CommandException.usage(
                    "--offset %d: an offset counts back from the newest".formatted(offset),
                    "give 0 or more");
        }
        if (snapshot != null && (at != null || offset > 0)) {
            throw CommandException.usage(
                    "--snapshot names one, so --at and --offset mean nothing", "leave them out");
        }
        boolean describes =
                storageClass != null
                        || size != null
                        || volumeMode != null
                        || !accessModes.isEmpty()
                        || !labels.isEmpty();
        if (to == null && describes) {
            throw CommandException.usage(
                    "--storage-class, --size, --access-mode, --volume-mode and --labels describe a"
                            + " new claim, and %s stays as it is".formatted(claim),
                    "leave them out, or restore with --to");
        }
        boolean chooses = at != null || snapshot != null || schedule != null || offset > 0;
        if (undo && chooses) {
            throw CommandException.usage(
                    "--undo takes no snapshot: it gives the volume back", "leave the choice out");
        }
    }

    private void tellPlan(NewClaim made) {
        console()
                .tell(
                        "%s from snapshot %s, cut at %s: storage class %s, %s, %s, %s (%s)"
                                .formatted(
                                        made.claim(),
                                        made.from().name(),
                                        made.from().snapshot().takenAt(),
                                        made.storageClass(),
                                        String.join(",", made.accessModes()),
                                        made.volumeMode(),
                                        made.size(),
                                        made.sizeFrom()));
    }

    private void tellPending(String why) {
        console()
                .progress(
                        to,
                        why.isEmpty() ? "pending" : "pending: " + why,
                        why.isEmpty() ? Colour.FAINT : Colour.YELLOW);
    }

    private int tell(Restores.Result result) {
        NewClaim made = result.made();
        String because = result.why().isEmpty() ? "" : ": " + result.why();
        switch (result.outcome()) {
            case PENDING ->
                    throw CommandException.again(
                            "claim %s has no volume after %s%s"
                                    .formatted(made.claim(), wait, because),
                            "it stays and may still get one: look with kubectl describe pvc -n %s"
                                            .formatted(made.claim().namespace())
                                    + " %s, or delete it".formatted(made.claim().name()));
            case GONE ->
                    throw CommandException.nothing(
                            "claim %s was deleted or lost its volume meanwhile%s"
                                    .formatted(made.claim(), because),
                            "restore again");
            case INTERRUPTED -> {
                console()
                        .tell(
                                "claim %s stays and may still get its volume; delete it if you do not want it"
                                        .formatted(made.claim()));
                return ExitCode.INTERRUPTED;
            }
            case BOUND, WAITS_FOR_POD -> {
                write(result);
                return ExitCode.OK;
            }
        }
        throw new IllegalStateException(result.toString());
    }

    private void write(Restores.Result result) {
        NewClaim made = result.made();
        boolean waits = result.outcome() == Restores.Outcome.WAITS_FOR_POD;
        output().write(
                        () -> document(result),
                        () -> List.of("persistentvolumeclaim/" + made.claim().name()),
                        () ->
                                List.of(
                                        waits
                                                ? "%s waits for its first pod: its class %s makes the volume then"
                                                        .formatted(
                                                                made.claim(), made.storageClass())
                                                : "%s restored from %s, cut at %s"
                                                        .formatted(
                                                                made.claim(),
                                                                made.from().name(),
                                                                made.from().snapshot().takenAt())));
    }

    private static Map<String, Object> document(Restores.Result result) {
        NewClaim made = result.made();
        Map<String, Object> document = Output.document("Restore");
        document.put("namespace", made.claim().namespace());
        document.put("name", made.claim().name());
        document.put(
                "outcome",
                result.outcome() == Restores.Outcome.BOUND ? "bound" : "waits-for-first-pod");
        Map<String, Object> from = new LinkedHashMap<>();
        from.put("claim", made.from().snapshot().claim().name());
        from.put("snapshot", made.from().name());
        from.put("cutTime", made.from().snapshot().takenAt().toString());
        document.put("from", from);
        document.put("storageClass", made.storageClass());
        document.put("accessModes", made.accessModes());
        document.put("volumeMode", made.volumeMode());
        document.put("size", made.size().text());
        document.put("sizeFrom", made.sizeFrom());
        return document;
    }
}
