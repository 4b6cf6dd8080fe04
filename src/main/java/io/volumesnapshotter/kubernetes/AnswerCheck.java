package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.settings.OneLine;

/**
 * Tells a real answer from something else that came with a 200, as a proxy may send it. Any object
 * can be read as an empty list, and an empty list means that nothing is there.
 */
public final class AnswerCheck {

    private AnswerCheck() {}

    /**
     * Checks what an answer says of itself.
     *
     * @param found the answer's kind, or null
     * @throws KubernetesClientException when it is none of the kind
     */
    static void kind(String found, boolean hasMetadata, String kind) {
        if (!kind.equals(found) || !hasMetadata) {
            throw unexpected(found, kind);
        }
    }

    /**
     * Checks the answer to a creation. One without a kind and a name is how the producer tells that
     * the object exists already.
     *
     * @throws KubernetesClientException when another object was answered
     */
    public static void created(GenericKubernetesResource answer, String name) {
        String found = answer.getKind();
        String foundName = answer.getMetadata() == null ? null : answer.getMetadata().getName();
        if (found != null && !"VolumeSnapshot".equals(found)
                || foundName != null && !name.equals(foundName)) {
            throw unexpected(found, "VolumeSnapshot " + name);
        }
    }

    private static KubernetesClientException unexpected(String found, String wanted) {
        return new KubernetesClientException(
                "the server answered with an object of kind %s instead of %s"
                        .formatted(found == null ? null : OneLine.of(found), wanted));
    }
}
