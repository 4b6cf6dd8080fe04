package io.volumesnapshotter.run;

import java.time.Instant;

/**
 * How far one claim's snapshot is in a run: a state machine whose transitions are the methods that
 * begin with {@code mark}. It decides nothing; {@link SnapshotJudge} does. Not safe for use by
 * several threads: {@link RunProgress} guards it.
 */
final class ClaimProgress {

    /** What is known of the claim's snapshot. */
    enum Phase {
        /** Its creation waits for its turn, is under way, or is sent again. */
        WAITING,
        /** A quota refused it; the next look asks for it again. */
        REFUSED,
        /** The server took it, or says that it has it already. */
        REQUESTED,
        /** It was seen ready. */
        READY,
        /** The driver refused it for good, which was told; it is looked at for a while longer. */
        WATCHED,
        /** It is not looked at any more. */
        FAILED;

        /** Whether the run is to find out what becomes of it. */
        boolean isPending() {
            return this == WAITING || this == REFUSED || this == REQUESTED;
        }
    }

    private Phase phase = Phase.WAITING;
    private int requests;
    private int requestsBeforeLook;
    private int futileRefusals;
    private int looksWatched;
    private boolean created;
    private boolean retried;
    private boolean takenOver;
    private boolean roomMade;
    private boolean roomExpected;
    private boolean pruned;
    private boolean failureTold;
    private boolean nameTaken;
    private String lastWords;
    private String refusal;
    private String driverError;
    private Instant startSeen;
    private Instant watchedSince;

    Phase phase() {
        return phase;
    }

    /** How often the server answered a creation, but for refusals. */
    int requests() {
        return requests;
    }

    /** How many of these answers were there before the last list was asked for. */
    int requestsBeforeLook() {
        return requestsBeforeLook;
    }

    /** How often a quota refused it since room was last to be expected. */
    int futileRefusals() {
        return futileRefusals;
    }

    /** At how many looks it was watched after the driver had refused it. */
    int looksWatched() {
        return looksWatched;
    }

    /** Since when it is watched, or null. */
    Instant watchedSince() {
        return watchedSince;
    }

    /** Whether this run created it, and not an earlier try. */
    boolean isCreated() {
        return created;
    }

    /** Whether its creation was sent again. */
    boolean isRetried() {
        return retried;
    }

    /** Whether it was there before this run asked for it. */
    boolean isTakenOver() {
        return takenOver;
    }

    /** Whether something was deleted so that there is room for it. */
    boolean isRoomMade() {
        return roomMade;
    }

    /** Whether snapshots are being deleted that may leave room for it. */
    boolean isRoomExpected() {
        return roomExpected;
    }

    /** Whether what it makes stale was looked for. */
    boolean isPruned() {
        return pruned;
    }

    /** Whether a failure of this claim was told in this run. */
    boolean isFailureTold() {
        return failureTold;
    }

    /**
     * Whether the plain name is taken, so that the one with the installation's hash is asked for.
     */
    boolean isNameTaken() {
        return nameTaken;
    }

    /** What its creation failed of last, or null. */
    String lastWords() {
        return lastWords;
    }

    /** What the quota said, or null. */
    String refusal() {
        return refusal;
    }

    /** What the driver said last, or null. */
    String driverError() {
        return driverError;
    }

    /** When its work was first seen to have started, or null. */
    Instant startSeen() {
        return startSeen;
    }

    /** An earlier try of this run, or a later run, left a snapshot that counts. */
    void markTakenOver(boolean ready) {
        requests++;
        takenOver = true;
        phase = ready ? Phase.READY : Phase.REQUESTED;
    }

    /**
     * The server answered the creation.
     *
     * @param isNew whether it took it; false when it has it already
     */
    void markRequested(boolean isNew) {
        requests++;
        created |= isNew;
        if (phase.isPending()) {
            phase = Phase.REQUESTED;
        }
    }

    /** The creation failed and is sent again. */
    void markRetried(String words) {
        retried = true;
        lastWords = words;
    }

    /** A quota refused the creation. */
    void markRefused(String words) {
        futileRefusals++;
        refusal = words;
        if (phase.isPending()) {
            phase = Phase.REFUSED;
        }
    }

    /** The plain name is taken; the next creation takes the one with the installation's hash. */
    void markNameTaken() {
        nameTaken = true;
        takenOver = false;
        requests = 0;
        requestsBeforeLook = 0;
    }

    /** The snapshots are about to be listed: what is answered later need not be among them. */
    void markListing() {
        requestsBeforeLook = requests;
    }

    /** Its work was seen to have started. */
    void markStarted(Instant now) {
        if (startSeen == null) {
            startSeen = now;
        }
    }

    /** The driver said something new of it. */
    void markDriverError(String words) {
        driverError = words;
    }

    /** It was seen ready. What was told of its driver before is over. */
    void markReady() {
        failureTold &= phase != Phase.WATCHED;
        phase = Phase.READY;
    }

    /** The driver refused it for good; it is looked at for a while all the same. */
    void markWatched(Instant now) {
        watchedSince = now;
        phase = Phase.WATCHED;
    }

    /** It was watched at one more look, and is not ready. */
    void markLookedAt() {
        looksWatched++;
    }

    /** It is a good one no more, though it was. */
    void markLost() {
        phase = Phase.FAILED;
    }

    /** Something failed for the claim, and is told. One that is ready stays ready. */
    void markFailureTold() {
        failureTold = true;
        if (phase.isPending()) {
            phase = Phase.FAILED;
        }
    }

    /**
     * It was looked whether room is to be expected.
     *
     * @param expected whether snapshots are being deleted
     */
    void markRoomExpected(boolean expected) {
        roomExpected = expected;
        if (expected) {
            futileRefusals = 0;
        }
    }

    /** Something was deleted to make room for it. */
    void markRoomMade() {
        roomMade = true;
    }

    /** What it makes stale was looked for. */
    void markPruned() {
        pruned = true;
    }
}
