package io.volumesnapshotter.restore;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A pod that does nothing but use a claim, within the pod security standard "restricted". */
final class HelperPod {

    /** Does nothing, which is all that is asked for. */
    static final String IMAGE = "registry.k8s.io/pause:3.10";

    private static final long NOBODY = 65535;
    private static final ObjectMapper JSON = new ObjectMapper();

    private HelperPod() {}

    /** One that has the volume of the temporary claim made where the original volume can be. */
    static Change filling(Journal journal, VolumeLook original) {
        boolean block = "Block".equals(journal.claim().getSpec().getVolumeMode());
        Map<String, Object> container = new LinkedHashMap<>();
        container.put("name", "use");
        container.put("image", journal.image());
        container.put(
                "securityContext",
                Map.of(
                        "allowPrivilegeEscalation",
                        false,
                        "readOnlyRootFilesystem",
                        true,
                        "capabilities",
                        Map.of("drop", List.of("ALL"))));
        container.put("resources", Map.of("requests", Map.of("cpu", "1m", "memory", "8Mi")));
        if (block) {
            container.put(
                    "volumeDevices", List.of(Map.of("name", "data", "devicePath", "/dev/data")));
        } else {
            container.put(
                    "volumeMounts",
                    List.of(Map.of("name", "data", "mountPath", "/data", "readOnly", true)));
        }
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("automountServiceAccountToken", false);
        spec.put("enableServiceLinks", false);
        spec.put("restartPolicy", "Never");
        spec.put("terminationGracePeriodSeconds", 0);
        spec.put(
                "securityContext",
                Map.of(
                        "runAsNonRoot",
                        true,
                        "runAsUser",
                        NOBODY,
                        "seccompProfile",
                        Map.of("type", "RuntimeDefault")));
        places(original)
                .ifPresent(
                        places ->
                                spec.put(
                                        "affinity",
                                        Map.of(
                                                "nodeAffinity",
                                                Map.of(
                                                        "requiredDuringSchedulingIgnoredDuringExecution",
                                                        places))));
        spec.put("containers", List.of(container));
        spec.put(
                "volumes",
                List.of(
                        Map.of(
                                "name",
                                "data",
                                "persistentVolumeClaim",
                                Map.of("claimName", journal.temporary()))));
        return Change.create(
                CoreApi.PODS,
                Optional.of(journal.namespace()),
                journal.temporary(),
                Map.of(
                        "apiVersion",
                        "v1",
                        "kind",
                        "Pod",
                        "metadata",
                        Map.of(
                                "name",
                                journal.temporary(),
                                "namespace",
                                journal.namespace(),
                                "labels",
                                Map.of(
                                        "app.kubernetes.io/managed-by",
                                        SnapshotLabels.PROGRAM,
                                        Journal.LABEL,
                                        Journal.label(journal.target()))),
                        "spec",
                        spec));
    }

    private static Optional<Object> places(VolumeLook original) {
        return Optional.ofNullable(original.object().getSpec().getNodeAffinity())
                .map(affinity -> affinity.getRequired())
                .map((NodeSelector required) -> JSON.convertValue(required, Map.class));
    }
}
