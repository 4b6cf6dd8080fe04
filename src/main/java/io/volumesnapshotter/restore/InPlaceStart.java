package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Begins a restore in place: nothing is touched before it is known to be safe and possible. */
final class InPlaceStart {

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final Restores restores;
    private final SafetySnapshots safety;
    private final ClaimUsers users;
    private final Waiting waiting;
    private final Consumer<String> told;
    private final Consumer<String> waits;

    InPlaceStart(
            KubernetesClient client,
            Consumer<Change> send,
            Restores restores,
            SafetySnapshots safety,
            ClaimUsers users,
            Waiting waiting,
            Consumer<String> told,
            Consumer<String> waits) {
        this.client = client;
        this.send = send;
        this.restores = restores;
        this.safety = safety;
        this.users = users;
        this.waiting = waiting;
        this.told = told;
        this.waits = waits;
    }

    /**
     * Checks, takes a snapshot of what is there, and writes the journal.
     *
     * @param former a restore in place that is over
     * @return what was done when the wait for the snapshot was interrupted or too long
     */
    Optional<InPlaceRestores.Result> begin(InPlaceRestores.Wish wish, Optional<SwapState> former) {
        Claim target = wish.claim();
        ClaimLook claim =
                ClaimLook.at(client, target)
                        .orElseThrow(
                                () ->
                                        new RefusedException(
                                                "there is no claim " + target,
                                                "restore it with restore %s --to %s"
                                                        .formatted(target.name(), target.name())));
        if (!claim.isBound() || claim.isTerminating() || claim.volume().isEmpty()) {
            throw new RefusedException(
                    "claim %s is %s, and only one that is bound is restored in place"
                            .formatted(
                                    target,
                                    claim.isTerminating() ? "being deleted" : claim.phase()),
                    "see to that first, or restore to a new claim with --to");
        }
        List<String> problems = users.problems(target, wish.forced());
        if (!problems.isEmpty()) {
            throw new RefusedException(
                    "%s is in use, and is not touched: %s"
                            .formatted(target, String.join("; ", problems)),
                    "see to each of these, and say the same again");
        }
        Set<String> ofRestores = safety.names(target);
        Restores.Target plan =
                restores.target(
                        target,
                        wish.choice().orElse(SnapshotChoice.NEWEST),
                        wish(target, claim),
                        snapshot ->
                                !ofRestores.contains(snapshot.name())
                                        || wish.choice().flatMap(SnapshotChoice::name).isPresent());
        VolumeLook original =
                VolumeLook.at(client, claim.volume().get())
                        .orElseThrow(
                                () ->
                                        new RefusedException(
                                                "volume %s of claim %s is not there"
                                                        .formatted(claim.volume().get(), target),
                                                "restore to a new claim with --to"));
        Optional<Snapshot> before =
                takeBefore(claim, plan.claim().from().snapshot().snapshotClass());
        if (before.isEmpty()) {
            return Optional.of(
                    new InPlaceRestores.Result(
                            target,
                            plan.claim().from().name(),
                            plan.claim().from().snapshot().takenAt().toString(),
                            "",
                            original.name(),
                            "",
                            false));
        }
        former.filter(state -> !state.original().name().equals(original.name()))
                .ifPresent(this::forget);
        Journal journal = journal(wish, claim, original, plan, before.get());
        Map<String, String> annotations = new HashMap<>();
        annotations.put(Journal.ANNOTATION, journal.text());
        annotations.put(Journal.DONE, null);
        annotations.put(Journal.POLICY, null);
        send.accept(
                VolumeLook.at(client, original.name())
                        .orElseThrow()
                        .retain(
                                Map.of(
                                        Journal.LABEL,
                                        Journal.label(target),
                                        Journal.ROLE,
                                        Journal.ORIGINAL),
                                annotations));
        told.accept("volume %s, with the data that is there, is kept".formatted(original.name()));
        return Optional.empty();
    }

    private static NewClaim.Wish wish(Claim target, ClaimLook claim) {
        return new NewClaim.Wish(
                new Claim(target.namespace(), temporaryName(target, claim.uid())),
                claim.recorded().storageClass(),
                Optional.empty(),
                claim.recorded().accessModes(),
                claim.recorded().volumeMode(),
                Map.of());
    }

    private static String temporaryName(Claim claim, String uid) {
        String end = "-restored-" + ObjectNames.hash(uid + "/" + Instant.now());
        int most = ObjectNames.MAX_NAME - end.length();
        String name = claim.name();
        return (name.length() <= most ? name : name.substring(0, most)) + end;
    }

    private Journal journal(
            InPlaceRestores.Wish wish,
            ClaimLook claim,
            VolumeLook original,
            Restores.Target plan,
            Snapshot before) {
        PersistentVolumeClaim slim =
                new PersistentVolumeClaimBuilder(claim.object())
                        .editMetadata()
                        .withManagedFields(List.of())
                        .endMetadata()
                        .withStatus(null)
                        .build();
        NewClaim made = plan.claim().atLeast(claim.recorded().request());
        return new Journal(
                wish.claim().namespace(),
                wish.claim().name(),
                claim.uid(),
                made.from().name(),
                made.from().snapshot().takenAt().toString(),
                before.name(),
                made.claim().name(),
                original.policy(),
                plan.waitsForPod(),
                wish.image().orElse(HelperPod.IMAGE),
                made.manifest(claim.uid(), Map.of()),
                slim);
    }

    /** Takes the marks off the volumes of a restore in place that is over. */
    private void forget(SwapState former) {
        Map<String, String> labels = new HashMap<>();
        labels.put(Journal.LABEL, null);
        labels.put(Journal.ROLE, null);
        Map<String, String> annotations = new HashMap<>();
        annotations.put(Journal.ANNOTATION, null);
        annotations.put(Journal.DONE, null);
        send.accept(former.original().mark(labels, annotations));
        told.accept(
                "volume %s, with what was there before the restore from %s, is left to you"
                        .formatted(former.original().name(), former.journal().snapshot()));
    }

    /** The snapshot of what is there, ready; empty when the wait for it was cut short. */
    private Optional<Snapshot> takeBefore(ClaimLook claim, String snapshotClass) {
        Snapshot[] ready = new Snapshot[1];
        waiting.until(
                () -> {
                    Optional<Snapshot> fresh = safety.fresh(claim);
                    if (fresh.isEmpty()) {
                        send.accept(safety.create(claim, snapshotClass));
                        return false;
                    }
                    if (fresh.get().ready()) {
                        ready[0] = fresh.get();
                        return true;
                    }
                    waits.accept(
                            "snapshot %s of what is there: %s"
                                    .formatted(
                                            fresh.get().name(),
                                            fresh.get().error() == null
                                                    ? "not ready yet"
                                                    : fresh.get().error()));
                    return false;
                });
        return Optional.ofNullable(ready[0]);
    }
}
