package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.settings.OneLine;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Restores a claim into a new one: chooses the snapshot, decides what the new claim is, has it
 * created, and looks until it is bound. It only reads; what changes the cluster is handed to {@code
 * send}.
 */
public final class Restores {

    private static final long PAGE = 500;
    private static final int CONFLICT = 409;

    /** How often a creation is sent, and how long to wait between. */
    private static final int TRIES = 4;

    private static final Duration BETWEEN = Duration.ofSeconds(1);

    private static final String DRIVER = ApiObject.field("driver");
    private static final String PROVISIONER = ApiObject.field("provisioner");
    private static final String BINDING_MODE = ApiObject.field("volumeBindingMode");
    private static final String RECLAIM_POLICY = ApiObject.field("reclaimPolicy");
    private static final String WAITS = "WaitForFirstConsumer";

    private final KubernetesClient client;
    private final ClusterReader reader;
    private final Consumer<Change> send;

    /**
     * @param send has a change carried out; what fails is thrown
     */
    public Restores(KubernetesClient client, Consumer<Change> send) {
        this.client = client;
        this.send = send;
        reader = new ClusterReader(client);
    }

    /** How a restore ended. */
    public enum Outcome {
        /** The new claim has its volume. */
        BOUND,
        /** The new claim gets its volume when a pod uses it first. */
        WAITS_FOR_POD,
        /** The new claim has no volume yet, and was not waited for any longer. */
        PENDING,
        /** The wait was interrupted. */
        INTERRUPTED,
        /** The new claim was deleted, or lost its volume, before the wait was over. */
        GONE
    }

    /**
     * What became of a restore.
     *
     * @param made the claim that was made
     * @param why what the provisioner said last where there is no volume yet; empty where it said
     *     nothing, or where Events may not be listed
     */
    public record Result(NewClaim made, Outcome outcome, String why) {}

    /**
     * A claim that can be made.
     *
     * @param waitsForPod whether its class makes a volume only for a pod
     * @param deletesVolume whether its class deletes a volume with its claim
     */
    public record Target(NewClaim claim, boolean waitsForPod, boolean deletesVolume) {}

    /** All snapshots of a namespace, as a restore sees them. */
    public List<Restorable> snapshots(String namespace) {
        return reader.list(
                SnapshotApi.KIND,
                Optional.of(namespace),
                null,
                PAGE,
                Restorable.FIELDS,
                object -> Optional.of(Restorable.read(object)));
    }

    /**
     * Decides and checks what a restore would make; changes nothing.
     *
     * @param which which snapshots can be chosen
     * @throws RefusedException when it cannot be made
     */
    public Target target(
            Claim claim, SnapshotChoice choice, NewClaim.Wish wish, Predicate<Restorable> which) {
        Restorable from =
                choice.of(claim, snapshots(claim.namespace()).stream().filter(which).toList());
        NewClaim planned =
                NewClaim.of(wish, from, ClaimLook.at(client, claim).map(ClaimLook::recorded));
        Optional<ApiObject> storageClass =
                reader.get(
                        CoreApi.STORAGE_CLASSES,
                        Optional.empty(),
                        planned.storageClass(),
                        List.of(PROVISIONER, BINDING_MODE, RECLAIM_POLICY));
        Optional<String> driver =
                Optional.ofNullable(from.snapshot().snapshotClass())
                        .flatMap(
                                name ->
                                        reader.get(
                                                SnapshotApi.CLASSES,
                                                Optional.empty(),
                                                name,
                                                List.of(DRIVER)))
                        .map(found -> found.text(DRIVER));
        planned.check(storageClass.map(found -> found.text(PROVISIONER)), driver);
        return new Target(
                planned,
                storageClass.filter(found -> WAITS.equals(found.text(BINDING_MODE))).isPresent(),
                storageClass
                        .filter(found -> !VolumeLook.RETAIN.equals(found.text(RECLAIM_POLICY)))
                        .isPresent());
    }

