package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.DriverError;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Duration;
import java.time.Instant;

/**
 * Judges what one look at the cluster shows of a claim's snapshot. It is a function of what it is
 * given, and changes nothing.
 */
public final class SnapshotJudge {

    /** What is said of a claim whose creation was not carried out in time. */
    static final String UNASKED = "it could not be asked for in the time that the run had";

    /** What a failure begins with whose snapshot is there, but was not taken as it was to be. */
    public static final String NOT_CONSISTENT = "not consistent: ";

    /** How often the same snapshot is asked for when the answer was "exists" and it does not. */
    static final int MAX_REQUESTS = 3;

    /** How often a snapshot is asked for that a quota refuses although room was made for it. */
    private static final int MAX_REFUSALS = 10;

    /**
     * At how many looks a snapshot is watched that the driver refused for good. Some drivers tell
     * that they are called too often by a code that means a wrong argument, and the controller
     * tries again after 1, 2, 4 … seconds.
     */
    static final int MAX_LOOKS_WATCHED = 8;

    /** How long it is watched at most: the next run must not wait for it. */
    static final Duration WATCH = Duration.ofSeconds(6);

    private static final String DELETED_BY_OTHERS = "find out who deletes snapshots of this run";
    private static final String LOOK_AT_IT =
            "look at it with kubectl describe, and delete or rename it";

    private final Policy policy;
    private final Ownership ownership;
    private final Instant now;
    private final boolean hasTime;

    /**
     * @param now the present
     * @param hasTime whether the run has time left for what can heal
     */
    SnapshotJudge(Policy policy, Ownership ownership, Instant now, boolean hasTime) {
        this.policy = policy;
        this.ownership = ownership;
        this.now = now;
        this.hasTime = hasTime;
    }

    /** What follows for the claim. */
    enum Outcome {
        /** Nothing yet. */
        WAIT,
        /** It can be restored from. */
        READY,
        /** It was asked for, and is not there: ask again. */
        ASK_AGAIN,
        /**
         * The name is taken, by another installation, or by a snapshot of a clock that was ahead:
         * ask for it under another one.
         */
        NAME_TAKEN,
        /** It failed, and nothing more is to be expected of it. */
        FAILED,
        /** The driver refused it for good, but that may turn out wrong. */
        REFUSED_FOR_GOOD
    }

    /**
     * A judgement.
     *
     * @param failure what to tell; null unless the claim failed
     */
    record Verdict(Outcome outcome, SnapshotFailedException failure) {

        static Verdict of(Outcome outcome) {
            return new Verdict(outcome, null);
        }
    }

    /**
     * Judges one claim.
     *
     * @param name the name of its snapshot in this run
     * @param snapshot what the cluster shows under that name, or null for nothing
     */
    Verdict judge(Claim claim, ClaimProgress progress, String name, Snapshot snapshot) {
        if (snapshot == null) {
            return ofNothing(claim, progress);
        }
        if (!snapshot.claim().equals(claim)) {
            return failed(
                    claim,
                    "the snapshot exists, but of claim \"" + snapshot.claim().name() + "\"",
                    LOOK_AT_IT);
        }
        if (ownership.isOthers(snapshot)) {
            return progress.isNameTaken()
                    ? failed(claim, name + " exists, but of another installation", LOOK_AT_IT)
                    : Verdict.of(Outcome.NAME_TAKEN);
        }
        if (snapshot.isPremature() && !progress.isCreated() && !progress.isNameTaken()) {
            return Verdict.of(
                    progress.requestsBeforeLook() > 0 ? Outcome.NAME_TAKEN : Outcome.WAIT);
        }
        if (snapshot.terminating()) {
            return failed(
                    claim, "the snapshot is being deleted by someone else", DELETED_BY_OTHERS);
        }
        if (snapshot.unproven() && isLeftBehind(progress)) {
            return failed(
                    claim,
                    NOT_CONSISTENT + "the program ended, or lost the answer, while it was taken",
                    "nothing: the next run takes another one");
        }
        if (snapshot.ready()) {
            return Verdict.of(Outcome.READY);
        }
        if (progress.phase() == ClaimProgress.Phase.WATCHED) {
            return Verdict.of(
                    progress.looksWatched() < MAX_LOOKS_WATCHED
                                    && now.isBefore(progress.watchedSince().plus(WATCH))
                                    && hasTime
                            ? Outcome.WAIT
                            : Outcome.FAILED);
        }
        if (snapshot.error() != null && DriverError.isFinal(snapshot.error())) {
            return new Verdict(
                    Outcome.REFUSED_FOR_GOOD,
                    new SnapshotFailedException(
                            claim,
                            snapshot.error(),
                            "correct the snapshot class or the volume; waiting does not help"));
        }
        boolean late =
                progress.startSeen() != null
                        && !now.isBefore(progress.startSeen().plus(policy.readyTimeout()));
        return late || !hasTime
                ? late(
                        claim,
                        "not ready within "
                                + Settings.text(policy.readyTimeout())
                                + ": "
                                + whyLate(snapshot),
                        "look at the snapshot and the driver's log; if the storage only needs"
                                + " longer, raise ready-timeout")
                : Verdict.of(Outcome.WAIT);
    }

