package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.snapshot.Claim;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Decides the next step of a restore in place, or of the way back, from what the cluster shows. No
 * step needs to know what was done before, so that each can be the first one after a kill. None
 * deletes a volume: a claim is deleted only when its volume is kept whatever becomes of the claim,
 * and a volume passes on by a claimRef that names the claim that is to come.
 */
final class Swap {

    private Swap() {}

    /** The way to the restored volume. */
    static Next toRestored(SwapState state) {
        Journal journal = state.journal();
        if (state.isDone()) {
            return new Next.Done();
        }
        if (!state.isMarked()) {
            return makeRestored(state);
        }
        Optional<Next> leftover = removeTemporary(state);
        if (leftover.isPresent()) {
            return leftover.get();
        }
        VolumeLook restored = state.restored().orElseThrow();
        Optional<Next> swap = swap(state, restored, state.original());
        if (swap.isPresent()) {
            return swap.get();
        }
        String policy = restored.annotation(Journal.POLICY);
        if (!policy.isEmpty() && !policy.equals(restored.policy())) {
            return new Next.Do(
                    "volume %s gets its reclaim policy %s".formatted(restored.name(), policy),
                    restored.withPolicy(policy, Map.of(), Map.of()));
        }
        return new Next.Do(
                "the restore of %s is over".formatted(journal.target()),
                state.original().mark(Map.of(), Map.of(Journal.DONE, "true")));
    }

    /** The way back to the original volume. */
    static Next toOriginal(SwapState state) {
        Journal journal = state.journal();
        VolumeLook original = state.original();
        if (state.isDone()) {
            return new Next.Do(
                    "the way back to volume %s begins".formatted(original.name()),
                    original.mark(Map.of(), gone(Journal.DONE)));
        }
        if (state.temporary().filter(ClaimLook::isBound).isPresent() && !state.isMarked()) {
            return mark(state);
        }
        Optional<Next> leftover = removeTemporary(state);
        if (leftover.isPresent()) {
            return leftover.get();
        }
        if (!original.isRetained() && state.claim().filter(original::belongsTo).isEmpty()) {
            return new Next.Do(
                    "volume %s is kept".formatted(original.name()),
                    original.retain(Map.of(), Map.of()));
        }
        if (state.restored().isPresent()) {
            VolumeLook restored = state.restored().get();
            if (!restored.isRetained()) {
                return new Next.Do(
                        "volume %s is kept".formatted(restored.name()),
                        restored.retain(Map.of(), Map.of()));
            }
        }
        Optional<Next> swap = swap(state, original, state.restored().orElse(null));
        if (swap.isPresent()) {
            return swap.get();
        }
        if (state.restored().filter(v -> v.isReservedFor(journal.target())).isPresent()) {
            VolumeLook restored = state.restored().get();
            return new Next.Do(
                    "volume %s is kept for nobody".formatted(restored.name()),
                    restored.reserveFor(journal.temporaryClaim()));
        }
        if (state.restored().isPresent()) {
            VolumeLook restored = state.restored().get();
            return new Next.Do(
                    "volume %s is left to you".formatted(restored.name()),
                    restored.mark(gone(Journal.LABEL, Journal.ROLE), gone(Journal.POLICY)));
        }
        return new Next.Do(
                "%s has its volume %s back".formatted(journal.target(), original.name()),
                original.withPolicy(
                        journal.policy(),
                        gone(Journal.LABEL, Journal.ROLE),
                        gone(Journal.ANNOTATION, Journal.DONE)));
    }

    private static Map<String, String> gone(String... keys) {
        Map<String, String> nothing = new LinkedHashMap<>();
        for (String key : keys) {
            nothing.put(key, null);
        }
        return nothing;
    }

    private static Next makeRestored(SwapState state) {
        Journal journal = state.journal();
        if (state.temporary().isEmpty()) {
            return new Next.Do(
                    "%s is filled from %s".formatted(journal.temporaryClaim(), journal.snapshot()),
                    Change.create(
                            CoreApi.CLAIMS,
                            Optional.of(journal.namespace()),
                            journal.temporary(),
                            journal.manifest()));
        }
        ClaimLook temporary = state.temporary().get();
        if (temporary.isTerminating()) {
            return new Next.Wait(temporary.claim() + " is being deleted");
        }
        if (temporary.phase().equals("Lost")) {
            throw new RefusedException(
                    "claim %s lost its volume".formatted(temporary.claim()),
                    "go back with restore %s --undo".formatted(journal.name()));
        }
        if (!temporary.isBound()) {
            return journal.waitsForPod() && state.pod().isEmpty()
                    ? new Next.Do(
                            "a pod has the volume of %s made".formatted(temporary.claim()),
                            HelperPod.filling(journal, state.original()))
                    : new Next.Wait(temporary.claim() + " has no volume yet");
        }
        return state.restored().isEmpty()
                ? new Next.Wait(temporary.claim() + " is bound to a volume that is not seen yet")
                : mark(state);
    }

