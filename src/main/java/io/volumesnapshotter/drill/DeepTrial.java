package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Tries one claim from end to end: takes a snapshot of it, has that restored into a temporary claim
 * that a pod mounts, and removes all three. The snapshot is of no schedule, so that none counts it.
 */
public final class DeepTrial {

    /** The pod sees the volume; whether there is anything on it is not asked. */
    private static final String SCRIPT =
            "test -d /data || test -e /dev/data || exit 1; echo mounted\n";

    private final TrialAccess access;

    public DeepTrial(TrialAccess access) {
        this.access = access;
    }

    /**
     * What is to be tried.
     *
     * @param snapshotClass the class of the snapshot; empty for the driver's default
     * @param image the image of the pod
     * @param limit how long to wait for the snapshot, for the volume, for the pod, and for its end
     */
    public record Plan(Claim claim, Optional<String> snapshotClass, String image, Duration limit) {}

    /**
     * What came of it.
     *
     * @param words how it passed, or why it failed
     * @param left what could not be removed
     */
    public record Result(boolean passed, String words, List<String> left) {}

    /**
     * Tries it.
     *
     * @throws KubernetesClientException when a request failed; what was made is removed as far as
     *     that is possible, and else by the next trial
     */
    public Result run(Plan plan) {
        String namespace = plan.claim().namespace();
        Trial.removeLeftoverSnapshots(access, namespace);
        String end = "-preflight-" + ObjectNames.hash(UUID.randomUUID().toString());
        String of = plan.claim().name();
        int most = ObjectNames.MAX_NAME - end.length();
        String name = (of.length() <= most ? of : of.substring(0, most)) + end;
        Result result;
        access.send()
                .accept(
                        Change.create(
                                SnapshotApi.KIND,
                                Optional.of(namespace),
                                name,
                                manifest(plan, name)));
        try {
            result = restored(plan, name);
        } catch (KubernetesClientException e) {
            try {
                remove(namespace, name);
            } catch (KubernetesClientException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        List<String> left = new ArrayList<>(result.left());
        if (!remove(namespace, name)) {
            left.add("VolumeSnapshot " + namespace + "/" + name);
        }
        return new Result(result.passed(), result.words(), left);
    }

    private Result restored(Plan plan, String name) {
        Instant asked = access.steady().instant();
        Snapshot[] seen = new Snapshot[1];
        Waiting.End ready =
                access.waiting(plan.limit())
                        .until(
                                () -> {
                                    seen[0] = snapshot(plan.claim().namespace(), name).orElse(null);
                                    return seen[0] == null || seen[0].isGood();
                                });
        if (ready != Waiting.End.OVER || seen[0] == null) {
            String why = seen[0] == null || seen[0].error() == null ? "" : ": " + seen[0].error();
            return failed(
                    seen[0] == null
                            ? "its snapshot was deleted by somebody else"
                            : ready == Waiting.End.INTERRUPTED
                                    ? "it was interrupted"
                                    : "its snapshot was not ready within "
                                            + Settings.text(plan.limit())
                                            + why,
                    List.of());
        }
        Duration took = Duration.between(asked, access.steady().instant());
        DrillReport report =
                new Drill(access)
                        .run(
                                new Drill.Plan(
                                        plan.claim(),
                                        Optional.of(name),
                                        Duration.ofDays(1),
                                        new Check(
                                                plan.image(),
                                                SCRIPT,
                                                RestrictedPod.NOBODY,
                                                plan.limit()),
                                        plan.limit(),
                                        Optional.empty()));
        return report.passed()
                ? new Result(
                        true,
                        "a snapshot was ready after %.1fs, and a claim that was filled from it was mounted on node %s (%s)"
                                .formatted(
                                        took.toMillis() / 1000.0,
                                        report.node(),
                                        report.phaseWords()),
                        report.left())
                : failed("its snapshot was ready, but " + report.why(), report.left());
    }

    private static Result failed(String why, List<String> left) {
        return new Result(false, why, left);
    }

    private Optional<Snapshot> snapshot(String namespace, String name) {
        return new ClusterReader(access.client())
                .get(SnapshotApi.KIND, Optional.of(namespace), name, SnapshotReader.FIELDS)
                .map(SnapshotReader::read);
    }

    /** Removes the snapshot; false when it is still there after a while. */
    private boolean remove(String namespace, String name) {
        return access.removal()
                        .until(
                                () -> {
                                    GenericKubernetesResource found =
                                            access.client()
                                                    .genericKubernetesResources(SnapshotApi.KIND)
                                                    .inNamespace(namespace)
                                                    .withName(name)
                                                    .get();
                                    if (found != null
                                            && found.getMetadata().getDeletionTimestamp() == null) {
                                        Trial.delete(access.send(), found);
                                    }
                                    return found == null;
                                })
                == Waiting.End.OVER;
    }

    private Map<String, Object> manifest(Plan plan, String name) {
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("source", Map.of("persistentVolumeClaimName", plan.claim().name()));
        plan.snapshotClass().ifPresent(text -> spec.put("volumeSnapshotClassName", text));
        Instant until =
                access.clock()
                        .instant()
                        .plus(plan.limit().multipliedBy(4))
                        .plus(TrialAccess.TO_REMOVE.multipliedBy(2));
        return Map.of(
                "apiVersion",
                "snapshot.storage.k8s.io/v1",
                "kind",
                "VolumeSnapshot",
                "metadata",
                Map.of(
                        "name",
                        name,
                        "namespace",
                        plan.claim().namespace(),
                        "labels",
                        Map.of(
                                SnapshotLabels.MANAGED_BY,
                                SnapshotLabels.PROGRAM,
                                Trial.LABEL,
                                "preflight"),
                        "annotations",
                        Map.of(Trial.UNTIL, until.toString())),
                "spec",
                spec);
    }
}
