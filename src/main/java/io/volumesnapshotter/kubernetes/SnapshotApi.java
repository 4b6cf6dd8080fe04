package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;

/** Where the API server serves VolumeSnapshots and their classes. */
public final class SnapshotApi {

    public static final ResourceDefinitionContext KIND =
            new ResourceDefinitionContext.Builder()
                    .withGroup("snapshot.storage.k8s.io")
                    .withVersion("v1")
                    .withPlural("volumesnapshots")
                    .withKind("VolumeSnapshot")
                    .withNamespaced(true)
                    .build();

    public static final ResourceDefinitionContext CLASSES =
            new ResourceDefinitionContext.Builder()
                    .withGroup("snapshot.storage.k8s.io")
                    .withVersion("v1")
                    .withPlural("volumesnapshotclasses")
                    .withKind("VolumeSnapshotClass")
                    .withNamespaced(false)
                    .build();

    private SnapshotApi() {}
}
