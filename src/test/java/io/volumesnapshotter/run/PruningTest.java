package io.volumesnapshotter.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.run.Pruning.Occasion;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.ClaimSelection;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotBuilder;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What may be deleted, and what no rule may take. */
class PruningTest {

    private static final String US = "a.snapshotter";
    private static final Claim DATA = new Claim("shop", "data");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant NOW = TEN.plusSeconds(60);
    private static final String REFUSED = "rpc error: code = Unimplemented desc = no snapshots";

    private final Map<String, String> rules = new HashMap<>(Map.of("keep-last", "1"));
    private Instant due = TEN;
    private ClaimFacts claims = ClaimFacts.UNKNOWN;

    private static SnapshotBuilder at(int hour) {
        return SnapshotBuilder.taken(US, "hourly", DATA, hour(hour));
    }

    private static Instant hour(int hour) {
        return Instant.parse("2026-11-22T00:00:00Z").plus(Duration.ofHours(hour));
    }

    private static String name(int hour) {
        return SnapshotNames.snapshot("data", "hourly", hour(hour));
    }

    private Policy policy() {
        Map<String, String> all = new HashMap<>(rules);
        Map.of(
                        "claims", "data",
                        "ready-timeout", "15m",
                        "poll-interval", "1s",
                        "max-poll-interval", "30s",
                        "starting-deadline", "15m",
                        "freeze-timeout", "30s",
                        "concurrency", "4")
                .forEach(all::putIfAbsent);
        assertThat(ScheduleSettings.names()).containsAll(all.keySet());
        assertThat(ClaimSelection.class).isNotNull();
        return Policy.of(new Settings(name -> name, name -> Optional.ofNullable(all.get(name))));
    }

    private Map<String, String> deleted(Occasion occasion, Snapshot... snapshots) {
        Pruning pruning = new Pruning(policy(), ZoneOffset.UTC, new Ownership(US, "hourly"), due);
        ClusterFacts facts = ClusterFacts.of(NOW, List.of(snapshots), claims);
        String own = SnapshotNames.snapshot("data", "hourly", due);
        Map<String, String> deleted = new HashMap<>();
        for (Decision decision : Pruning.stale(pruning.decide(DATA, facts, own, occasion, NOW))) {
            deleted.put(decision.snapshot().name(), decision.reason());
        }
        return deleted;
    }

    private Map<String, String> deleted(Snapshot... snapshots) {
        return deleted(Occasion.NEWER_IS_READY, snapshots);
    }

    @Test
    void whatNoRuleKeepsGoesOnceANewerOneIsReadyAndTheReasonGoesWithIt() {
        assertThat(deleted(at(9).build(), at(10).build()))
                .containsExactlyEntriesOf(Map.of(name(9), "no rule keeps it"));
    }

    @Test
    void withoutANewerOneNothingGoesThatMayBeRestoredFrom() {
        assertThat(deleted(Occasion.LEFTOVERS, at(8).build(), at(9).build())).isEmpty();
    }

    @Test
    void anOlderRunDeletesNothingThatALaterOneTookHoweverNewItsOwnIs() {
        due = hour(8);
        Snapshot madeAgain = at(8).created(NOW.minusSeconds(30)).build();
        assertThat(deleted(at(7).build(), madeAgain, at(9).build(), at(10).build()))
                .containsOnlyKeys(name(7));
    }

    @Test
    void aLaterRunThatIsDueInTheFutureIsOfAClockThatWasWrong() {
        Snapshot ahead = at(12).created(hour(9)).build();
        assertThat(deleted(ahead, at(10).build())).containsOnlyKeys(name(12));
    }

    @Test
    void aDateThatTheDriverGivesToAllDoesNotDecide() {
        rules.put("keep-daily", "7");
        Instant same = Instant.parse("2026-01-01T00:00:00Z");
        Snapshot[] daily =
                IntStream.range(0, 7)
                        .mapToObj(day -> TEN.minus(Duration.ofDays(day)))
                        .map(time -> SnapshotBuilder.taken(US, "hourly", DATA, time).cut(same))
                        .map(SnapshotBuilder::build)
                        .toArray(Snapshot[]::new);
        assertThat(deleted(daily)).isEmpty();
    }

    @Test
    void aDriverThatBeginsToGiveOldDatesDoesNotLoseTheSnapshotOfTheRunBefore() {
        rules.put("keep-last", "2");
        Instant old = Instant.parse("1970-01-01T00:00:00Z");
        assertThat(deleted(at(8).build(), at(9).cut(old).build(), at(10).cut(old).build()))
                .containsOnlyKeys(name(8));
    }

    @Test
    void theLastGoodOneOfAVolumeThatWasDeletedStays() {
        assertThat(
                        deleted(
                                at(7).ofVolume("old").build(),
                                at(8).ofVolume("old").build(),
                                at(9).ofVolume("old").build(),
                                at(10).ofVolume("new").build()))
                .containsOnlyKeys(name(7));
    }

    /**
     * Nine was cut of a claim that was gone already when its turn came, and so was the next one.
     */
    @Test
    void aClaimThatIsMadeAnewTwiceDoesNotCostTheLastGoodOneOfTheFirst() {
        madeAnew(hour(10).minusSeconds(60));
        assertThat(
                        deleted(
                                at(7).ofVolume("first").build(),
                                at(8).ofVolume("first").build(),
                                at(9).ofVolume("first").build(),
                                at(10).ofVolume("new").build()))
                .containsOnlyKeys(name(7));
    }

