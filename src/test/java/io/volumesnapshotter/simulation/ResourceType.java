package io.volumesnapshotter.simulation;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A kind that the strict store serves. Every other kind is left to the mock server's CRUD mode. */
record ResourceType(String group, String version, String plural, String kind, boolean namespaced) {

    static final ResourceType SNAPSHOT =
            new ResourceType(
                    "snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot", true);
    static final ResourceType SNAPSHOT_CLASS =
            new ResourceType(
                    "snapshot.storage.k8s.io",
                    "v1",
                    "volumesnapshotclasses",
                    "VolumeSnapshotClass",
                    false);
    static final ResourceType GROUP_SNAPSHOT =
            new ResourceType(
                    "groupsnapshot.storage.k8s.io",
                    "v1",
                    "volumegroupsnapshots",
                    "VolumeGroupSnapshot",
                    true);
    static final ResourceType GROUP_SNAPSHOT_CLASS =
            new ResourceType(
                    "groupsnapshot.storage.k8s.io",
                    "v1",
                    "volumegroupsnapshotclasses",
                    "VolumeGroupSnapshotClass",
                    false);
    static final ResourceType CLAIM =
            new ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true);
    static final ResourceType VOLUME =
            new ResourceType("", "v1", "persistentvolumes", "PersistentVolume", false);
    static final ResourceType POD = new ResourceType("", "v1", "pods", "Pod", true);
    static final ResourceType NODE = new ResourceType("", "v1", "nodes", "Node", false);
    static final ResourceType STATEFUL_SET =
            new ResourceType("apps", "v1", "statefulsets", "StatefulSet", true);
    static final ResourceType DEPLOYMENT =
            new ResourceType("apps", "v1", "deployments", "Deployment", true);
    static final ResourceType REPLICA_SET =
            new ResourceType("apps", "v1", "replicasets", "ReplicaSet", true);
    static final ResourceType NAMESPACE =
            new ResourceType("", "v1", "namespaces", "Namespace", false);
    static final ResourceType QUOTA =
            new ResourceType("", "v1", "resourcequotas", "ResourceQuota", true);
    static final ResourceType EVENT = new ResourceType("", "v1", "events", "Event", true);
    static final ResourceType CONFIG_MAP =
            new ResourceType("", "v1", "configmaps", "ConfigMap", true);
    static final ResourceType SERVICE_ACCOUNT =
            new ResourceType("", "v1", "serviceaccounts", "ServiceAccount", true);
    static final ResourceType LEASE =
            new ResourceType("coordination.k8s.io", "v1", "leases", "Lease", true);
    static final ResourceType STORAGE_CLASS =
            new ResourceType("storage.k8s.io", "v1", "storageclasses", "StorageClass", false);
    static final ResourceType ROLE =
            new ResourceType("rbac.authorization.k8s.io", "v1", "roles", "Role", true);
    static final ResourceType ROLE_BINDING =
            new ResourceType(
                    "rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true);
    static final ResourceType CLUSTER_ROLE =
            new ResourceType(
                    "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
    static final ResourceType CLUSTER_ROLE_BINDING =
            new ResourceType(
                    "rbac.authorization.k8s.io",
                    "v1",
                    "clusterrolebindings",
                    "ClusterRoleBinding",
                    false);

    static final List<ResourceType> ALL =
            List.of(
                    SNAPSHOT,
                    SNAPSHOT_CLASS,
                    GROUP_SNAPSHOT,
                    GROUP_SNAPSHOT_CLASS,
                    CLAIM,
                    VOLUME,
                    POD,
                    NODE,
                    STATEFUL_SET,
                    DEPLOYMENT,
                    REPLICA_SET,
                    NAMESPACE,
                    QUOTA,
                    EVENT,
                    CONFIG_MAP,
                    SERVICE_ACCOUNT,
                    LEASE,
                    STORAGE_CLASS,
                    ROLE,
                    ROLE_BINDING,
                    CLUSTER_ROLE,
                    CLUSTER_ROLE_BINDING);

    private static final Map<String, ResourceType> BY_NAME =
            ALL.stream().collect(Collectors.toMap(ResourceType::qualified, Function.identity()));

    static ResourceType find(String group, String plural) {
        return BY_NAME.get(qualified(group, plural));
    }

    static String qualified(String group, String plural) {
        return group.isEmpty() ? plural : plural + "." + group;
    }

    /** As messages name the resource: {@code volumesnapshots.snapshot.storage.k8s.io}. */
    String qualified() {
        return qualified(group, plural);
    }

    /** As messages name the kind: {@code VolumeSnapshot.snapshot.storage.k8s.io}. */
    String qualifiedKind() {
        return qualified(group, kind);
    }

    String apiVersion() {
        return group.isEmpty() ? version : group + "/" + version;
    }

    ResourceType in(String version) {
        return new ResourceType(group, version, plural, kind, namespaced);
    }

    /** Whether a definition of its own brings it to the cluster. */
    boolean custom() {
        return group.equals(SNAPSHOT.group) || group.equals(GROUP_SNAPSHOT.group);
    }
}
