package io.volumesnapshotter.testing;

import static java.util.Map.entry;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicy;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBinding;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads manifests as strictly as {@code kubectl apply --validate=strict}: a field that the API does
 * not have is a failure, and so is a kind that the deployment has no need of.
 */
public final class Manifests {

    private static final Map<String, Class<? extends HasMetadata>> KINDS =
            Map.ofEntries(
                    entry("v1/ConfigMap", ConfigMap.class),
                    entry("v1/ServiceAccount", ServiceAccount.class),
                    entry("apps/v1/Deployment", Deployment.class),
                    entry("batch/v1/CronJob", CronJob.class),
                    entry("batch/v1/Job", Job.class),
                    entry("monitoring.coreos.com/v1/PodMonitor", PodMonitor.class),
                    entry("monitoring.coreos.com/v1/PrometheusRule", PrometheusRule.class),
                    entry(
                            "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
                            ValidatingAdmissionPolicy.class),
                    entry(
                            "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
                            ValidatingAdmissionPolicyBinding.class),
                    entry("networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class),
                    entry(
                            "snapshot.storage.k8s.io/v1/VolumeSnapshotClass",
                            SnapshotClassManifest.class),
                    entry("policy/v1/PodDisruptionBudget", PodDisruptionBudget.class),
                    entry("rbac.authorization.k8s.io/v1/ClusterRole", ClusterRole.class),
                    entry(
                            "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
                            ClusterRoleBinding.class),
                    entry("rbac.authorization.k8s.io/v1/Role", Role.class),
                    entry("rbac.authorization.k8s.io/v1/RoleBinding", RoleBinding.class));

    private static final ObjectMapper YAML =
            new ObjectMapper(new YAMLFactory())
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .setAnnotationIntrospector(new WithoutCatchAll());

    private Manifests() {}

    /** All objects of a YAML stream. */
    public static List<HasMetadata> read(String yaml) throws IOException {
        List<HasMetadata> objects = new ArrayList<>();
        for (JsonNode node : YAML.readerFor(JsonNode.class).<JsonNode>readValues(yaml).readAll()) {
            String kind = node.path("apiVersion").asText() + "/" + node.path("kind").asText();
            if (!KINDS.containsKey(kind)) {
                throw new IOException("no such kind belongs here: " + kind);
            }
            objects.add(YAML.treeToValue(node, KINDS.get(kind)));
        }
        return objects;
    }

    /** The models keep fields that they don't know; without that, such a field is an error. */
    private static final class WithoutCatchAll extends JacksonAnnotationIntrospector {

        private static final long serialVersionUID = 1L;

        @Override
        public Boolean hasAnySetter(Annotated annotated) {
            return false;
        }
    }
}
