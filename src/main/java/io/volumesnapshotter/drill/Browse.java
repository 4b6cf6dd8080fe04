package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;

/** Lets one look into a snapshot: a temporary claim, and a pod that mounts it, for a while. */
public final class Browse {

    private final TrialAccess access;

    public Browse(TrialAccess access) {
        this.access = access;
    }

    /**
     * What is to be looked into, and how.
     *
     * @param time how long
     * @param limit how long to wait for the volume and the pod
     * @param storageClass the class of the temporary claim, where it is not that of the claim
     */
    public record Plan(
            String namespace,
            String snapshot,
            String image,
            long user,
            Duration time,
            Duration limit,
            Optional<String> storageClass) {}

    /**
     * Opens it, waits, and removes what was made.
     *
     * @param open is told the claim that was made and the pod, once that runs
     * @return what could not be removed
     * @throws RefusedException when the snapshot cannot be looked into
     */
    public List<String> run(Plan plan, BiConsumer<NewClaim, String> open) {
        Trial.removeLeftovers(access, plan.namespace());
        Trial trial =
                new Trial(
                        access,
                        new Claim(plan.namespace(), plan.snapshot()),
                        "browse",
                        plan.limit().plus(plan.time()));
        NewClaim claim = claim(plan, trial);
        try {
            open(plan, trial, claim, open);
        } catch (RefusedException | KubernetesClientException e) {
            trial.remove();
            throw e;
        }
        return trial.remove();
    }

    private NewClaim claim(Plan plan, Trial trial) {
        Claim of =
                access.restores().snapshots(plan.namespace()).stream()
                        .filter(snapshot -> snapshot.name().equals(plan.snapshot()))
                        .map(snapshot -> snapshot.snapshot().claim())
                        .findFirst()
                        .orElse(new Claim(plan.namespace(), plan.snapshot()));
        if (of.name().isEmpty()) {
            throw new RefusedException(
                    "snapshot %s was not taken of a claim here".formatted(plan.snapshot()),
                    "restore it with a claim of your own");
        }
        Restores.Target target =
                trial.target(
                        of,
                        new SnapshotChoice(
                                Optional.empty(),
                                0,
                                Optional.of(plan.snapshot()),
                                Optional.empty()),
                        plan.storageClass());
        if (!target.deletesVolume()) {
            throw new RefusedException(
                    Trial.keepsVolumes(target.claim()),
                    "give --storage-class one of the same driver with reclaimPolicy Delete");
        }
        return target.claim();
    }

    private void open(Plan plan, Trial trial, NewClaim claim, BiConsumer<NewClaim, String> open) {
        Duration longest = plan.limit().plus(plan.time());
        trial.make(
                claim,
                new Trial.Work(
                        UUID.randomUUID().toString(),
                        plan.image(),
                        List.of("sleep", Long.toString(longest.toSeconds())),
                        plan.user(),
                        longest));
        Waiting.End end =
                access.waiting(plan.limit())
                        .until(() -> trial.pod().filter(Verdict::hasStarted).isPresent());
        if (end == Waiting.End.INTERRUPTED) {
            return;
        }
        if (end == Waiting.End.LATE || trial.pod().filter(Verdict::hasEnded).isPresent()) {
            String why = trial.pod().map(Verdict::whyNotStarted).orElse("");
            throw new RefusedException(
                    "the pod did not start within %s%s"
                            .formatted(
                                    Settings.text(plan.limit()), why.isEmpty() ? "" : ": " + why),
                    "look at the image, and at the storage class; nothing is left");
        }
        open.accept(claim, trial.claim().name());
        access.waiting(plan.time()).until(() -> trial.pod().isEmpty());
    }
}
