package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A pod that uses one claim, read-only, within the pod security standard "restricted", and without
 * a token of the API server.
 *
 * @param claim the claim, whose namespace is the pod's
 * @param isBlock whether the claim is of volume mode Block
 * @param command what it runs; empty for what its image runs
 * @param user the uid that it runs as
 * @param longest how long it may be there; then it is ended
 * @param nodeAffinity where it is to be and where it would rather not be, as the API has it
 */
public record RestrictedPod(
        String name,
        Claim claim,
        boolean isBlock,
        String image,
        List<String> command,
        long user,
        Optional<Duration> longest,
        Map<String, Object> nodeAffinity,
        Map<String, String> labels,
        Map<String, String> annotations) {

    /** Where the volume is mounted. */
    public static final String MOUNT = "/data";

    /** Where the volume's device is, of volume mode Block. */
    public static final String DEVICE = "/dev/data";

    /** The user that owns nothing. */
    public static final long NOBODY = 65535;

    /** The name of its container. */
    public static final String CONTAINER = "use";

    /** What creates it. */
    public Change create() {
        return Change.create(
                CoreApi.PODS,
                Optional.of(claim.namespace()),
                name,
                Map.of(
                        "apiVersion",
                        "v1",
                        "kind",
                        "Pod",
                        "metadata",
                        Map.of(
                                "name",
                                name,
                                "namespace",
                                claim.namespace(),
                                "labels",
                                labels,
                                "annotations",
                                annotations),
                        "spec",
                        spec()));
    }

    private Map<String, Object> spec() {
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("automountServiceAccountToken", false);
        spec.put("enableServiceLinks", false);
        spec.put("restartPolicy", "Never");
        spec.put("terminationGracePeriodSeconds", 0);
        longest.ifPresent(time -> spec.put("activeDeadlineSeconds", time.toSeconds()));
        spec.put(
                "securityContext",
                Map.of(
                        "runAsNonRoot",
                        true,
                        "runAsUser",
                        user,
                        "seccompProfile",
                        Map.of("type", "RuntimeDefault")));
        if (!nodeAffinity.isEmpty()) {
            spec.put("affinity", Map.of("nodeAffinity", nodeAffinity));
        }
        spec.put("containers", List.of(container()));
        spec.put(
                "volumes",
                List.of(
                        Map.of(
                                "name",
                                "data",
                                "persistentVolumeClaim",
                                Map.of("claimName", claim.name()))));
        return spec;
    }

    private Map<String, Object> container() {
        Map<String, Object> container = new LinkedHashMap<>();
        container.put("name", CONTAINER);
        container.put("image", image);
        if (!command.isEmpty()) {
            container.put("command", command);
        }
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
        if (isBlock) {
            container.put("volumeDevices", List.of(Map.of("name", "data", "devicePath", DEVICE)));
        } else {
            container.put(
                    "volumeMounts",
                    List.of(Map.of("name", "data", "mountPath", MOUNT, "readOnly", true)));
        }
        return container;
    }
}
