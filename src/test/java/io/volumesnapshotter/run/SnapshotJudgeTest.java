package io.volumesnapshotter.run;

import static io.volumesnapshotter.run.SnapshotJudge.Outcome.ASK_AGAIN;
import static io.volumesnapshotter.run.SnapshotJudge.Outcome.FAILED;
import static io.volumesnapshotter.run.SnapshotJudge.Outcome.NAME_TAKEN;
import static io.volumesnapshotter.run.SnapshotJudge.Outcome.READY;
import static io.volumesnapshotter.run.SnapshotJudge.Outcome.REFUSED_FOR_GOOD;
import static io.volumesnapshotter.run.SnapshotJudge.Outcome.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.run.SnapshotJudge.Outcome;
import io.volumesnapshotter.run.SnapshotJudge.Verdict;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotBuilder;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What one look makes of a claim's snapshot. */
class SnapshotJudgeTest {

    private static final String US = "a.snapshotter";
    private static final Claim DATA = new Claim("shop", "data");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Map<String, String> SETTINGS =
            Map.of(
                    "claims", "data",
                    "ready-timeout", "15m",
                    "poll-interval", "1s",
                    "max-poll-interval", "30s",
                    "starting-deadline", "15m",
                    "freeze-timeout", "30s",
                    "concurrency", "4");

    private final ClaimProgress progress = new ClaimProgress();
    private Instant now = TEN.plusSeconds(60);
    private boolean hasTime = true;

    private static SnapshotBuilder taken() {
        return SnapshotBuilder.taken(US, "hourly", DATA, TEN);
    }

    private Verdict judge(Snapshot snapshot) {
        Policy policy =
                Policy.of(new Settings(n -> n, name -> Optional.ofNullable(SETTINGS.get(name))));
        return new SnapshotJudge(policy, new Ownership(US, "hourly"), now, hasTime)
                .judge(DATA, progress, taken().build().name(), snapshot);
    }

    private Outcome outcome(Snapshot snapshot) {
        return judge(snapshot).outcome();
    }

    private String failure(Snapshot snapshot) {
        Verdict verdict = judge(snapshot);
        assertThat(verdict.failure()).isNotNull();
        return verdict.failure().getMessage();
    }

    @Test
    void whatIsReadyIsReady() {
        assertThat(outcome(taken().build())).isEqualTo(READY);
    }

    @Test
    void whatIsNotProvenConsistentIsWaitedForWhileItsFreezeLasts() {
        assertThat(outcome(taken().unproven().build())).isEqualTo(WAIT);
        progress.markRequested(true);
        assertThat(outcome(taken().unproven().build())).isEqualTo(WAIT);
    }

    @Test
    void whatAnEarlierFreezeLeftUnprovenHasFailed() {
        progress.markTakenOver(false);
        assertThat(failure(taken().unproven().build())).startsWith("not consistent: ");
    }

    @Test
    void whatIsNotReadyYetIsWaitedFor() {
        assertThat(outcome(taken().unready().build())).isEqualTo(WAIT);
    }

    @Test
    void anErrorThatMayPassIsWaitedFor() {
        assertThat(outcome(taken().failed("rpc error: code = Unavailable").build()))
                .isEqualTo(WAIT);
    }

    @Test
    void anErrorThatDoesNotPassIsRefusalForGoodInTheDriversWords() {
        String words = "rpc error: code = Unimplemented desc = no snapshots";
        assertThat(outcome(taken().failed(words).build())).isEqualTo(REFUSED_FOR_GOOD);
        assertThat(failure(taken().failed(words).build())).isEqualTo(words);
    }

    @Test
    void whatWasRefusedForGoodIsLookedAtForAWhile() {
        progress.markRequested(true);
        progress.markWatched(now);
        Snapshot refused = taken().failed("rpc error: code = InvalidArgument").build();
        assertThat(outcome(refused)).isEqualTo(WAIT);
        for (int look = 0; look < SnapshotJudge.MAX_LOOKS_WATCHED; look++) {
            progress.markLookedAt();
        }
        assertThat(judge(refused)).isEqualTo(new Verdict(FAILED, null));
        assertThat(outcome(taken().build())).isEqualTo(READY);
    }

    @Test
    void theNextRunDoesNotWaitForWhatIsOnlyWatched() {
        progress.markRequested(true);
        progress.markWatched(now);
        now = now.plus(SnapshotJudge.WATCH);
        assertThat(outcome(taken().failed("rpc error: code = InvalidArgument").build()))
                .isEqualTo(FAILED);
    }

    @Test
    void timeCountsFromTheStartOfTheWork() {
        progress.markRequested(true);
        now = TEN.plusSeconds(3600);
        assertThat(outcome(taken().unready().build())).isEqualTo(WAIT);
        progress.markStarted(now.minusSeconds(15 * 60));
        assertThat(failure(taken().unready().build()))
                .isEqualTo("not ready within 15m: the driver said nothing");
    }

