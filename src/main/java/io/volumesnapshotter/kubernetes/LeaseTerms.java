package io.volumesnapshotter.kubernetes;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ProgramSettings;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;

/**
 * How the replicas share a Lease.
 *
 * @param name name of the Lease
 * @param duration how long it holds after it was renewed, in whole seconds
 * @param deadline how long the leader tries to renew it before it steps down
 * @param retry how long to wait between two tries
 */
public record LeaseTerms(String name, Duration duration, Duration deadline, Duration retry) {

    /** Two requests fit into what remains of the Lease when the deadline has passed. */
    private static final Duration LONGEST_REQUEST = Duration.ofSeconds(3);

    /** By so much of itself a wait may be longer, so that replicas do not try in step. */
    private static final double JITTER = 1.2;

    /**
     * Reads the terms from the settings.
     *
     * @throws InvalidSettingException when a setting is wrong or they do not fit together
     */
    public static LeaseTerms of(Settings settings) {
        LeaseTerms terms =
                new LeaseTerms(
                        settings.get(ProgramSettings.LEASE_NAME)
                                .orElseThrow(
                                        () ->
                                                settings.invalid(
                                                        ProgramSettings.LEASE_NAME, "give a name")),
                        settings.get(ProgramSettings.LEASE_DURATION),
                        settings.get(ProgramSettings.RENEW_DEADLINE),
                        settings.get(ProgramSettings.RETRY_PERIOD));
        if (terms.duration.toMillis() % 1000 != 0) {
            throw settings.invalid(ProgramSettings.LEASE_DURATION, "a Lease holds whole seconds");
        }
        if (terms.duration.compareTo(terms.deadline) <= 0) {
            throw settings.invalid(
                    ProgramSettings.LEASE_DURATION,
                    "it must be longer than renew-deadline, "
                            + settings.text(ProgramSettings.RENEW_DEADLINE));
        }
        if (terms.deadline.toMillis() <= terms.retry.toMillis() * (1 + JITTER)) {
            throw settings.invalid(
                    ProgramSettings.RENEW_DEADLINE,
                    "it must be longer than 2.2 times retry-period, "
                            + settings.text(ProgramSettings.RETRY_PERIOD));
        }
        return terms;
    }

    /** How long a request may take, so that the leader steps down before the Lease is over. */
    public Duration longestRequest() {
        Duration half = duration.minus(deadline).dividedBy(2);
        return half.compareTo(LONGEST_REQUEST) < 0 ? half : LONGEST_REQUEST;
    }

    /**
     * How long to wait before the next try, in milliseconds: the leader renews in time, others look
     * up to 2.2 times as seldom.
     *
     * @param random from 0 up to 1
     */
    long waitMillis(boolean leads, double random) {
        return (long) (retry.toMillis() * (leads ? 1 : 1 + JITTER * random));
    }
}
