package io.volumesnapshotter.kubernetes;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Decides who leads by what one replica saw of the Lease, and when. It compares no clocks: as in
 * client-go, a Lease is over when it did not change for its duration since <em>this</em> replica
 * saw it change, by this replica's monotonic clock, whatever time its holder wrote into it.
 *
 * <p>The leader counts from the instant before it sent the renewal, and steps down after the
 * shorter deadline; others count from the answer in which they saw it. So no two lead at a time,
 * and a replica that was frozen knows by itself that its time is over.
 *
 * <p>All times that are numbers are nanoseconds of the monotonic clock. Safe for use by several
 * threads.
 */
final class LeaseElector {

    private final String identity;
    private final LeaseTerms terms;

    /** Null while there is no Lease, as far as is known. */
    private LeaseRecord seen;

    private long changedAt;
    private boolean isCurrent;
    private boolean leads;
    private long renewedAt;
    private boolean ended;

    /**
     * @param identity what this replica is called in the Lease
     */
    LeaseElector(String identity, LeaseTerms terms) {
        this.identity = identity;
        this.terms = terms;
    }

    /** Whether this replica leads at an instant. */
    synchronized boolean leads(long now) {
        return leads && now - renewedAt < terms.deadline().toNanos();
    }

    /** Who holds the Lease; empty for nobody. */
    synchronized String holder() {
        return seen == null ? "" : seen.holder();
    }

    /** Whether the Lease has to be read before it is written: only a leader knows what it says. */
    synchronized boolean mustRead(long now) {
        return !isCurrent || !leads(now);
    }

    /**
     * Notes what the Lease says.
     *
     * @param found null when there is none
     * @param now when the answer was there
     */
    synchronized void markSeen(LeaseRecord found, long now) {
        if (!Objects.equals(found, seen)) {
            seen = found;
            changedAt = now;
        }
        isCurrent = true;
        leads &= isOwn();
    }

    /** Notes that the Lease may say something else than was seen last: a request failed. */
    synchronized void markUncertain() {
        isCurrent = false;
    }

    /** Whether this replica may write the Lease: it is free, its own, or over. */
    synchronized boolean mayWrite(long now) {
        return !ended
                && (seen == null
                        || seen.holder().isEmpty()
                        || isOwn()
                        || now - changedAt >= seen.duration().toNanos());
    }

    private boolean isOwn() {
        return seen != null && identity.equals(seen.holder());
    }

    /**
     * What to write in order to lead.
     *
     * @param now the present by the wall clock, for those who read the Lease
     */
    synchronized LeaseRecord claim(Instant now) {
        Instant time = otherThanLast(now);
        if (seen == null) {
            return new LeaseRecord(identity, terms.duration(), time, time, 0, null);
        }
        boolean isKept = isOwn() && seen.acquired() != null;
        return new LeaseRecord(
                identity,
                terms.duration(),
                isKept ? seen.acquired() : time,
                time,
                isOwn() ? seen.transitions() : seen.transitions() + 1,
                seen.version());
    }

    /** A clock that stands still must not make a renewal that changes nothing. */
    private Instant otherThanLast(Instant now) {
        Instant time = now.truncatedTo(ChronoUnit.MICROS);
        return seen != null && time.equals(seen.renewed()) ? time.plus(1, ChronoUnit.MICROS) : time;
    }

    /**
     * Notes that the Lease was written.
     *
     * @param written what it says now
     * @param sent when the request was about to be sent
     * @param now when the answer was there
     */
    synchronized void markWritten(LeaseRecord written, long sent, long now) {
        markSeen(written, now);
        leads = isOwn() && !ended;
        renewedAt = sent;
    }

    /**
     * How long to wait before the next try, in milliseconds; one that stands by is there when the
     * Lease is over.
     *
     * @param random from 0 up to 1
     */
    synchronized long waitMillis(long now, double random) {
        long wait = terms.waitMillis(leads(now), random);
        if (ended || mayWrite(now)) {
            return wait;
        }
        long left = seen.duration().toNanos() - (now - changedAt);
        return Math.min(wait, TimeUnit.NANOSECONDS.toMillis(left) + 1);
    }

    /** Ends the leading for good, before the Lease is given back. */
    synchronized void end() {
        ended = true;
        leads = false;
    }

    /** What to write so that nobody has to wait; empty when the Lease is not this replica's. */
    synchronized Optional<LeaseRecord> release(Instant now) {
        if (!isOwn()) {
            return Optional.empty();
        }
        Instant time = otherThanLast(now);
        return Optional.of(
                new LeaseRecord(
                        "", Duration.ofSeconds(1), time, time, seen.transitions(), seen.version()));
    }

    /** Whether it has to be read before it is given back. */
    synchronized boolean isUncertain() {
        return !isCurrent;
    }
}
