package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.settings.NearMisses;
import java.util.List;
import java.util.Optional;

/** Tells a namespace that is not there from one in which there is nothing, where it may look. */
final class Namespaces {

    private Namespaces() {}

    /**
     * Checks that a namespace is there. Without the right to look, it takes it for granted.
     *
     * @throws CommandException when there is none of that name
     */
    static void check(KubernetesClient client, String namespace) {
        ClusterReader reader = new ClusterReader(client);
        try {
            if (reader.get(CoreApi.NAMESPACES, Optional.empty(), namespace, List.of()).isEmpty()) {
                throw CommandException.nothing(
                        "there is no namespace " + namespace,
                        NearMisses.hint(
                                namespace,
                                KnownNames.of(reader, CoreApi.NAMESPACES, Optional.empty())));
            }
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
        }
    }
}
