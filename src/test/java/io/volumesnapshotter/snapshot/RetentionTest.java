package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Retention.Decision;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class RetentionTest {

    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

    private static final Claim DATA = new Claim("shop", "data");
    private static final Map<String, String> OWN = SnapshotLabels.ofSchedule("hourly");
    private static final Predicate<Snapshot> SCOPE =
            snapshot ->
                    snapshot.claim().equals(DATA)
                            && snapshot.labels().entrySet().containsAll(OWN.entrySet());

    // --- the rules, by example

    @Example
    void keepsTheNewestReadyOnes() {
        List<Snapshot> history = List.of(ready("a", 3), ready("b", 2), ready("c", 1));
        assertThat(stale(history, "last=1")).extracting(Snapshot::name).containsExactly("a", "b");
        assertThat(stale(history, "last=2")).extracting(Snapshot::name).containsExactly("a");
        assertThat(stale(history, "last=3")).isEmpty();
        assertThat(stale(history, "last=4")).isEmpty();
    }

    @Example
    void withoutAnyRuleEverythingStays() {
        List<Snapshot> history = List.of(ready("a", 3), unready("b", 2), ready("c", 1));
        assertThat(stale(history, "failed=0")).isEmpty();
        assertThat(decide(history, "failed=0"))
                .containsExactly(
                        "c: newest ready, no rule is given",
                        "b: no rule is given",
                        "a: no rule is given");
    }

    @Example
    void orderIsWhenStorageCutTheDataNotWhenItWasAskedFor() {
        Snapshot slow = new Builder("slow", hours(5)).taken(hours(1)).build();
        Snapshot middle = ready("middle", 3);
        Snapshot quick = ready("quick", 2);
        assertThat(decide(List.of(slow, middle, quick), "last=1"))
                .containsExactly(
                        "slow: last snapshot, newest ready",
                        "quick: newest ready by the API server's clock",
                        "middle: stale, no rule keeps it");
    }

    @Example
    void aSnapshotThatNeverBecameReadyGoesOnceItIsOldAndANewerOneIsReady() {
        Snapshot leftover = unready("leftover", 2);
        assertThat(decide(List.of(leftover, ready("new", 0)), "last=1 failed=0"))
                .endsWith("leftover: stale, never became ready, and a newer one did");
        assertThat(decide(List.of(ready("old", 3), leftover), "last=1 failed=0"))
                .startsWith("leftover: not ready yet, and no newer one is");
        assertThat(decide(List.of(leftover), "last=1 failed=0"))
                .containsExactly("leftover: not ready yet, and no newer one is");
    }

    @Example
    void aSnapshotThatStorageCutLastStaysAlthoughItWasAskedForEarlierAndIsNotReady() {
        Snapshot uploading = new Builder("uploading", hours(3)).taken(hours(1)).unready().build();
        assertThat(decide(List.of(uploading, ready("new", 2)), "last=1 failed=0"))
                .startsWith("uploading: not ready yet, and no newer one is");
    }

    @Example
    void aSnapshotThatIsNotReadyYetIsLeftAloneInItsFirstMinutes() {
        Instant young = NOW.minus(Retention.LEFTOVER_AGE).plusSeconds(1);
        Snapshot slow = new Builder("slow", young).unready().build();
        assertThat(decide(List.of(slow, ready("new", 0)), "last=1 failed=0"))
                .endsWith("slow: not ready yet");
    }

    @Example
    void oneThatIsNotConsistentCountsAsOneThatFailed() {
        List<Snapshot> history =
                List.of(
                        ready("good", 5),
                        new Builder("early", hours(4)).unproven().build(),
                        new Builder("late", hours(3)).unproven().build(),
                        ready("new", 2),
                        new Builder("now", hours(1)).unproven().build());
        assertThat(decide(history, "last=1 failed=1"))
                .containsExactly(
                        "now: not ready yet, and no newer one is",
                        "new: last snapshot, newest ready",
                        "late: kept for looking at",
                        "early: stale, it is not consistent, and a newer one is ready",
                        "good: stale, no rule keeps it");
        assertThat(stale(history, "last=2 failed=0")).hasSize(2);
    }

    @Example
    void oneThatIsNotConsistentStaysWhereThereIsNoOther() {
        assertThat(
                        decide(
                                List.of(new Builder("only", hours(9)).unproven().build()),
                                "last=1 failed=0"))
                .containsExactly("only: not ready yet, and no newer one is");
    }

    @Example
    void theNewestOfThoseThatNeverBecameReadyStayForLookingAt() {
        List<Snapshot> history =
                List.of(
                        unready("a", 4),
                        unready("b", 3),
                        new Builder("pinned", hours(2)).unready().held().build(),
                        ready("c", 1),
                        unready("d", 0));
        assertThat(decide(history, "last=1 failed=1"))
                .containsExactly(
                        "d: not ready yet",
                        "c: last snapshot, newest ready",
                        "pinned: held",
                        "b: kept for looking at",
                        "a: stale, never became ready, and a newer one did");
        assertThat(stale(history, "last=1")).describedAs("1 is the default").hasSize(1);
        assertThat(stale(history, "last=1 failed=0")).hasSize(2);
        assertThat(stale(history, "last=1 failed=2")).isEmpty();
    }

    @Example
    void aHeldSnapshotStaysAndCountsLikeAnyOther() {
        List<Snapshot> history =
                List.of(
                        ready("a", 4),
                        new Builder("pinned", hours(3)).held().build(),
                        ready("b", 2),
                        new Builder("pinned too", hours(1)).held().build(),
                        ready("c", 0));
        assertThat(decide(history, "last=2"))
                .containsExactly(
                        "c: last snapshot, newest ready",
                        "pinned too: last snapshot, held",
                        "b: stale, no rule keeps it",
                        "pinned: held",
                        "a: stale, no rule keeps it");
    }

    @Example
    void aSnapshotThatIsBeingDeletedNeitherCountsNorIsDeletedAgain() {
        Snapshot going = new Builder("going", hours(0)).terminating().build();
        assertThat(decide(List.of(going, ready("a", 2), ready("b", 1)), "last=1"))
                .containsExactly(
                        "going: being deleted",
                        "b: last snapshot, newest ready",
                        "a: stale, no rule keeps it");
    }

    @Example
    void aClockThatIsALittleAheadDoesNotLeaveOneTooMany() {
        Snapshot fresh = new Builder("new", NOW.plusSeconds(2)).build();
        assertThat(decide(List.of(ready("old", 1), fresh), "last=1"))
                .containsExactly(
                        "new: last snapshot, newest ready, dated in the future",
                        "old: stale, no rule keeps it");
    }

    @Example
    void whatIsDatedInTheFutureStaysAndDoesNotCount() {
        Snapshot future = new Builder("future", NOW.plus(Duration.ofDays(400))).build();
        assertThat(decide(List.of(future, ready("a", 2), ready("b", 1)), "last=1 within=1h"))
                .containsExactly(
                        "future: dated in the future",
                        "b: last snapshot, within 1h, newest ready",
                        "a: stale, no rule keeps it");
    }

    // --- what restic documents

    @Example
    void dailyOverSundaysAsInResticsManual() {
        List<Snapshot> sundays =
                IntStream.range(0, 12)
                        .mapToObj(week -> LocalDate.of(2019, 9, 1).plusWeeks(week))
                        .map(day -> at(day + "T11:00Z"))
                        .toList();
        assertThat(kept(sundays, "daily=4", "UTC"))
                .containsExactly(
                        "2019-11-17T11:00Z: daily snapshot, newest ready",
                        "2019-11-10T11:00Z: daily snapshot",
                        "2019-11-03T11:00Z: daily snapshot",
                        "2019-10-27T11:00Z: daily snapshot");
    }

    @Example
    void oneSnapshotADayOverAHundredYearsAsInResticsManual() {
        LocalDate sunday = LocalDate.of(2026, 11, 22);
        List<Snapshot> days =
                sunday.minusYears(100)
                        .datesUntil(sunday.plusDays(1))
                        .map(day -> at(day + "T00:00Z"))
                        .toList();
        List<Decision> kept = keptOf(days, "daily=7 weekly=5 monthly=12 yearly=75", "UTC");
        assertThat(kept).hasSize(7 + 4 + 11 + 73);
        assertThat(dates(kept, "daily snapshot"))
                .containsExactlyElementsOf(countBack(7, sunday::minusDays));
        assertThat(dates(kept, "weekly snapshot"))
                .containsExactlyElementsOf(countBack(5, sunday::minusWeeks));
        assertThat(dates(kept, "monthly snapshot"))
                .startsWith(sunday, LocalDate.of(2026, 10, 31), LocalDate.of(2026, 9, 30))
                .endsWith(LocalDate.of(2026, 1, 31), LocalDate.of(2025, 12, 31))
                .hasSize(12);
        assertThat(dates(kept, "yearly snapshot"))
                .startsWith(sunday, LocalDate.of(2025, 12, 31))
                .endsWith(LocalDate.of(1953, 12, 31), LocalDate.of(1952, 12, 31))
                .hasSize(75);
    }

    @Example
    void lastCountsSnapshotsOfTheSameMinuteEach() {
        assertThat(
                        kept(
                                "last=2",
                                "UTC",
                                "2026-03-01T10:00:01Z",
                                "2026-03-01T10:00:02Z",
                                "2026-03-01T10:00:03Z"))
                .containsExactly(
                        "2026-03-01T10:00:03Z: last snapshot, newest ready",
                        "2026-03-01T10:00:02Z: last snapshot");
    }

    @Example
    void hoursWithoutASnapshotDoNotCount() {
        assertThat(
                        kept(
                                "hourly=3",
                                "UTC",
                                "2026-03-01T02:00Z",
                                "2026-03-01T04:00Z",
                                "2026-03-01T04:59:59Z",
                                "2026-03-01T05:00Z",
                                "2026-03-03T10:10Z",
                                "2026-03-03T10:50Z"))
                .containsExactly(
                        "2026-03-03T10:50Z: hourly snapshot, newest ready",
                        "2026-03-01T05:00Z: hourly snapshot",
                        "2026-03-01T04:59:59Z: hourly snapshot");
    }

    @Example
    void aDayIsTheOneOfTheTimeZone() {
        String[] history = {"2026-07-01T18:14:59Z", "2026-07-01T18:15Z", "2026-07-02T04:00Z"};
        assertThat(kept("daily=2", "UTC", history))
                .containsExactly(
                        "2026-07-02T04:00Z: daily snapshot, newest ready",
                        "2026-07-01T18:15Z: daily snapshot");
        assertThat(kept("daily=2", "Asia/Kathmandu", history))
                .containsExactly(
                        "2026-07-02T04:00Z: daily snapshot, newest ready",
                        "2026-07-01T18:14:59Z: daily snapshot");
        assertThat(kept("daily=1", "America/New_York", history))
                .containsExactly("2026-07-02T04:00Z: daily snapshot, newest ready");
    }

    @Example
    void weeksBeginOnMondayAlsoAtTheTurnOfTheYear() {
        // 2020 has a week 53; Monday 30 December 2024 is in week 1 of 2025.
        assertThat(
                        kept(
                                "weekly=5",
                                "UTC",
                                "2020-12-27T12:00Z",
                                "2020-12-28T12:00Z",
                                "2021-01-03T12:00Z",
                                "2021-01-04T12:00Z",
                                "2024-12-29T23:59Z",
                                "2024-12-30T00:00Z",
                                "2025-01-05T23:59Z",
                                "2025-01-06T00:00Z"))
                .containsExactly(
                        "2025-01-06T00:00Z: weekly snapshot, newest ready",
                        "2025-01-05T23:59Z: weekly snapshot",
                        "2024-12-29T23:59Z: weekly snapshot",
                        "2021-01-04T12:00Z: weekly snapshot",
                        "2021-01-03T12:00Z: weekly snapshot");
    }

    @Example
    void monthsAndYearsWithoutASnapshotDoNotCount() {
        String[] history = {
            "2019-12-31T23:59Z",
            "2020-02-29T12:00Z",
            "2022-06-30T12:00Z",
            "2022-12-31T12:00Z",
            "2026-01-01T00:00Z",
            "2026-02-28T12:00Z"
        };
        assertThat(kept("monthly=3", "UTC", history))
                .containsExactly(
                        "2026-02-28T12:00Z: monthly snapshot, newest ready",
                        "2026-01-01T00:00Z: monthly snapshot",
                        "2022-12-31T12:00Z: monthly snapshot");
        assertThat(kept("yearly=3", "UTC", history))
                .containsExactly(
                        "2026-02-28T12:00Z: yearly snapshot, newest ready",
                        "2022-12-31T12:00Z: yearly snapshot",
                        "2020-02-29T12:00Z: yearly snapshot");
    }

    @Example
    void withinCountsFromTheNewestSnapshotAndLeavesItsBoundOut() {
        assertThat(
                        kept(
                                "within=1d12h",
                                "UTC",
                                "2019-03-01T00:00Z",
                                "2019-03-01T00:00:01Z",
                                "2019-03-02T11:59Z",
                                "2019-03-02T12:00Z"))
                .describedAs("years ago")
                .containsExactly(
                        "2019-03-02T12:00Z: within 1d12h, newest ready",
                        "2019-03-02T11:59Z: within 1d12h",
                        "2019-03-01T00:00:01Z: within 1d12h");
    }

    @Example
    void oneRuleIsEnoughToStayAndAllAreTold() {
        assertThat(
                        kept(
                                "last=1 within=7d hourly=1 daily=2 weekly=2 monthly=2 yearly=1",
                                "UTC",
                                "2026-02-01T12:00Z",
                                "2026-02-28T12:00Z",
                                "2026-03-01T12:00Z",
                                "2026-03-10T12:00Z",
                                "2026-03-11T11:00Z",
                                "2026-03-11T12:00Z"))
                .containsExactly(
                        "2026-03-11T12:00Z: last snapshot, within 7d, hourly snapshot, daily"
                                + " snapshot, weekly snapshot, monthly snapshot, yearly snapshot,"
                                + " newest ready",
                        "2026-03-11T11:00Z: within 7d",
                        "2026-03-10T12:00Z: within 7d, daily snapshot",
                        "2026-03-01T12:00Z: weekly snapshot",
                        "2026-02-28T12:00Z: monthly snapshot");
    }

    @Example
    void aRuleThatHasMoreToKeepThanThereIsKeepsTheOldest() {
        String[] history = {"2026-03-01T01:00Z", "2026-03-01T02:00Z", "2026-03-01T03:00Z"};
        assertThat(kept("daily=1", "UTC", history))
                .containsExactly("2026-03-01T03:00Z: daily snapshot, newest ready");
        assertThat(kept("daily=2", "UTC", history))
                .containsExactly(
                        "2026-03-01T03:00Z: daily snapshot, newest ready",
                        "2026-03-01T01:00Z: oldest daily snapshot");
    }

    @Example
    void anHourThatTheClocksLeaveOutIsNotMissed() {
        assertThat(
                        kept(
                                "hourly=2",
                                "Europe/Berlin",
                                "2026-03-29T01:10+01:00",
                                "2026-03-29T01:50+01:00",
                                "2026-03-29T03:10+02:00",
                                "2026-03-29T03:50+02:00"))
                .containsExactly(
                        "2026-03-29T03:50+02:00: hourly snapshot, newest ready",
                        "2026-03-29T01:50+01:00: hourly snapshot");
    }

    @Example
    void anHourThatTheClocksRepeatIsOneHour() {
        assertThat(
                        kept(
                                "hourly=3",
                                "Europe/Berlin",
                                "2026-10-25T01:30+02:00",
                                "2026-10-25T02:30+02:00",
                                "2026-10-25T02:10+01:00",
                                "2026-10-25T03:10+01:00"))
                .containsExactly(
                        "2026-10-25T03:10+01:00: hourly snapshot, newest ready",
                        "2026-10-25T02:10+01:00: hourly snapshot",
                        "2026-10-25T01:30+02:00: hourly snapshot");
        assertThat(
                        kept(
                                "hourly=2",
                                "Australia/Lord_Howe",
                                "2026-04-05T00:59+11:00",
                                "2026-04-05T01:40+11:00",
                                "2026-04-05T01:35+10:30",
                                "2026-04-05T02:00+10:30"))
                .containsExactly(
                        "2026-04-05T02:00+10:30: hourly snapshot, newest ready",
                        "2026-04-05T01:35+10:30: hourly snapshot");
    }

    @Example
    void aDayOfTwentyFiveHoursIsOneDay() {
        assertThat(
                        kept(
                                "daily=2",
                                "America/New_York",
                                "2026-10-31T23:59-04:00",
                                "2026-11-01T00:00-04:00",
                                "2026-11-01T23:59-05:00",
                                "2026-11-02T00:00-05:00"))
                .containsExactly(
                        "2026-11-02T00:00-05:00: daily snapshot, newest ready",
                        "2026-11-01T23:59-05:00: daily snapshot");
    }

    // --- what holds for every history

    @Property
    void decidesAsTheReferenceDoes(@ForAll("histories") History history) {
        Reference reference = new Reference(history);
        List<Decision> decisions = history.decide();
        assertThat(decisions).hasSameSizeAs(history.snapshots());
        for (Decision decision : decisions) {
            Set<String> expected = reference.reasonsToStay(decision.snapshot());
            assertThat(decision.stale()).describedAs("%s", decision).isEqualTo(expected.isEmpty());
            if (decision.stale()) {
                assertThat(decision.reasons()).hasSize(1);
            } else {
                assertThat(decision.reasons())
                        .describedAs("%s", decision.snapshot())
                        .containsExactlyInAnyOrderElementsOf(expected);
            }
        }
    }

    @Property
    void theNewestReadySnapshotIsNeverStaleAndNothingGoesWithoutANewerReadyOne(
            @ForAll("histories") History history) {
        Set<Snapshot> stale = history.stale();
        List<Snapshot> left =
                history.snapshots().stream()
                        .filter(Snapshot::isGood)
                        .filter(s -> !stale.contains(s))
                        .toList();
        for (Comparator<Snapshot> clock :
                List.of(
                        Comparator.comparing(Snapshot::takenAt),
                        Comparator.comparing(Snapshot::createdAt))) {
            history.snapshots().stream()
                    .filter(Snapshot::isGood)
                    .max(clock)
                    .ifPresent(
                            newest ->
                                    assertThat(left).anyMatch(s -> clock.compare(s, newest) == 0));
            for (Snapshot gone : stale) {
                assertThat(left)
                        .describedAs("a newer ready one than %s", gone)
                        .anyMatch(s -> clock.compare(s, gone) >= (gone.ready() ? 0 : 1));
            }
        }
    }

    @Property
    void terminatingHeldAndFutureOnesAreNeverStale(@ForAll("histories") History history) {
        assertThat(history.stale())
                .noneMatch(Snapshot::terminating)
                .noneMatch(snapshot -> snapshot.hold().isSet())
                .noneMatch(
                        s ->
                                s.takenAt().isAfter(history.now())
                                        || s.createdAt().isAfter(history.now()));
    }

    @Property
    void pruningAgainFindsNothingMore(@ForAll("histories") History history) {
        List<Snapshot> left = new ArrayList<>(history.snapshots());
        left.removeAll(history.stale());
        assertThat(history.with(left).stale()).isEmpty();
    }

    @Property
    void whoKeepsMoreLosesNoMore(@ForAll("histories") History history, @ForAll Random random) {
        if (history.keep().isEverything()) {
            return;
        }
        assertThat(history.stale()).containsAll(history.with(more(history.keep(), random)).stale());
    }

    @Property
    void aHoldOnOneSnapshotMakesNoOtherOneStale(
            @ForAll("histories") History history, @ForAll Random random) {
        if (history.snapshots().isEmpty()) {
            return;
        }
        List<Snapshot> snapshots = new ArrayList<>(history.snapshots());
        int pinned = random.nextInt(snapshots.size());
        snapshots.set(pinned, new Builder(snapshots.get(pinned)).held().build());
        assertThat(names(history.stale())).containsAll(names(history.with(snapshots).stale()));
    }

    @Property
    void unreadyAndTerminatingOnesChangeNothingForTheReadyOnes(
            @ForAll("histories") History history) {
        List<Snapshot> good = history.snapshots().stream().filter(Snapshot::isGood).toList();
        assertThat(history.stale().stream().filter(Snapshot::ready).toList())
                .containsExactlyInAnyOrderElementsOf(history.with(good).stale());
    }

    @Property
    void orderOfTheListDoesNotMatterAndDecisionsComeNewestFirst(
            @ForAll("histories") History history, @ForAll Random random) {
        List<Snapshot> shuffled = new ArrayList<>(history.snapshots());
        Collections.shuffle(shuffled, random);
        assertThat(history.with(shuffled).decide()).isEqualTo(history.decide());
        assertThat(history.decide())
                .extracting(decision -> decision.snapshot().takenAt())
                .isSortedAccordingTo(Comparator.reverseOrder());
    }

    @Property
    void snapshotsOfOthersChangeNothing(@ForAll("histories") History history) {
        List<Snapshot> mixed = new ArrayList<>();
        for (Snapshot snapshot : history.snapshots()) {
            mixed.add(snapshot);
            mixed.add(new Builder(snapshot).of(new Claim("shop", "db"), OWN).build());
            mixed.add(new Builder(snapshot).of(new Claim("blog", "data"), OWN).build());
            mixed.add(new Builder(snapshot).of(DATA, Map.of("job", "volume-snapshotter")).build());
            mixed.add(new Builder(snapshot).of(DATA, SnapshotLabels.ofSchedule("nightly")).build());
        }
        List<Snapshot> stale = stale(mixed, history.keep(), history.zone(), history.now());
        assertThat(stale)
                .containsExactlyInAnyOrderElementsOf(history.stale())
                .isSortedAccordingTo(Comparator.comparing(Snapshot::takenAt));
    }

    // --- the reference: what it means for one snapshot to stay

    /** Says of each snapshot for itself why it stays, by counting the others. */
    private static final class Reference {

        private final History history;
        private final List<Snapshot> counted;

        Reference(History history) {
            this.history = history;
            this.counted =
                    all(s -> s.ready() && !s.terminating() && ahead(s) <= 5 * 60_000).toList();
        }

        Set<String> reasonsToStay(Snapshot s) {
            Keep keep = history.keep();
            Set<String> reasons = new HashSet<>();
            if (counted.contains(s)) {
                List<Snapshot> newer = counted.stream().filter(o -> isNewer(o, s)).toList();
                boolean oldest = newer.size() == counted.size() - 1;
                if (newer.size() < keep.last().orElse(0)) {
                    reasons.add("last snapshot");
                }
                keep.within()
                        .filter(w -> newer.stream().allMatch(o -> millis(s, o) < w.toMillis()))
                        .ifPresent(w -> reasons.add("within " + words(w)));
                for (String rule : List.of("hourly", "daily", "weekly", "monthly", "yearly")) {
                    Set<Long> newerPeriods =
                            newer.stream().map(o -> period(rule, o)).collect(Collectors.toSet());
                    boolean newest = !newerPeriods.contains(period(rule, s));
                    if (newerPeriods.size() < count(rule) && (newest || oldest)) {
                        reasons.add((newest ? "" : "oldest ") + rule + " snapshot");
                    }
                }
                if (newer.isEmpty()) {
                    reasons.add("newest ready");
                } else if (counted.stream().noneMatch(o -> isAskedForLater(o, s))) {
                    reasons.add("newest ready by the API server's clock");
                }
            }
            if (List.of(keep.last(), keep.hourly(), keep.daily(), keep.weekly()).stream()
                            .allMatch(OptionalInt.empty()::equals)
                    && List.of(keep.monthly(), keep.yearly(), keep.within()).stream()
                            .allMatch(Set.of(OptionalInt.empty(), Optional.empty())::contains)) {
                reasons.add("no rule is given");
            }
            if (s.hold().isSet()) {
                reasons.add("held");
            }
            if (s.terminating()) {
                reasons.add("being deleted");
            }
            if (ahead(s) > 0) {
                reasons.add("dated in the future");
            }
            if (reasons.isEmpty() && !s.ready()) {
                if (isYoung(s)) {
                    reasons.add("not ready yet");
                } else if (!isLeftover(s)) {
                    reasons.add("not ready yet, and no newer one is");
                } else if (all(o -> isLeftover(o) && isNewer(o, s)).count() < keep.failed()) {
                    reasons.add("kept for looking at");
                }
            }
            return reasons;
        }

        private boolean isLeftover(Snapshot s) {
            return !s.ready()
                    && !s.hold().isSet()
                    && !s.terminating()
                    && ahead(s) <= 0
                    && !isYoung(s)
                    && counted.stream().anyMatch(o -> o.createdAt().isAfter(s.createdAt()))
                    && counted.stream().anyMatch(o -> o.takenAt().isAfter(s.takenAt()));
        }

        private boolean isYoung(Snapshot s) {
            return history.now().toEpochMilli() - s.createdAt().toEpochMilli() <= 10 * 60_000;
        }

        private Stream<Snapshot> all(Predicate<Snapshot> which) {
            return history.snapshots().stream().filter(which);
        }

        private long ahead(Snapshot s) {
            return Math.max(s.takenAt().toEpochMilli(), s.createdAt().toEpochMilli())
                    - history.now().toEpochMilli();
        }

        private static long millis(Snapshot from, Snapshot to) {
            return to.takenAt().toEpochMilli() - from.takenAt().toEpochMilli();
        }

        private static boolean isNewer(Snapshot a, Snapshot b) {
            return a.takenAt().equals(b.takenAt())
                    ? a.createdAt().equals(b.createdAt())
                            ? a.name().compareTo(b.name()) > 0
                            : a.createdAt().isAfter(b.createdAt())
                    : a.takenAt().isAfter(b.takenAt());
        }

        private static boolean isAskedForLater(Snapshot a, Snapshot b) {
            return a.createdAt().equals(b.createdAt())
                    ? isNewer(a, b)
                    : a.createdAt().isAfter(b.createdAt());
        }

        private int count(String rule) {
            Keep keep = history.keep();
            return Map.of(
                            "hourly", keep.hourly(),
                            "daily", keep.daily(),
                            "weekly", keep.weekly(),
                            "monthly", keep.monthly(),
                            "yearly", keep.yearly())
                    .get(rule)
                    .orElse(0);
        }

        private long period(String rule, Snapshot s) {
            ZonedDateTime time = s.takenAt().atZone(history.zone());
            return switch (rule) {
                case "hourly" -> time.toLocalDate().toEpochDay() * 24 + time.getHour();
                case "daily" -> time.toLocalDate().toEpochDay();
                case "weekly" -> Math.floorDiv(time.toLocalDate().toEpochDay() + 3, 7);
                case "monthly" -> time.getYear() * 12L + time.getMonthValue();
                default -> time.getYear();
            };
        }

        private static String words(Duration d) {
            long hours = d.toHours();
            return (hours / 24 > 0 ? hours / 24 + "d" : "")
                    + (hours % 24 > 0 ? hours % 24 + "h" : "");
        }
    }

    // --- random histories

    private record History(List<Snapshot> snapshots, Keep keep, ZoneId zone, Instant now) {

        List<Decision> decide() {
            return Retention.decide(snapshots, keep, zone, now);
        }

        Set<Snapshot> stale() {
            return decide().stream()
                    .filter(Decision::stale)
                    .map(Decision::snapshot)
                    .collect(Collectors.toSet());
        }

        History with(List<Snapshot> others) {
            return new History(others, keep, zone, now);
        }

        History with(Keep other) {
            return new History(snapshots, other, zone, now);
        }
    }

    private static final List<ZoneId> ZONES =
            List.of(
                    ZoneId.of("Europe/Berlin"),
                    ZoneId.of("America/New_York"),
                    ZoneId.of("Australia/Lord_Howe"),
                    ZoneId.of("Asia/Kathmandu"),
                    ZoneId.of("UTC"));

    /** Shortly after the clocks changed in one of the zones, and other turning points. */
    private static final List<Instant> PRESENTS =
            List.of(
                    NOW,
                    Instant.parse("2026-03-29T03:40:00Z"),
                    Instant.parse("2026-10-25T04:10:00Z"),
                    Instant.parse("2026-03-08T09:30:00Z"),
                    Instant.parse("2026-11-01T08:20:00Z"),
                    Instant.parse("2026-04-04T17:50:00Z"),
                    Instant.parse("2026-10-03T18:10:00Z"),
                    Instant.parse("2021-01-04T00:30:00Z"),
                    Instant.parse("2024-03-01T02:00:00Z"));

    /** Typical distances of snapshots, in minutes: from minutes to a third of a year. */
    private static final int[] DISTANCES = {3, 20, 60, 360, 1440, 8 * 1440, 120 * 1440};

    @Provide
    Arbitrary<History> histories() {
        return Arbitraries.randomValue(RetentionTest::history);
    }

    private static History history(Random random) {
        Instant now = PRESENTS.get(random.nextInt(PRESENTS.size()));
        int distance = DISTANCES[random.nextInt(DISTANCES.length)];
        int size = random.nextInt(random.nextInt(10) == 0 ? 40 : 13);
        boolean skewed = random.nextInt(3) == 0;
        List<Snapshot> snapshots = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            // Few minutes to choose from, so that some are the same.
            int minutes = (random.nextInt(size + 3) - size) * distance - random.nextInt(3) * 5;
            Instant created = now.plus(Duration.ofMinutes(minutes));
            Builder snapshot = new Builder("s" + i, created);
            if (skewed && random.nextInt(2) == 0) {
                int skew = random.nextInt(4) == 0 ? 2 * distance : 12;
                snapshot.taken(
                        created.plus(Duration.ofMinutes(random.nextInt(2 * skew + 1) - skew)));
            }
            if (random.nextInt(4) == 0) {
                snapshot.unready();
            }
            if (random.nextInt(10) == 0) {
                snapshot.terminating();
            }
            if (random.nextInt(10) == 0) {
                snapshot.held();
            }
            snapshots.add(snapshot.build());
        }
        return new History(
                snapshots,
                keep(random, distance),
                ZONES.get(random.nextInt(ZONES.size())),
                now.plusSeconds(random.nextInt(3) * 100));
    }

    private static Keep keep(Random random, int distance) {
        return new Keep(
                count(random),
                random.nextInt(4) == 0
                        ? Optional.of(
                                Duration.ofHours(
                                        1 + (long) random.nextInt(6) * Math.max(1, distance / 60)))
                        : Optional.empty(),
                count(random),
                count(random),
                count(random),
                count(random),
                count(random),
                random.nextInt(4));
    }

    private static OptionalInt count(Random random) {
        return random.nextInt(3) == 0 ? OptionalInt.of(1 + random.nextInt(5)) : OptionalInt.empty();
    }

    private static Keep more(Keep keep, Random random) {
        return new Keep(
                more(keep.last(), random),
                keep.within().map(within -> within.multipliedBy(1 + random.nextInt(3))),
                more(keep.hourly(), random),
                more(keep.daily(), random),
                more(keep.weekly(), random),
                more(keep.monthly(), random),
                more(keep.yearly(), random),
                keep.failed() + random.nextInt(2));
    }

    private static OptionalInt more(OptionalInt count, Random random) {
        return random.nextInt(2) == 0
                ? count
                : OptionalInt.of(count.orElse(0) + 1 + random.nextInt(2));
    }

    // --- helpers

    private static Set<String> names(Set<Snapshot> snapshots) {
        return snapshots.stream().map(Snapshot::name).collect(Collectors.toSet());
    }

    private static List<Snapshot> stale(List<Snapshot> history, String rules) {
        return stale(history, rules(rules), ZoneOffset.UTC, NOW);
    }

    private static List<Snapshot> stale(
            List<Snapshot> history, Keep keep, ZoneId zone, Instant now) {
        List<Snapshot> stale = new ArrayList<>();
        Retention.decide(history.stream().filter(SCOPE).toList(), keep, zone, now).stream()
                .filter(Decision::stale)
                .forEach(decision -> stale.add(0, decision.snapshot()));
        return stale;
    }

    private static List<String> decide(List<Snapshot> history, String rules) {
        return Retention.decide(history, rules(rules), ZoneOffset.UTC, NOW).stream()
                .map(RetentionTest::text)
                .toList();
    }

    private static List<String> kept(String rules, String zone, String... times) {
        return kept(Arrays.stream(times).map(RetentionTest::at).toList(), rules, zone);
    }

    private static List<String> kept(List<Snapshot> history, String rules, String zone) {
        return keptOf(history, rules, zone).stream().map(RetentionTest::text).toList();
    }

    private static List<Decision> keptOf(List<Snapshot> history, String rules, String zone) {
        return Retention.decide(history, rules(rules), ZoneId.of(zone), NOW.plusSeconds(86_400))
                .stream()
                .filter(decision -> !decision.stale())
                .toList();
    }

    private static List<LocalDate> dates(List<Decision> decisions, String reason) {
        return decisions.stream()
                .filter(decision -> decision.reasons().contains(reason))
                .map(decision -> LocalDate.ofInstant(decision.snapshot().takenAt(), ZoneOffset.UTC))
                .toList();
    }

    private static List<LocalDate> countBack(int count, LongFunction<LocalDate> minus) {
        return IntStream.range(0, count).mapToObj(minus::apply).toList();
    }

    private static String text(Decision decision) {
        return decision.snapshot().name()
                + (decision.stale() ? ": stale, " : ": ")
                + String.join(", ", decision.reasons());
    }

    /** Reads rules such as {@code "last=1 daily=7"}. */
    static Keep rules(String text) {
        Map<String, String> settings =
                Arrays.stream(text.split(" "))
                        .map(rule -> rule.split("="))
                        .collect(Collectors.toMap(rule -> "keep-" + rule[0], rule -> rule[1]));
        assertThat(ScheduleSettings.names()).containsAll(settings.keySet());
        return Keep.of(new Settings(name -> name, name -> Optional.ofNullable(settings.get(name))));
    }

    private static Snapshot at(String time) {
        return new Builder(time, OffsetDateTime.parse(time).toInstant()).build();
    }

    private static Snapshot ready(String name, int hoursAgo) {
        return new Builder(name, hours(hoursAgo)).build();
    }

    private static Snapshot unready(String name, int hoursAgo) {
        return new Builder(name, hours(hoursAgo)).unready().build();
    }

    private static Instant hours(int ago) {
        return NOW.minus(Duration.ofHours(ago));
    }

    private static final class Builder {

        private final String name;
        private final Instant created;
        private Instant taken;
        private Claim claim = DATA;
        private Map<String, String> labels = OWN;
        private boolean ready = true;
        private boolean unproven;
        private boolean terminating;
        private Hold hold = Hold.NONE;

        Builder(String name, Instant created) {
            this.name = name;
            this.created = created;
            this.taken = created;
        }

        Builder(Snapshot snapshot) {
            this(snapshot.name(), snapshot.createdAt());
            taken = snapshot.takenAt();
            ready = snapshot.ready();
            unproven = snapshot.unproven();
            terminating = snapshot.terminating();
            hold = snapshot.hold();
        }

        Builder taken(Instant time) {
            taken = time;
            return this;
        }

        Builder of(Claim otherClaim, Map<String, String> otherLabels) {
            claim = otherClaim;
            labels = otherLabels;
            return this;
        }

        Builder unready() {
            ready = false;
            return this;
        }

        /** On storage, but its application was not frozen as it was to be. */
        Builder unproven() {
            ready = false;
            unproven = true;
            return this;
        }

        Builder terminating() {
            terminating = true;
            return this;
        }

        Builder held() {
            hold = Hold.UNLIMITED;
            return this;
        }

        Snapshot build() {
            return new Snapshot(
                    name,
                    "uid-of-" + name,
                    "1",
                    claim,
                    labels,
                    created,
                    taken,
                    ready || unproven ? "1Gi" : null,
                    null,
                    true,
                    ready,
                    terminating ? created : null,
                    hold,
                    null,
                    null,
                    unproven);
        }
    }
}