    /**
     * Restores.
     *
     * @param claim whose data
     * @param planned is told what is made before it is made
     * @param pending is told what the provisioner says while there is no volume
     * @throws RefusedException when nothing was made, for a reason that is no failure of a request
     * @throws KubernetesClientException when a request failed
     */
    public Result restore(
            Claim claim,
            SnapshotChoice choice,
            NewClaim.Wish wish,
            Waiting waiting,
            Consumer<NewClaim> planned,
            Consumer<String> pending) {
        Target target = target(claim, choice, wish, any -> true);
        planned.accept(target.claim());
        create(target.claim(), waiting);
        if (target.waitsForPod() && !hasPod(target.claim().claim())) {
            return new Result(target.claim(), Outcome.WAITS_FOR_POD, "");
        }
        return await(target.claim(), waiting, pending);
    }

    private boolean hasPod(Claim made) {
        return ClaimLook.at(client, made)
                .filter(look -> look.isBound() || look.hasNode())
                .isPresent();
    }

    /** Sends the creation, and again where nobody knows what became of it. */
    private void create(NewClaim claim, Waiting waiting) {
        String restore = UUID.randomUUID().toString();
        for (int tries = 1; ; tries++) {
            try {
                send.accept(claim.create(restore, Map.of()));
                return;
            } catch (KubernetesClientException e) {
                if (e.getCode() == CONFLICT && isOwn(claim, restore)) {
                    return;
                }
                if (e.getCode() == CONFLICT) {
                    throw exists(claim);
                }
                if (!ApiErrors.isOutage(e) || tries == TRIES || !waiting.pause().test(BETWEEN)) {
                    throw e;
                }
            }
        }
    }

    /** Whether a claim that is there already is this restore's, or one that was cut off before. */
    private boolean isOwn(NewClaim claim, String restore) {
        return ClaimLook.at(client, claim.claim())
                .filter(look -> !look.isTerminating())
                .filter(
                        look ->
                                look.annotation(NewClaim.RESTORE).equals(restore)
                                        || !look.isBound()
                                                && !look.annotation(NewClaim.RESTORE).isEmpty()
                                                && look.source()
                                                        .equals(Optional.of(claim.from().name())))
                .isPresent();
    }

    private static RefusedException exists(NewClaim claim) {
        return new RefusedException(
                "there is a claim %s already, and a restore never writes into one"
                        .formatted(claim.claim()),
                "give --to another name, or restore in place with --in-place");
    }

    private Result await(NewClaim made, Waiting waiting, Consumer<String> pending) {
        Optional<?>[] seen = {Optional.empty()};
        Waiting.End end =
                waiting.until(
                        () -> {
                            Optional<ClaimLook> look = ClaimLook.at(client, made.claim());
                            seen[0] = look;
                            boolean over =
                                    look.isEmpty()
                                            || look.get().isBound()
                                            || look.get().phase().equals("Lost");
                            if (!over) {
                                pending.accept(why(look.get()));
                            }
                            return over;
                        });
        ClaimLook last = (ClaimLook) seen[0].orElse(null);
        if (last == null || last.phase().equals("Lost")) {
            return new Result(made, Outcome.GONE, last == null ? "" : "its volume is lost");
        }
        return switch (end) {
            case OVER -> new Result(made, Outcome.BOUND, "");
            case LATE -> new Result(made, Outcome.PENDING, why(last));
            case INTERRUPTED -> new Result(made, Outcome.INTERRUPTED, why(last));
        };
    }

    /** What was said last of a claim that has no volume yet, as far as Events may be listed. */
    public String why(ClaimLook claim) {
        try {
            return client
                    .v1()
                    .events()
                    .inNamespace(claim.claim().namespace())
                    .withField("involvedObject.name", claim.claim().name())
                    .list()
                    .getItems()
                    .stream()
                    .filter(event -> claim.uid().equals(event.getInvolvedObject().getUid()))
                    .filter(event -> Objects.equals(event.getType(), "Warning"))
                    .max(
                            Comparator.comparing(
                                    (Event event) ->
                                            Objects.toString(event.getLastTimestamp(), "")))
                    .map(event -> OneLine.of(Objects.toString(event.getMessage(), "")))
                    .orElse("");
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            return "";
        }
    }
}
