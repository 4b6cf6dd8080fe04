package io.volumesnapshotter.command;

import io.volumesnapshotter.drill.Browse;
import io.volumesnapshotter.drill.Check;
import io.volumesnapshotter.drill.TrialAccess;
import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lets one look into a snapshot, to get a file back. */
@Command(
        name = "browse",
        description = {
            "Lets you look into a snapshot: makes a temporary claim and a pod that mounts it",
            "read-only, and removes both after a time or on Ctrl-C."
        },
        footer = {
            "%nExamples:",
            "  For an hour:",
            "    volume-snapshotter browse data-hourly-20261122100000 -n shop",
            "  As the user who owns the files:",
            "    volume-snapshotter browse data-hourly-20261122100000 --user 999 --for 10m"
        })
final class BrowseCommand extends ClusterCommand {

    @Parameters(paramLabel = "SNAPSHOT", description = "The snapshot.")
    private String snapshot;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            defaultValue = "1h",
            description = "How long. Default: 1h.")
    private String time;

    @Option(
            names = "--image",
            paramLabel = "IMAGE",
            defaultValue = Check.IMAGE,
            description =
                    "The pod's image, with sleep and what you need; kubectl cp needs tar. Default: docker.io/library/busybox:1.37.")
    private String image;

    @Option(
            names = "--user",
            paramLabel = "UID",
            defaultValue = "" + RestrictedPod.NOBODY,
            description = "The uid that the pod runs as. Default: 65535.")
    private long user;

    @Option(
            names = "--storage-class",
            paramLabel = "NAME",
            description = "The temporary claim's storage class. Default: that of the claim.")
    private String storageClass;

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "How long to wait for the volume and the pod. Default: 10m.")
    private String wait;

    BrowseCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    Optional<String> component() {
        return Optional.of("drill");
    }

    @Override
    public Integer call() {
        if (user < 1) {
            throw CommandException.usage(
                    "--user " + user + ": the pod may not run as root", "give a uid above 0");
        }
        Duration open = duration("for", time);
        Duration limit = duration("wait", wait);
        try (Changing changing = Changing.load(wiring(), cluster().choice())) {
            List<String> left =
                    new Browse(
                                    new TrialAccess(
                                            changing.client(),
                                            changing::send,
                                            InstantSource.system(),
                                            new Pause(interrupts()),
                                            console()::tell))
                            .run(
                                    new Browse.Plan(
                                            changing.namespace(),
                                            snapshot,
                                            image,
                                            user,
                                            open,
                                            limit,
                                            Optional.ofNullable(storageClass)),
                                    this::write);
            if (!left.isEmpty()) {
                console()
                        .warn(
                                String.join(", ", left)
                                        + " is still there; the next browse or drill after its time removes it");
            }
        } catch (RefusedException e) {
            throw CommandException.nothing(e.getMessage(), e.remedy());
        }
        return interrupts().isInterrupted() ? ExitCode.INTERRUPTED : ExitCode.OK;
    }

    private static Duration duration(String option, String text) {
        return new Settings(name -> "--" + name, name -> Optional.of(text)).duration(option);
    }

    private void write(NewClaim claim, String pod) {
        String namespace = claim.claim().namespace();
        boolean block = claim.volumeMode().equals("Block");
        String place = block ? RestrictedPod.DEVICE : RestrictedPod.MOUNT;
        String shell = "kubectl exec -it -n %s %s -- sh".formatted(namespace, pod);
        String copy = "kubectl cp -n %s %s:%s/PATH PATH".formatted(namespace, pod, place);
        output().write(
                        () -> document(claim, pod, shell, place),
                        () -> List.of("pod/" + pod),
                        () ->
                                block
                                        ? List.of(
                                                "%s, cut at %s, is the device %s in pod %s:"
                                                        .formatted(
                                                                snapshot,
                                                                claim.from().snapshot().takenAt(),
                                                                place,
                                                                pod),
                                                "  " + shell)
                                        : List.of(
                                                "%s, cut at %s, is mounted at %s in pod %s:"
                                                        .formatted(
                                                                snapshot,
                                                                claim.from().snapshot().takenAt(),
                                                                place,
                                                                pod),
                                                "  " + shell,
                                                "  " + copy));
        console().tell("open for " + time + "; Ctrl-C closes it");
    }

    private Map<String, Object> document(NewClaim claim, String pod, String shell, String place) {
        Map<String, Object> document = Output.document("Browse");
        document.put("namespace", claim.claim().namespace());
        document.put("snapshot", snapshot);
        document.put("cutTime", claim.from().snapshot().takenAt().toString());
        document.put("pod", pod);
        document.put("path", place);
        document.put("exec", shell);
        return document;
    }
}
