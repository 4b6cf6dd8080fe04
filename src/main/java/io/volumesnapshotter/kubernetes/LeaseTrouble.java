package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of trouble with the Lease: once when it has lasted for the renew deadline, with what to do,
 * and once when it is over. A passing one is not told. Safe for use by several threads.
 */
final class LeaseTrouble {

    private static final Logger LOG = LoggerFactory.getLogger(LeaseTrouble.class);

    private final String lease;
    private final LeaseTerms terms;
    private final LongSupplier nanoTime;
    private Long since;
    private long last;
    private String words = "";
    private boolean told;

    LeaseTrouble(String lease, LeaseTerms terms, LongSupplier nanoTime) {
        this.lease = lease;
        this.terms = terms;
        this.nanoTime = nanoTime;
    }

    /** Notes that a try failed. */
    synchronized void markFailed(RuntimeException failure) {
        last = nanoTime.getAsLong();
        words = ErrorText.words(failure);
        if (since == null) {
            since = last;
        }
        if (!told && last - since > terms.deadline().toNanos()) {
            told = true;
            LOG.warn("{}: {}; this replica cannot lead -> {}", lease, words, remedy(failure));
        }
    }

    /** Notes that a try worked; one that works amid others that fail does not end the trouble. */
    synchronized void markWorked() {
        if (since == null || told && nanoTime.getAsLong() - last <= terms.duration().toNanos()) {
            return;
        }
        since = null;
        if (told) {
            told = false;
            LOG.info("{} can be read and written again", lease);
        }
    }

    /** What the trouble is, if there is any. */
    synchronized Optional<String> words() {
        return since == null ? Optional.empty() : Optional.of(words);
    }

    private static String remedy(RuntimeException failure) {
        return Causes.find(KubernetesClientException.class, failure)
                .filter(answer -> answer.getCode() == 401 || answer.getCode() == 403)
                .map(
                        answer ->
                                answer.getCode() == 401
                                        ? ApiErrors.remedy(answer)
                                        : "grant it, as in k8s/components/high-availability")
                .orElse("look at the API server; it is tried again until it works");
    }
}