    private static Next mark(SwapState state) {
        VolumeLook restored =
                state.restored()
                        .orElseThrow(
                                () ->
                                        new RefusedException(
                                                "the volume of claim %s is not there"
                                                        .formatted(
                                                                state.journal().temporaryClaim()),
                                                "look with kubectl get pv"));
        return new Next.Do(
                "volume %s, with the restored data, is kept".formatted(restored.name()),
                restored.retain(
                        Map.of(
                                Journal.LABEL,
                                Journal.label(state.journal().target()),
                                Journal.ROLE,
                                Journal.RESTORED),
                        Map.of(Journal.POLICY, restored.policy())));
    }

    /** Takes the pod and the temporary claim away, which have done their work. */
    private static Optional<Next> removeTemporary(SwapState state) {
        String namespace = state.journal().namespace();
        if (state.pod().isPresent()) {
            SwapState.PodLook pod = state.pod().get();
            return Optional.of(
                    pod.isTerminating()
                            ? new Next.Wait("pod %s ends".formatted(pod.name()))
                            : new Next.Do(
                                    "pod %s has done its work".formatted(pod.name()),
                                    Change.delete(
                                            CoreApi.PODS,
                                            Optional.of(namespace),
                                            pod.name(),
                                            pod.uid(),
                                            pod.resourceVersion())));
        }
        if (state.temporary().isPresent()) {
            ClaimLook temporary = state.temporary().get();
            return Optional.of(
                    temporary.isTerminating()
                            ? new Next.Wait(temporary.claim() + " is being deleted")
                            : new Next.Do(
                                    "%s has done its work".formatted(temporary.claim()),
                                    delete(temporary)));
        }
        return Optional.empty();
    }

    private static Change delete(ClaimLook claim) {
        return Change.delete(
                CoreApi.CLAIMS,
                Optional.of(claim.claim().namespace()),
                claim.claim().name(),
                claim.uid(),
                claim.resourceVersion());
    }

    /**
     * Lets the claim have one volume instead of the other.
     *
     * @return empty when it has it
     */
    private static Optional<Next> swap(SwapState state, VolumeLook wanted, VolumeLook other) {
        Claim target = state.journal().target();
        ClaimLook claim = state.claim().orElse(null);
        boolean has = claim != null && claim.volume().equals(Optional.of(wanted.name()));
        if (has) {
            return claim.isTerminating()
                    ? Optional.of(new Next.Wait(target + " is being deleted"))
                    : await(claim, wanted);
        }
        if (!wanted.isReservedFor(target)) {
            return Optional.of(
                    new Next.Do(
                            "volume %s is kept for %s".formatted(wanted.name(), target),
                            wanted.reserveFor(target)));
        }
        if (claim == null) {
            return Optional.of(
                    new Next.Do(
                            "%s is made again, with volume %s".formatted(target, wanted.name()),
                            state.journal().recreate(wanted)));
        }
        if (claim.isTerminating()) {
            return Optional.of(
                    new Next.Wait(
                            target
                                    + " is being deleted"
                                    + (state.users().isEmpty()
                                            ? ""
                                            : ", and is held: "
                                                    + String.join("; ", state.users()))));
        }
        if (claim.volume().isEmpty()) {
            return Optional.of(new Next.Wait(target + " is not bound yet"));
        }
        if (other == null || !claim.volume().equals(Optional.of(other.name()))) {
            throw new RefusedException(
                    "%s was made by somebody else meanwhile, and has volume %s"
                            .formatted(target, claim.volume().get()),
                    "delete that claim if its data is not needed, and say the same again");
        }
        if (!other.isRetained()) {
            return Optional.of(
                    new Next.Do(
                            "volume %s is kept".formatted(other.name()),
                            other.retain(Map.of(), Map.of())));
        }
        if (!state.users().isEmpty()) {
            throw new RefusedException(
                    "%s is in use: %s".formatted(target, String.join("; ", state.users())),
                    "end them, and say the same again");
        }
        return Optional.of(
                new Next.Do(
                        "%s lets go of volume %s, which is kept".formatted(target, other.name()),
                        delete(claim)));
    }

    private static Optional<Next> await(ClaimLook claim, VolumeLook wanted) {
        if (claim.isBound() && wanted.belongsTo(claim)) {
            return Optional.empty();
        }
        if (claim.phase().equals("Lost")) {
            throw new RefusedException(
                    "%s is bound to volume %s, which is not its"
                            .formatted(claim.claim(), wanted.name()),
                    "look with kubectl describe pv " + wanted.name());
        }
        return Optional.of(new Next.Wait("%s is not bound yet".formatted(claim.claim())));
    }
}
