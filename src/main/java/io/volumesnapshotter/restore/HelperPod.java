package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A pod that does nothing but use a claim, so that its volume is made. */
final class HelperPod {

    /** Does nothing, which is all that is asked for. */
    static final String IMAGE = "registry.k8s.io/pause:3.10";

    private HelperPod() {}

    /** One that has the volume of the temporary claim made where the original volume can be. */
    static Change filling(Journal journal, VolumeLook original) {
        return new RestrictedPod(
                        journal.temporary(),
                        journal.temporaryClaim(),
                        "Block".equals(journal.claim().getSpec().getVolumeMode()),
                        journal.image(),
                        List.of(),
                        RestrictedPod.NOBODY,
                        Optional.empty(),
                        Places.required(original),
                        Map.of(
                                "app.kubernetes.io/managed-by",
                                SnapshotLabels.PROGRAM,
                                Journal.LABEL,
                                Journal.label(journal.target())),
                        Map.of())
                .create();
    }
}