    /** Whether no freeze of this run can prove it any more. */
    private static boolean isLeftBehind(ClaimProgress progress) {
        return progress.phase() == ClaimProgress.Phase.REQUESTED && !progress.isCreated();
    }

    private Verdict ofNothing(Claim claim, ClaimProgress progress) {
        ClaimProgress.Phase phase = progress.phase();
        if (phase == ClaimProgress.Phase.WATCHED) {
            return Verdict.of(Outcome.FAILED);
        }
        if (progress.refusal() != null && progress.requests() == 0) {
            // A deletion that made room takes a while, so it is asked for more than once again.
            return progress.futileRefusals() < (progress.isRoomMade() ? MAX_REFUSALS : 2) && hasTime
                    ? Verdict.of(Outcome.ASK_AGAIN)
                    : failed(
                            claim,
                            progress.refusal(),
                            progress.isRoomExpected()
                                    ? "find out why snapshots that are being deleted do not go, or"
                                            + " raise the quota"
                                    : "raise the quota or keep fewer snapshots");
        }
        if (progress.requests() > progress.requestsBeforeLook()) {
            // The list may be older than the snapshot: the next one tells.
            return Verdict.of(Outcome.WAIT);
        }
        if (progress.requests() < MAX_REQUESTS && hasTime) {
            return Verdict.of(
                    progress.requestsBeforeLook() > 0 || progress.isNameTaken()
                            ? Outcome.ASK_AGAIN
                            : Outcome.WAIT);
        }
        if (phase == ClaimProgress.Phase.WAITING) {
            return progress.lastWords() == null
                    ? late(claim, UNASKED, "raise concurrency or ready-timeout")
                    : late(
                            claim,
                            UNASKED + ": " + progress.lastWords(),
                            "look at the API server; the next run tries again");
        }
        return progress.isCreated()
                ? failed(
                        claim,
                        "the snapshot was created, and is not listed any more",
                        DELETED_BY_OTHERS)
                : failed(
                        claim,
                        "the server says that the snapshot exists, but it is not one of this run",
                        LOOK_AT_IT);
    }

    /** Why a snapshot that was ready is a good one no more; null while it is. */
    static SnapshotFailedException judgeReady(Claim claim, Snapshot snapshot) {
        if (snapshot != null && snapshot.isGood()) {
            return null;
        }
        if (snapshot != null && !snapshot.terminating()) {
            return new SnapshotFailedException(
                    claim,
                    "the snapshot was ready, and is not any more"
                            + (snapshot.error() == null ? "" : ": " + snapshot.error()),
                    "look at the snapshot and the driver's log");
        }
        return new SnapshotFailedException(
                claim,
                "the snapshot was ready, and "
                        + (snapshot == null ? "is gone" : "is being deleted"),
                DELETED_BY_OTHERS);
    }

    private static String whyLate(Snapshot snapshot) {
        if (snapshot.error() != null) {
            return snapshot.error();
        }
        return snapshot.started()
                ? "the driver said nothing"
                : "the snapshot controller has not started on it";
    }

    private static Verdict late(Claim claim, String message, String remedy) {
        return new Verdict(
                Outcome.FAILED, new SnapshotFailedException(claim, message, remedy, true));
    }

    private static Verdict failed(Claim claim, String message, String remedy) {
        return new Verdict(Outcome.FAILED, new SnapshotFailedException(claim, message, remedy));
    }
}
