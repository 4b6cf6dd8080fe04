package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The snapshots of what was there before a restore in place. They belong to no schedule, so that
 * nothing deletes them.
 *
 * @param fresh how old one may be to be taken for that of this restore, which was cut off
 */
record SafetySnapshots(KubernetesClient client, InstantSource clock, Duration fresh) {

    /** Label of such a snapshot: of which claim. */
    static final String LABEL = "volume-snapshotter/before-restore-of";

    private static final long PAGE = 500;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss").withZone(ZoneOffset.UTC);

    private List<Snapshot> list(Claim claim) {
        return new ClusterReader(client)
                .list(
                        SnapshotApi.KIND,
                        Optional.of(claim.namespace()),
                        LABEL + "=" + Journal.label(claim),
                        PAGE,
                        SnapshotReader.FIELDS,
                        object -> Optional.of(SnapshotReader.read(object)));
    }

    /** The names of all such snapshots of a claim. */
    Set<String> names(Claim claim) {
        return list(claim).stream().map(Snapshot::name).collect(Collectors.toSet());
    }

    /** The one of this restore, if it was asked for already. */
    Optional<Snapshot> fresh(ClaimLook claim) {
        return list(claim.claim()).stream()
                .filter(snapshot -> !snapshot.terminating())
                .filter(snapshot -> claim.uid().equals(snapshot.claimUid()))
                .filter(snapshot -> snapshot.createdAt().isAfter(clock.instant().minus(fresh)))
                .max(Comparator.comparing(Snapshot::createdAt));
    }

    /**
     * What asks for it.
     *
     * @param snapshotClass its class; null for the driver's default
     */
    Change create(ClaimLook claim, String snapshotClass) {
        String end =
                "-before-restore-"
                        + TIME.format(clock.instant())
                        + "-"
                        + ObjectNames.hash(claim.uid());
        int most = ObjectNames.MAX_NAME - end.length();
        String of = claim.claim().name();
        String name = (of.length() <= most ? of : of.substring(0, most)) + end;
        Map<String, String> annotations = new LinkedHashMap<>(claim.recorded().annotations());
        annotations.put(Snapshot.CLAIM_UID, claim.uid());
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("source", Map.of("persistentVolumeClaimName", of));
        if (snapshotClass != null) {
            spec.put("volumeSnapshotClassName", snapshotClass);
        }
        return Change.create(
                SnapshotApi.KIND,
                Optional.of(claim.claim().namespace()),
                name,
                Map.of(
                        "apiVersion",
                        "snapshot.storage.k8s.io/v1",
                        "kind",
                        "VolumeSnapshot",
                        "metadata",
                        Map.of(
                                "name",
                                name,
                                "namespace",
                                claim.claim().namespace(),
                                "labels",
                                Map.of(
                                        "app.kubernetes.io/managed-by",
                                        SnapshotLabels.PROGRAM,
                                        LABEL,
                                        Journal.label(claim.claim())),
                                "annotations",
                                annotations),
                        "spec",
                        spec));
    }
}
