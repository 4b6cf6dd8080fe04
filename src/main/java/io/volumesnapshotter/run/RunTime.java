package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** How much time a run has, and how long it waits in it. Safe for use by several threads. */
final class RunTime {

    /**
     * How long the run waits for work to start, per claim, beyond the time to become ready: the
     * snapshot controller's default of 5 requests/s lets it start one snapshot in about 1.8 s.
     */
    static final Duration START_ALLOWANCE = Duration.ofSeconds(3);

    private static final double POLL_GROWTH = 1.5;
    private static final int JITTER_STEPS = 10_000;

    private final Firing firing;
    private final Policy policy;
    private final InstantSource clock;
    private final InstantSource steady;
    private final Instant bound;
    private volatile Instant lastSign;

    /**
     * @param firing what is fixed about the run
     * @param claims of how many claims it takes snapshots
     * @param clock the present
     * @param steady measures how long something takes, whatever becomes of the other clock
     */
    RunTime(Firing firing, int claims, InstantSource clock, InstantSource steady) {
        this.firing = firing;
        this.clock = clock;
        this.steady = steady;
        policy = firing.schedule().policy();
        lastSign = steady.instant();
        bound =
                lastSign.plus(policy.readyTimeout())
                        .plus(policy.jitter())
                        .plus(START_ALLOWANCE.multipliedBy(claims));
    }

    void touch() {
        lastSign = steady.instant();
    }

    boolean isStuck() {
        Instant silent = steady.instant().minus(Run.SILENCE);
        return silent.isAfter(bound) && silent.isAfter(lastSign);
    }

    boolean isLeft() {
        return steady.instant().isBefore(bound);
    }

    boolean isLeftFor(long wait) {
        return wait == 0 || steady.instant().plusMillis(wait).isBefore(bound);
    }

    long startDelay(Claim claim) {
        if (policy.jitter().isZero()) {
            return 0;
        }
        int place =
                Math.floorMod((firing.schedule().name() + "/" + claim).hashCode(), JITTER_STEPS);
        Instant start =
                firing.due().plus(policy.jitter().multipliedBy(place).dividedBy(JITTER_STEPS));
        long delay = Duration.between(clock.instant(), start).toMillis();
        // A clock that was set back since it fired makes none longer.
        return Math.max(0, Math.min(delay, policy.jitter().toMillis()));
    }

    /**
     * How long to wait before the next look, in milliseconds; each time longer, up to a limit. What
     * is only watched is looked at quickly, because the end of the run waits for it.
     *
     * @param onlyWatches whether no claim is waited for any more
     * @param looks how many looks there were
     */
    long pollDelay(boolean onlyWatches, int looks) {
        if (onlyWatches) {
            return policy.pollInterval().toMillis();
        }
        double grown = policy.pollInterval().toMillis() * Math.pow(POLL_GROWTH, looks);
        long left = Duration.between(steady.instant(), bound).toMillis();
        long delay = (long) Math.min(grown, policy.maxPollInterval().toMillis());
        return Math.max(policy.pollInterval().toMillis(), Math.min(delay, left));
    }
}
