package io.volumesnapshotter.preflight;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.api.model.APIGroup;
import io.fabric8.kubernetes.api.model.GroupVersionForDiscovery;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.VersionInfo;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import java.util.List;
import java.util.Optional;

/** Looks whether what answers is a Kubernetes API that serves VolumeSnapshots. */
final class ApiCheck {

    private static final String NO_CRD =
            "install the VolumeSnapshot CRDs and the snapshot controller of external-snapshotter";

    private final ClusterLook look;
    private final KubernetesClient client;

    ApiCheck(ClusterLook look) {
        this.look = look;
        client = look.client();
    }

    /**
     * Whether there is sense in looking further.
     *
     * @throws KubernetesClientException when the API server does not serve
     */
    boolean isUsable() {
        return apiServerIsOne() && snapshotsAreServed();
    }

    private boolean apiServerIsOne() {
        String what = "API server " + client.getMasterUrl();
        try {
            VersionInfo version = look.ask(client::getKubernetesVersion).orElse(null);
            if (version != null && version.getGitVersion() != null) {
                look.tell(Finding.info(what, "Kubernetes " + version.getGitVersion(), ""));
            }
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == 401) {
                look.tell(Finding.essential(what, ErrorText.words(e), ApiErrors.remedy(e)));
                return false;
            }
            if (Causes.has(JacksonException.class, e)) {
                look.tell(
                        Finding.essential(
                                what,
                                "what answers is not a Kubernetes API",
                                "check the server's address in the kubeconfig"));
                return false;
            }
            throw e;
        }
    }

    private boolean snapshotsAreServed() {
        String group = SnapshotApi.KIND.getGroup();
        Optional<APIGroup> served = Optional.empty();
        try {
            served = Optional.ofNullable(client.getApiGroup(group));
        } catch (KubernetesClientException e) {
            if (look.isRefusal(e)) {
                return true;
            }
            throw e;
        }
        if (served.isEmpty()) {
            look.tell(Finding.essential("API " + group, "the cluster has none", NO_CRD));
            return false;
        }
        List<String> versions =
                served.get().getVersions().stream()
                        .map(GroupVersionForDiscovery::getVersion)
                        .toList();
        if (!versions.contains(SnapshotApi.KIND.getVersion())) {
            look.tell(
                    Finding.essential(
                            "API " + group,
                            "v1 is not served, only " + String.join(", ", versions),
                            "install the CRDs and the snapshot controller of external-snapshotter 4"
                                    + " or newer"));
            return false;
        }
        look.tell(Finding.info("API " + group, "v1 is served", ""));
        return true;
    }
}