    @Test
    void ofThePresentClaimTheRulesAloneDecide() {
        madeAnew(hour(6));
        assertThat(
                        deleted(
                                at(7).ofVolume("new").build(),
                                at(8).ofVolume("new").build(),
                                at(9).ofVolume("new").build(),
                                at(10).ofVolume("new").build()))
                .containsOnlyKeys(name(7), name(8), name(9));
    }

    @Test
    void aSnapshotOfAClaimMadeAnewIsOfThatOneWhateverItsAnnotationSays() {
        claims =
                new ClaimFacts(
                        Map.of(DATA, new ClaimFacts.Present("new", TEN.minusSeconds(30))),
                        Map.of());
        assertThat(deleted(at(9).ofVolume("old").build(), at(10).ofVolume("old").build()))
                .isEmpty();
    }

    private void madeAnew(Instant created) {
        claims = new ClaimFacts(Map.of(DATA, new ClaimFacts.Present("new", created)), Map.of());
    }

    @Test
    void aSnapshotOfTheSecondInWhichAClaimWasMadeAnewCountsForNobody() {
        madeAnew(TEN);
        assertThat(deleted(at(9).ofVolume("old").build(), at(10).ofVolume("old").build()))
                .isEmpty();
    }

    @Test
    void aSnapshotThatWasCutAfterItsClaimWasMadeAnewStandsForNoFormerOne() {
        Snapshot[] all = {
            at(6).ofVolume("old").build(),
            at(7).ofVolume("old").build(),
            at(8).ofVolume("old").build(),
            at(9).ofVolume("old").cut(hour(9).plusSeconds(600)).build(),
            at(10).ofVolume("new").build()
        };
        madeAnew(hour(9).plusSeconds(300));
        assertThat(deleted(all)).containsOnlyKeys(name(6));
        madeAnew(hour(9).plus(Snapshot.CLOCK_TOLERANCE).plusSeconds(601));
        assertThat(deleted(all)).containsOnlyKeys(name(6), name(7));
    }

    @Test
    void theClockOfADriverDoesNotTellWhichClaimItCut() {
        madeAnew(hour(9).plusSeconds(2));
        assertThat(
                        deleted(
                                at(6).ofVolume("old").build(),
                                at(7).ofVolume("old").build(),
                                at(8).ofVolume("old").build(),
                                at(9).ofVolume("old").cut(hour(9).minusSeconds(200)).build(),
                                at(10).ofVolume("new").build()))
                .containsOnlyKeys(name(6));
    }

    @Test
    void whereTheDriverDoesNotTellWhenItCutItMayHaveBeenAfterTheClaimWasMadeAnew() {
        String nonsense = "1970-01-01T00:00:00Z";
        Snapshot[] all = {
            at(-60).ofVolume("old").cut(Instant.parse(nonsense)).build(),
            at(-50).ofVolume("old").cut(Instant.parse(nonsense)).build(),
            at(-40).ofVolume("old").cut(Instant.parse(nonsense)).build(),
            at(-30).ofVolume("old").cut(Instant.parse(nonsense)).build(),
            at(10).ofVolume("new").build()
        };
        madeAnew(hour(-7));
        assertThat(deleted(all)).containsOnlyKeys(name(-60));
        madeAnew(hour(-5));
        assertThat(deleted(all)).containsOnlyKeys(name(-60), name(-50));
    }

    @Test
    void whatAClaimIsBeingRestoredFromStays() {
        claims = new ClaimFacts(Map.of(), Map.of("shop/" + name(9), "shop/restored"));
        assertThat(deleted(at(8).build(), at(9).build(), at(10).build())).containsOnlyKeys(name(8));
    }

    @Test
    void whatIsHeldStays() {
        assertThat(deleted(at(9).held().build(), at(10).build())).isEmpty();
    }

    @Test
    void whatAnotherInstallationTookIsNotEvenCounted() {
        Snapshot theirs = SnapshotBuilder.taken("b.snapshotter", "hourly", DATA, hour(9)).build();
        assertThat(deleted(theirs, at(10).build())).isEmpty();
    }

    @Test
    void leftoversThatCannotBecomeReadyAreHeldToKeepFailedByThemselves() {
        due = hour(11);
        Snapshot[] failed =
                IntStream.rangeClosed(5, 9)
                        .mapToObj(hour -> at(hour).failed(REFUSED).build())
                        .toArray(Snapshot[]::new);
        assertThat(deleted(Occasion.LEFTOVERS, failed))
                .containsOnlyKeys(name(5), name(6), name(7), name(8));
    }

    @Test
    void leftoversThatMayStillBecomeReadyAreNotTouchedWithoutANewerOne() {
        assertThat(
                        deleted(
                                Occasion.LEFTOVERS,
                                at(5).failed("rpc error: code = Unavailable").build(),
                                at(6).unready().build(),
                                at(7).build()))
                .isEmpty();
    }

    @Test
    void aCopyThatIsNotReadyNowIsNoLeftover() {
        rules.put("keep-last", "2");
        assertThat(deleted(at(9).flipped().build(), at(10).build())).isEmpty();
        assertThat(deleted(at(8).flipped().build(), at(9).build(), at(10).build()))
                .containsOnlyKeys(name(8));
    }

    @Test
    void roomIsMadeOnlyBeyondWhatTheRulesKeepWithoutTheNewOne() {
        rules.put("keep-last", "2");
        due = hour(10);
        Snapshot[] six =
                Stream.of(4, 5, 6, 7, 8, 9).map(h -> at(h).build()).toArray(Snapshot[]::new);
        assertThat(deleted(Occasion.ROOM, six))
                .containsOnlyKeys(name(4), name(5), name(6), name(7));
        assertThat(deleted(Occasion.ROOM, at(8).build(), at(9).build())).isEmpty();
    }
}
