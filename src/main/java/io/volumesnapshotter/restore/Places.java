package io.volumesnapshotter.restore;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.snapshot.Claim;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Where a pod with a copy of a claim's volume is to be. */
public final class Places {

    private static final String REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
    private static final String PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
    private static final int ONLY = 100;
    private static final ObjectMapper JSON = new ObjectMapper();

    private Places() {}

    static Map<String, Object> required(VolumeLook volume) {
        Optional<NodeSelector> places =
                Optional.ofNullable(volume.object().getSpec().getNodeAffinity())
                        .map(affinity -> affinity.getRequired());
        return places.isEmpty()
                ? Map.of()
                : Map.of(
                        REQUIRED,
                        JSON.convertValue(
                                places.get(), new TypeReference<Map<String, Object>>() {}));
    }

    /**
     * Where the claim's volume can be, as far as that may be read, and rather not on the nodes on
     * which pods use the claim: an XFS file system and its copy have one UUID, and no node mounts
     * both.
     */
    public static Map<String, Object> besides(KubernetesClient client, Claim claim) {
        Map<String, Object> affinity = new LinkedHashMap<>(required(client, claim));
        List<String> nodes =
                client.pods().inNamespace(claim.namespace()).list().getItems().stream()
                        .filter(pod -> ClaimUsers.uses(pod, claim.name()))
                        .map((Pod pod) -> pod.getSpec().getNodeName())
                        .filter(Objects::nonNull)
                        .distinct()
                        .sorted()
                        .toList();
        if (!nodes.isEmpty()) {
            affinity.put(
                    PREFERRED,
                    List.of(
                            Map.of(
                                    "weight",
                                    ONLY,
                                    "preference",
                                    Map.of(
                                            "matchExpressions",
                                            List.of(
                                                    Map.of(
                                                            "key",
                                                            "kubernetes.io/hostname",
                                                            "operator",
                                                            "NotIn",
                                                            "values",
                                                            nodes))))));
        }
        return affinity;
    }

    private static Map<String, Object> required(KubernetesClient client, Claim claim) {
        try {
            return ClaimLook.at(client, claim)
                    .flatMap(ClaimLook::volume)
                    .flatMap(name -> VolumeLook.at(client, name))
                    .map(Places::required)
                    .orElse(Map.of());
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            return Map.of();
        }
    }
}
