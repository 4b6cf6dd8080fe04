package io.volumesnapshotter.command;

import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Gives the data of a claim back, in a claim of another name. */
@Command(
        name = "restore",
        description = {
            "Makes a new claim that is filled from a snapshot of a claim.",
            "The claim itself is left alone, and may be gone."
        },
        footer = {
            "%nExamples:",
            "  The newest snapshot, into a new claim:",
            "    volume-snapshotter restore data --to data-restored -n shop",
            "  The data as it was at a time:",
            "    volume-snapshotter restore data --to data-monday --at 2026-11-23T07:00:00Z"
        })
final class RestoreCommand extends ClusterCommand {

    @Parameters(paramLabel = "CLAIM", description = "The claim whose data is wanted.")
    private String claim;

    @Option(
            names = "--to",
            paramLabel = "NEW",
            required = true,
            description = "The name of the new claim.")
    private String to;

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
            description = "How long to wait until the new claim has its volume. Default: 10m.")
    private String wait;

    private final InstantSource clock = InstantSource.system();

    RestoreCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        checkChoice();
        Duration limit =
                new Settings(name -> "--" + name, name -> Optional.of(wait)).duration("wait");
        Optional<Instant> time = Optional.ofNullable(at).map(t -> PastTime.of("--at", t, clock));
        try (Changing changing = Changing.load(wiring(), cluster().choice())) {
            String namespace = changing.namespace();
            Pause pause = new Pause(interrupts());
            Restores.Result result =
                    new Restores(changing.client(), changing::send)
                            .restore(
                                    new Claim(namespace, claim),
                                    new SnapshotChoice(
                                            time,
                                            offset,
                                            Optional.ofNullable(snapshot),
                                            Optional.ofNullable(schedule)),
                                    new NewClaim.Wish(
                                            new Claim(namespace, to),
                                            Optional.ofNullable(storageClass),
                                            Optional.ofNullable(size),
                                            accessModes,
                                            Optional.ofNullable(volumeMode),
                                            labels),
                                    new Waiting(clock, limit, pause),
                                    this::tellPlan,
                                    this::tellPending);
            console().endProgress();
            return tell(result);
        } catch (RefusedException e) {
            throw CommandException.nothing(e.getMessage(), e.remedy());
        }
    }

    private void checkChoice() {
        long ways = (at == null ? 0 : 1) + (snapshot == null ? 0 : 1) + (offset == 0 ? 0 : 1);
        if (snapshot != null && ways > 1 || offset < 0) {
            throw CommandException.usage(
                    offset < 0
                            ? "--offset %d: an offset counts back from the newest".formatted(offset)
                            : "--snapshot names one, so --at and --offset mean nothing",
                    offset < 0 ? "give 0 or more" : "leave them out");
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
