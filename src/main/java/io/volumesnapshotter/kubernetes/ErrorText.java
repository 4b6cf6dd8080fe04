package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.settings.OneLine;
import java.net.ConnectException;
import java.net.http.HttpTimeoutException;
import java.security.cert.CertificateException;
import java.util.concurrent.TimeoutException;

/** Says in one line why a request failed. */
public final class ErrorText {

    private ErrorText() {}

    /** The server's own words where it said any, else those of the innermost cause. */
    public static String words(Throwable failure) {
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, failure).orElse(null);
        if (answer != null
                && answer.getStatus() != null
                && answer.getStatus().getMessage() != null) {
            return OneLine.of(answer.getStatus().getMessage());
        }
        return rootWords(failure);
    }

    /** What the innermost cause says, in one line. */
    public static String rootWords(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        if (Causes.has(ConnectException.class, failure)) {
            // The JDK's HTTP client says nothing more of it.
            return "no connection (" + root.getClass().getSimpleName() + ")";
        }
        if (isLate(failure)) {
            return "no answer in time (" + root.getClass().getSimpleName() + ")";
        }
        String words =
                root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        if (Causes.has(CertificateException.class, failure)) {
            return "its certificate is not accepted ("
                    + OneLine.of(words)
                    + "): check its authority, which a kubeconfig names as certificate-authority,"
                    + " its names and its dates";
        }
        return OneLine.of(words);
    }

    /** Whether no answer came in time: the HTTP client or, now and then, Kubernetes' says so. */
    public static boolean isLate(Throwable failure) {
        return Causes.has(HttpTimeoutException.class, failure)
                || Causes.has(TimeoutException.class, failure);
    }
}
