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
