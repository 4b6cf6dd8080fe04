package io.volumesnapshotter.simulation;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Everything that can happen to a request of the program on its way: another answer, a late one, a
 * cut connection, or whatever a test wants to do at one of its boundaries.
 *
 * <p>Faults are asked in the order in which they were added; each touches as many matching requests
 * as its {@code times} says. The admin's requests are never touched.
 */
public final class Faults {

    /** The instants of a request at which something can go wrong. */
    public enum Boundary {
        /** The request has arrived and nothing has happened yet. */
        ARRIVED,
        /** The cluster has changed, the client does not know yet. */
        CARRIED_OUT,
        /** The answer was handed to the network. */
        ANSWERED
    }

    /** Use as {@code times} for a fault that stays until it is cancelled. */
    public static final int ALWAYS = Integer.MAX_VALUE;

    private static final Duration LONGEST_HOLD = Duration.ofMinutes(5);

    /** How a connection is to be cut; thrown out of a boundary. */
    static final class Cut extends RuntimeException {
        final boolean insideAnswer;

        Cut(boolean insideAnswer) {
            super("connection cut", null, false, false);
            this.insideAnswer = insideAnswer;
        }
    }

    private interface Effect {
        /** An answer that replaces the real one, or null. */
        ApiAnswer apply(Fault fault, ApiRequest request) throws InterruptedException;
    }

    /** A fault that was set: how often it struck, and the way to end it. */
    public final class Fault {
        private final Boundary boundary;
        private final Predicate<ApiRequest> which;
        private final AtomicInteger left;
        private final AtomicInteger hits = new AtomicInteger();
        private final CountDownLatch released = new CountDownLatch(1);
        private final Effect effect;

        private Fault(Boundary boundary, Predicate<ApiRequest> which, int times, Effect effect) {
            this.boundary = boundary;
            this.which = which;
            left = new AtomicInteger(times);
            this.effect = effect;
        }

        private boolean takes(Boundary boundary, ApiRequest request) {
            if (this.boundary != boundary || left.get() <= 0 || !which.test(request)) {
                return false;
            }
            if (left.getAndUpdate(n -> n == ALWAYS ? n : Math.max(0, n - 1)) <= 0) {
                return false;
            }
            hits.incrementAndGet();
            return true;
        }

        /** How many requests it has touched. */
        public int hits() {
            return hits.get();
        }

        /** Lets held requests go on and touches no further one. */
        public void cancel() {
            left.set(0);
            faults.remove(this);
            released.countDown();
        }
    }

    private final List<Fault> faults = new CopyOnWriteArrayList<>();

    /** A predicate that is true for the n-th request that the other one is true for, from 1. */
    public static Predicate<ApiRequest> nth(int n, Predicate<ApiRequest> which) {
        AtomicInteger seen = new AtomicInteger();
        return request -> which.test(request) && seen.incrementAndGet() == n;
    }

    /** Answers the next matching requests with this; the cluster does not see them. */
    public Fault answer(Predicate<ApiRequest> which, int times, ApiAnswer answer) {
        return add(Boundary.ARRIVED, which, times, (fault, request) -> answer);
    }

    /** Answers the next matching requests with what this says of them. */
    public Fault answer(
            Predicate<ApiRequest> which, int times, Function<ApiRequest, ApiAnswer> answer) {
        return add(Boundary.ARRIVED, which, times, (fault, request) -> answer.apply(request));
    }

    /** Answers with this although the request was carried out. */
    public Fault answerAfterwards(Predicate<ApiRequest> which, int times, ApiAnswer answer) {
        return add(Boundary.CARRIED_OUT, which, times, (fault, request) -> answer);
    }

    /** Lets matching requests wait this long at the boundary. */
    public Fault delay(
            Boundary boundary, Predicate<ApiRequest> which, int times, Duration howLong) {
        return add(
                boundary,
                which,
                times,
                (fault, request) -> {
                    fault.released.await(howLong.toMillis(), TimeUnit.MILLISECONDS);
                    return null;
                });
    }

    /** Lets matching requests wait at the boundary until the fault is cancelled. */
    public Fault hold(Boundary boundary, Predicate<ApiRequest> which, int times) {
        return delay(boundary, which, times, LONGEST_HOLD);
    }

    /** Closes the connection at the boundary, before any byte of the answer. */
    public Fault cut(Boundary boundary, Predicate<ApiRequest> which, int times) {
        return add(
                boundary,
                which,
                times,
                (fault, request) -> {
                    throw new Cut(false);
                });
    }

    /** Carries the request out and closes the connection in the middle of the answer's body. */
    public Fault cutInsideAnswer(Predicate<ApiRequest> which, int times) {
        return add(
                Boundary.CARRIED_OUT,
                which,
                times,
                (fault, request) -> {
                    throw new Cut(true);
                });
    }

    /** Calls the hook at the boundary of every matching request, which waits for its end. */
    public Fault hook(
            Boundary boundary, Predicate<ApiRequest> which, int times, Consumer<ApiRequest> hook) {
        return add(
                boundary,
                which,
                times,
                (fault, request) -> {
                    hook.accept(request);
                    return null;
                });
    }

    /** Ends all faults and lets everything go that is held. */
    public void clear() {
        faults.forEach(Fault::cancel);
    }

    private Fault add(Boundary boundary, Predicate<ApiRequest> which, int times, Effect effect) {
        Fault fault = new Fault(boundary, which, times, effect);
        faults.add(fault);
        return fault;
    }

    /** The answer that a fault wants at this boundary, or null. */
    ApiAnswer at(Boundary boundary, ApiRequest request) {
        for (Fault fault : faults) {
            if (fault.takes(boundary, request)) {
                try {
                    ApiAnswer answer = fault.effect.apply(fault, request);
                    if (answer != null) {
                        return answer;
                    }
                } catch (InterruptedException e) {
                    throw new Cut(false);
                }
            }
        }
        return null;
    }
}
