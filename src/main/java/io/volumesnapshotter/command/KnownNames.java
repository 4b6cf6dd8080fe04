package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ClusterReader;
import java.util.List;
import java.util.Optional;

/** The names of the objects that are there, among which a mistyped one is looked for. */
final class KnownNames {

    private static final long PAGE = 500;

    private KnownNames() {}

    /**
     * The names of all objects of a kind; none where they may not be listed.
     *
     * @param namespace empty for a kind that has no namespace
     * @throws KubernetesClientException when the list fails for another reason than a right
     */
    static List<String> of(
            ClusterReader reader, ResourceDefinitionContext kind, Optional<String> namespace) {
        try {
            return reader.list(
                    kind,
                    namespace,
                    null,
                    PAGE,
                    List.of(ApiObject.NAME),
                    object -> Optional.of(object.text(ApiObject.NAME)));
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            return List.of();
        }
    }
}