    @Test
    void aRunWithoutTimeFailsWhatIsNotReady() {
        hasTime = false;
        assertThat(outcome(taken().unready().build())).isEqualTo(FAILED);
        assertThat(outcome(taken().build())).isEqualTo(READY);
    }

    @Test
    void whatSomebodyDeletesHasFailed() {
        assertThat(failure(taken().terminating().build())).contains("deleted by someone else");
    }

    @Test
    void aSnapshotOfThatNameOfAnotherClaimIsNone() {
        SnapshotBuilder other = SnapshotBuilder.taken(US, "hourly", new Claim("shop", "db"), TEN);
        assertThat(failure(other.build())).contains("of claim \"db\"");
    }

    @Test
    void aNameThatAnotherInstallationHasIsAskedForUnderAnotherOne() {
        Snapshot theirs = SnapshotBuilder.taken("b.snapshotter", "hourly", DATA, TEN).build();
        assertThat(outcome(theirs)).isEqualTo(NAME_TAKEN);
        progress.markNameTaken();
        assertThat(failure(theirs)).contains("of another installation");
    }

    @Test
    void oneThatWasCreatedBeforeItWasDueIsNotTheRunsOwn() {
        Snapshot early = taken().created(TEN.minusSeconds(7200)).build();
        assertThat(outcome(early)).isEqualTo(WAIT);
        progress.markRequested(false);
        progress.markListing();
        assertThat(outcome(early)).isEqualTo(NAME_TAKEN);
        assertThat(outcome(taken().created(TEN.minusSeconds(200)).build())).isEqualTo(READY);
        progress.markNameTaken();
        assertThat(outcome(early)).isEqualTo(READY);
    }

    @Test
    void oneThatTheRunCreatedItselfCountsWhateverTheServersClockSays() {
        progress.markRequested(true);
        progress.markListing();
        assertThat(outcome(taken().created(TEN.minusSeconds(7200)).build())).isEqualTo(READY);
    }

    @Test
    void whatIsNotThereIsAskedForAgainOnceItsAnswerCameBeforeTheList() {
        assertThat(outcome(null)).isEqualTo(WAIT);
        progress.markRequested(true);
        assertThat(outcome(null)).isEqualTo(WAIT);
        progress.markListing();
        assertThat(outcome(null)).isEqualTo(ASK_AGAIN);
    }

    @Test
    void whatVanishesAgainAndAgainHasFailed() {
        for (int request = 0; request < SnapshotJudge.MAX_REQUESTS; request++) {
            progress.markRequested(true);
        }
        progress.markListing();
        assertThat(failure(null)).contains("is not listed any more");
    }

    @Test
    void oneThatWasCreatedWhileTheListWasOnItsWayIsLookedForOnceMore() {
        hasTime = false;
        progress.markRequested(true);
        assertThat(outcome(null)).isEqualTo(WAIT);
        progress.markListing();
        assertThat(failure(null)).contains("is not listed any more");
    }

    @Test
    void aQuotaIsAskedOnceMoreAndOftenerWhereRoomWasMade() {
        progress.markRefused("exceeded quota: q");
        assertThat(outcome(null)).isEqualTo(ASK_AGAIN);
        progress.markRefused("exceeded quota: q");
        assertThat(failure(null)).isEqualTo("exceeded quota: q");
        progress.markRoomMade();
        assertThat(outcome(null)).isEqualTo(ASK_AGAIN);
    }

    @Test
    void aQuotaIsAskedAgainAsLongAsSnapshotsAreBeingDeleted() {
        for (int refusal = 0; refusal < 20; refusal++) {
            progress.markRefused("exceeded quota: q");
            progress.markRoomExpected(true);
            assertThat(outcome(null)).isEqualTo(ASK_AGAIN);
        }
        // The last of them may have gone after the quota had counted it.
        progress.markRefused("exceeded quota: q");
        progress.markRoomExpected(false);
        assertThat(outcome(null)).isEqualTo(ASK_AGAIN);
        progress.markRefused("exceeded quota: q");
        progress.markRoomExpected(false);
        assertThat(outcome(null)).isEqualTo(FAILED);
    }

    @Test
    void aQuotaThatSnapshotsFillWhichDoNotGoSaysThat() {
        progress.markRefused("exceeded quota: q");
        progress.markRoomExpected(true);
        hasTime = false;
        assertThat(judge(null).failure().remedy()).contains("being deleted");
    }

    @Test
    void whatCouldNotBeAskedForInTimeSaysWhy() {
        hasTime = false;
        assertThat(failure(null)).isEqualTo(SnapshotJudge.UNASKED);
        progress.markRetried("HTTP 503");
        assertThat(failure(null)).isEqualTo(SnapshotJudge.UNASKED + ": HTTP 503");
    }
}
