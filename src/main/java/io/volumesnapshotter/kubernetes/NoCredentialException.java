package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.settings.InvalidSettingException;

/**
 * A credential that the kubeconfig names cannot be had. A request is not sent then: without it, it
 * would be somebody else's. That may heal, as an outage does.
 */
public final class NoCredentialException extends KubernetesClientException {

    private static final long serialVersionUID = 1L;

    private final String place;
    private final String value;
    private final String problem;

    /**
     * @param place the file and field that name it
     * @param value what stands there, which is no secret
     * @param problem why it cannot be had, as the end of a sentence
     */
    NoCredentialException(String place, String value, String problem) {
        super("no credential to send it with: %s \"%s\": %s".formatted(place, value, problem));
        this.place = place;
        this.value = value;
        this.problem = problem;
    }

    /** The mistake that ends a start for this reason. */
    InvalidSettingException atStart() {
        return new InvalidSettingException(place, value, problem);
    }
}
