package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who leads, by what was seen of the Lease and when; times are seconds of a monotonic clock. */
class LeaseElectorTest {

    private static final LeaseTerms TERMS =
            new LeaseTerms(
                    "lease", Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(2));
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final LeaseElector elector = new LeaseElector("me", TERMS);

    /** Near the end of the range, as a monotonic clock may be. */
    private static long at(double seconds) {
        return Long.MAX_VALUE - 20_000_000_000L + (long) (seconds * 1_000_000_000L);
    }

    private static LeaseRecord record(String holder, Instant renewed, int version) {
        return new LeaseRecord(
                holder, Duration.ofSeconds(15), NOON, renewed, 3, Integer.toString(version));
    }

    private void lead(double sent) {
        elector.markSeen(null, at(sent));
        elector.markWritten(record("me", NOON, 1), at(sent), at(sent + 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {-7200, -100, 0, 100, 7200})
    void aLeaseIsOverWhenItDidNotChangeForItsDurationWhateverTimeIsInIt(long clockAhead) {
        elector.markSeen(record("other", NOON.plusSeconds(clockAhead), 1), at(0));
        assertThat(elector.mayWrite(at(14.9))).isFalse();
        elector.markSeen(record("other", NOON.plusSeconds(clockAhead), 1), at(14.9));
        assertThat(elector.mayWrite(at(15))).isTrue();
    }

    @Test
    void aLeaseThatChangesIsNeverOver() {
        for (int i = 0; i < 100; i++) {
            // The holder's clock stands, or steps back.
            elector.markSeen(record("other", NOON.minusSeconds(i / 50), i), at(i * 2));
            assertThat(elector.mayWrite(at(i * 2 + 14.9))).isFalse();
        }
    }

    @Test
    void aLeaseOfAnotherDurationHoldsForThat() {
        elector.markSeen(
                new LeaseRecord("other", Duration.ofSeconds(60), NOON, NOON, 0, "1"), at(0));
        assertThat(elector.mayWrite(at(59))).isFalse();
        assertThat(elector.mayWrite(at(60))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"'', 15, free", "other, 0, written by no elector", "me, 15, its own"})
    void aLeaseIsTakenAtOnceThatIs(String holder, int duration, String why) {
        elector.markSeen(
                new LeaseRecord(holder, Duration.ofSeconds(duration), null, null, 0, "1"), at(0));
        assertThat(elector.mayWrite(at(0))).as(why).isTrue();
        assertThat(elector.leads(at(0))).isFalse();
    }

    @Test
    void theLeaderLeadsForTheDeadlineFromWhenItSentTheRenewal() {
        lead(0);
        assertThat(elector.leads(at(9.9))).isTrue();
        assertThat(elector.leads(at(10))).isFalse();
        assertThat(elector.leads(at(45))).isFalse();
    }

    @Test
    void anAnswerThatComesAfterTheDeadlineMakesNoLeader() {
        elector.markSeen(null, at(0));
        elector.markWritten(record("me", NOON, 1), at(0), at(45));
        assertThat(elector.leads(at(45))).isFalse();
    }

    @Test
    void theLeaderIsNoneWhenAnotherHasTheLease() {
        lead(0);
        elector.markSeen(record("other", NOON, 2), at(2));
        assertThat(elector.leads(at(2))).isFalse();
        assertThat(elector.holder()).isEqualTo("other");
    }

    @Test
    void theLeaderIsNoneWhenTheLeaseIsGone() {
        lead(0);
        elector.markSeen(null, at(2));
        assertThat(elector.leads(at(2))).isFalse();
        assertThat(elector.mayWrite(at(2))).isTrue();
        assertThat(elector.claim(NOON).version()).isNull();
    }

    @Test
    void aTryThatFailedEndsNoLeadBeforeTheDeadlineButHasTheLeaseReadAgain() {
        lead(0);
        assertThat(elector.mustRead(at(2))).isFalse();
        elector.markUncertain();
        assertThat(elector.mustRead(at(2))).isTrue();
        assertThat(elector.leads(at(9))).isTrue();
        // The write that got no answer was carried out.
        elector.markSeen(record("me", NOON.plusSeconds(2), 2), at(9));
        assertThat(elector.leads(at(9))).isTrue();
        assertThat(elector.leads(at(10))).isFalse();
    }

    @Test
    void aLeaderWhoseTimeIsOverReadsBeforeItWrites() {
        lead(0);
        assertThat(elector.mustRead(at(45))).isTrue();
    }

    @Test
    void oneThatStandsByReadsEachTime() {
        elector.markSeen(record("other", NOON, 1), at(0));
        assertThat(elector.mustRead(at(2))).isTrue();
    }

    @Test
    void aRenewalKeepsWhenTheLeaseWasAcquired() {
        lead(0);
        assertThat(elector.claim(NOON.plusSeconds(2)))
                .isEqualTo(
                        new LeaseRecord(
                                "me", Duration.ofSeconds(15), NOON, NOON.plusSeconds(2), 3, "1"));
    }

    @Test
    void aTakeOverCountsAsATransition() {
        elector.markSeen(record("other", NOON, 7), at(0));
        Instant now = NOON.plusSeconds(15);
        assertThat(elector.claim(now))
                .isEqualTo(new LeaseRecord("me", Duration.ofSeconds(15), now, now, 4, "7"));
    }

    @Test
    void aRenewalDiffersFromTheLastThoughTheClockStands() {
        lead(0);
        LeaseRecord second = elector.claim(NOON);
        assertThat(second.renewed()).isNotEqualTo(NOON);
        elector.markWritten(second, at(2), at(2));
        assertThat(elector.claim(NOON).renewed()).isNotEqualTo(second.renewed());
    }

    @Test
    void theEndIsForGoodAndTheLeaseIsFreeAfterwards() {
        lead(0);
        elector.end();
        assertThat(elector.leads(at(1))).isFalse();
        // A renewal that was under way.
        elector.markWritten(record("me", NOON, 2), at(1), at(2));
        assertThat(elector.leads(at(2))).isFalse();
        assertThat(elector.mayWrite(at(2))).isFalse();
        assertThat(elector.release(NOON.plusSeconds(1)).orElseThrow())
                .satisfies(
                        free -> {
                            assertThat(free.holder()).isEmpty();
                            assertThat(free.version()).isEqualTo("2");
                        });
    }

    @Test
    void theLeaseOfAnotherIsNotGivenBack() {
        elector.markSeen(record("other", NOON, 1), at(0));
        elector.end();
        assertThat(elector.release(NOON)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0, 4400", "10, 4400", "12, 3001", "14.5, 501", "15, 4400"})
    void oneThatStandsByIsThereWhenTheLeaseIsOver(double now, long millis) {
        elector.markSeen(record("other", NOON, 1), at(0));
        assertThat(elector.waitMillis(at(now), 1)).isEqualTo(millis);
    }

    @Test
    void theLeaderRenewsInStep() {
        lead(0);
        assertThat(elector.waitMillis(at(1), 1)).isEqualTo(2000);
    }

    @ParameterizedTest
    @CsvSource({"true, 0.99, 2000", "false, 0, 2000", "false, 0.5, 3200", "false, 1, 4400"})
    void replicasThatStandByDoNotTryInStep(boolean leads, double random, long millis) {
        assertThat(TERMS.waitMillis(leads, random)).isEqualTo(millis);
    }
}
