package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;

/** Where the API server serves what belongs to Kubernetes itself. */
public final class CoreApi {

    public static final ResourceDefinitionContext CLAIMS =
            kind("persistentvolumeclaims", "PersistentVolumeClaim", true);
    public static final ResourceDefinitionContext NAMESPACES =
            kind("namespaces", "Namespace", false);
    public static final ResourceDefinitionContext VOLUMES =
            kind("persistentvolumes", "PersistentVolume", false);

    public static final ResourceDefinitionContext PODS = kind("pods", "Pod", true);
    public static final ResourceDefinitionContext EVENTS = kind("events", "Event", true);
    public static final ResourceDefinitionContext CONFIG_MAPS =
            kind("configmaps", "ConfigMap", true);
    public static final ResourceDefinitionContext STORAGE_CLASSES =
            new ResourceDefinitionContext.Builder()
                    .withGroup("storage.k8s.io")
                    .withVersion("v1")
                    .withPlural("storageclasses")
                    .withKind("StorageClass")
                    .withNamespaced(false)
                    .build();

    private CoreApi() {}

    private static ResourceDefinitionContext kind(String plural, String kind, boolean namespaced) {
        return new ResourceDefinitionContext.Builder()
                .withVersion("v1")
                .withPlural(plural)
                .withKind(kind)
                .withNamespaced(namespaced)
                .build();
    }
}
