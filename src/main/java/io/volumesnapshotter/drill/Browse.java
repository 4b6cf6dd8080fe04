package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.Places;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Lets one look into a snapshot: a temporary claim, and a pod that mounts it, for a while. */
public final class Browse {

    private static final Duration TO_REMOVE = Duration.ofMinutes(5);

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final InstantSource clock;
    private final Predicate<Duration> pause;
    private final Consumer<String> told;

    /**
     * @param send has a change carried out; what fails is thrown
     * @param pause waits for a time; false when the wait was interrupted
     * @param told is told what goes on
     */
    public Browse(
            KubernetesClient client,
            Consumer<Change> send,
            InstantSource clock,
            Predicate<Duration> pause,
            Consumer<String> told) {
        this.client = client;
        this.send = send;
        this.clock = clock;
        this.pause = pause;
        this.told = told;
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
        Trial.removeLeftovers(client, send, plan.namespace(), clock.instant(), told);
        Trial trial =
                new Trial(
                        client,
                        send,
                        new Claim(plan.namespace(), plan.snapshot()),
                        "browse",
                        clock,
                        plan.limit().plus(plan.time()).plus(TO_REMOVE));
        NewClaim claim = claim(plan, trial);
        try {
            open(plan, trial, claim, open);
        } catch (RefusedException | KubernetesClientException e) {
            trial.remove(removal());
            throw e;
        }
        return trial.remove(removal());
    }

    private Waiting removal() {
        return new Waiting(
                clock,
                TO_REMOVE,
                time -> {
                    if (!pause.test(time)) {
                        LockSupport.parkNanos(time.toNanos());
                    }
                    return true;
                });
    }

    private NewClaim claim(Plan plan, Trial trial) {
        Restores restores = new Restores(client, send);
        Claim of =
                restores.snapshots(plan.namespace()).stream()
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
                restores.target(
                        of,
                        new SnapshotChoice(
                                Optional.empty(),
                                0,
                                Optional.of(plan.snapshot()),
                                Optional.empty()),
                        new NewClaim.Wish(
                                trial.claim(),
                                plan.storageClass(),
                                Optional.empty(),
                                List.of(),
                                Optional.empty(),
                                trial.labels()),
                        any -> true);
        if (!target.deletesVolume()) {
            throw new RefusedException(
                    "storage class %s keeps the volumes of deleted claims, so one would be left"
                            .formatted(target.claim().storageClass()),
                    "give --storage-class one of the same driver with reclaimPolicy Delete");
        }
        return target.claim();
    }

    private void open(Plan plan, Trial trial, NewClaim claim, BiConsumer<NewClaim, String> open) {
        send.accept(claim.create(UUID.randomUUID().toString(), trial.annotations()));
        Duration longest = plan.limit().plus(plan.time());
        send.accept(
                new RestrictedPod(
                                trial.claim().name(),
                                trial.claim(),
                                claim.volumeMode().equals("Block"),
                                plan.image(),
                                List.of("sleep", Long.toString(longest.toSeconds())),
                                plan.user(),
                                Optional.of(longest),
                                Places.besides(client, claim.from().snapshot().claim()),
                                trial.labels(),
                                trial.annotations())
                        .create());
        Waiting.End end =
                new Waiting(clock, plan.limit(), pause)
                        .until(() -> pod(trial).filter(Verdict::hasStarted).isPresent());
        if (end == Waiting.End.INTERRUPTED) {
            return;
        }
        if (end == Waiting.End.LATE || pod(trial).filter(Verdict::hasEnded).isPresent()) {
            String why = pod(trial).map(Verdict::whyNotStarted).orElse("");
            throw new RefusedException(
                    "the pod did not start within %s%s"
                            .formatted(
                                    Settings.text(plan.limit()), why.isEmpty() ? "" : ": " + why),
                    "look at the image, and at the storage class; nothing is left");
        }
        open.accept(claim, trial.claim().name());
        new Waiting(clock, plan.time(), pause).until(() -> pod(trial).isEmpty());
    }

    private Optional<Pod> pod(Trial trial) {
        return Optional.ofNullable(
                client.pods()
                        .inNamespace(trial.claim().namespace())
                        .withName(trial.claim().name())
                        .get());
    }
}
