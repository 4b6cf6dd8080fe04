package io.volumesnapshotter.restore;

import java.util.List;
import java.util.Optional;

/**
 * What one look at the cluster showed of a restore in place.
 *
 * @param claim the claim of the name that data is restored under
 * @param original the volume that the claim had
 * @param restored the volume that is to take its place, once that is known
 * @param temporary the claim that the restored volume is made by
 * @param pod whether the pod is there that has it made, and whether that is on its way out
 * @param users pods that use the claim, with what to do about each
 */
record SwapState(
        Journal journal,
        Optional<ClaimLook> claim,
        VolumeLook original,
        Optional<VolumeLook> restored,
        Optional<ClaimLook> temporary,
        Optional<PodLook> pod,
        List<String> users) {

    /** A pod that is there. */
    record PodLook(String name, String uid, String resourceVersion, boolean isTerminating) {}

    /** Whether the restored volume carries its labels, so that it is found without its claim. */
    boolean isMarked() {
        return restored.filter(volume -> Journal.RESTORED.equals(volume.label(Journal.ROLE)))
                .isPresent();
    }

    boolean isDone() {
        return !original.annotation(Journal.DONE).isEmpty();
    }
}
