package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.kubernetes.NoCredentialException;

/**
 * What a look at the cluster found.
 *
 * @param weight how much it matters
 * @param essential whether nothing at all works as long as it is so
 * @param what the thing that it is about
 * @param words what is the matter with it
 * @param remedy what to do; empty when nothing has to be done
 */
public record Finding(Weight weight, boolean essential, String what, String words, String remedy) {

    /** How much a finding matters. */
    public enum Weight {
        /** Runs fail. */
        ERROR,
        /** Runs work, but perhaps not as they are meant. */
        WARN,
        /** Good to know. */
        INFO
    }

    /** Without the API server, the snapshot API or a right, every run of some schedule fails. */
    public static Finding essential(String what, String words, String remedy) {
        return new Finding(Weight.ERROR, true, what, words, remedy);
    }

    /** Why the API server could not be asked. */
    public static Finding ofServer(String server, KubernetesClientException failure) {
        String what = "API server " + server;
        return failure instanceof NoCredentialException
                ? essential(what, ErrorText.words(failure), ApiErrors.remedy(failure))
                : essential(
                        what,
                        "it does not serve: " + ErrorText.words(failure),
                        "look at the API server, and at its address in the kubeconfig");
    }

    /** Runs fail because of it. */
    public static Finding error(String what, String words, String remedy) {
        return new Finding(Weight.ERROR, false, what, words, remedy);
    }

    static Finding warn(String what, String words, String remedy) {
        return new Finding(Weight.WARN, false, what, words, remedy);
    }

    /** Good to know. */
    public static Finding info(String what, String words, String remedy) {
        return new Finding(Weight.INFO, false, what, words, remedy);
    }

    boolean isProblem() {
        return weight != Weight.INFO;
    }

    /** As a log line, which has a level of its own. */
    String text() {
        return what + ": " + words + (remedy.isEmpty() ? "" : " -> " + remedy);
    }

    /** As a line of the command's output. */
    @Override
    public String toString() {
        return "%-5s %s".formatted(weight, text());
    }
}
