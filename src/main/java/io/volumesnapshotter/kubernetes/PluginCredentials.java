package io.volumesnapshotter.kubernetes;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a plugin answered with, for as long as that holds. It is asked again a while before that is
 * over, with nobody waiting for it; once that is over or was refused, requests wait. Never more
 * than one of it runs, and one that fails or repeats itself is not asked again for a while.
 */
final class PluginCredentials implements CredentialSource {

    /** The earliest before the expiry that it is asked again. */
    private static final Duration AHEAD = Duration.ofMinutes(5);

    /** The part of a short life that is left when it is asked again. */
    private static final int PART = 5;

    /** How long one that failed or repeated itself is left alone. */
    static final Duration PAUSE = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(PluginCredentials.class);

    private final ExecPlugin plugin;
    private final InstantSource clock;
    private final Executor executor;

    /** Held by whoever runs the plugin. */
    private final ReentrantLock turn = new ReentrantLock();

    private final AtomicBoolean renewing = new AtomicBoolean();
    private volatile ExecCredential held;
    private volatile Instant renewFrom = Instant.MIN;
    private Instant pauseUntil = Instant.MIN;
    private NoCredentialException failure;

    /**
     * @param executor runs the plugin ahead of time
     */
    PluginCredentials(ExecPlugin plugin, InstantSource clock, Executor executor) {
        this.plugin = plugin;
        this.clock = clock;
        this.executor = executor;
    }

    @Override
    public Credentials current() {
        ExecCredential now = held;
        if (now == null || !clock.instant().isBefore(now.expires())) {
            return ask(now).credentials();
        }
        if (!clock.instant().isBefore(renewFrom) && renewing.compareAndSet(false, true)) {
            executor.execute(() -> renewAhead(now));
        }
        return now.credentials();
    }

    private void renewAhead(ExecCredential old) {
        try {
            ask(old);
        } catch (NoCredentialException e) {
            LOG.warn("{}; what it gave before holds until {}", e.getMessage(), old.expires());
        } finally {
            renewing.set(false);
        }
    }

    @Override
    public boolean renew(Credentials refused) {
        ExecCredential old = held;
        try {
            if (old == null || !old.credentials().equals(refused)) {
                return true;
            }
            return !ask(old).credentials().equals(refused);
        } catch (NoCredentialException e) {
            LOG.warn("the API server refuses what it gave before: {}", e.getMessage());
            return false;
        }
    }

    /** Asks for another than the old one, unless somebody else just did. */
    private ExecCredential ask(ExecCredential old) {
        turn.lock();
        try {
            if (held != old) {
                return held;
            }
            if (clock.instant().isBefore(pauseUntil)) {
                if (failure != null) {
                    throw failure;
                }
                return held;
            }
            try {
                ExecCredential answer = ExecCredential.ask(plugin);
                failure = null;
                Instant now = clock.instant();
                boolean repeats = old != null && answer.credentials().equals(old.credentials());
                if (repeats || !now.isBefore(answer.expires())) {
                    pauseUntil = now.plus(PAUSE);
                }
                renewFrom = later(renewFrom(now, answer.expires()), pauseUntil);
                held = answer;
                return answer;
            } catch (NoCredentialException e) {
                failure = e;
                pauseUntil = clock.instant().plus(PAUSE);
                renewFrom = pauseUntil;
                throw e;
            }
        } finally {
            turn.unlock();
        }
    }

    private static Instant renewFrom(Instant now, Instant expires) {
        if (expires.equals(Instant.MAX)) {
            return Instant.MAX;
        }
        Duration part = Duration.between(now, expires).dividedBy(PART);
        return expires.minus(part.compareTo(AHEAD) < 0 ? part : AHEAD);
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
