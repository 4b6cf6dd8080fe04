package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;

class RetentionTest {

    private static final int TRIES = 100_000;
    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

    private static final Claim DATA = new Claim("shop", "data");
    private static final Map<String, String> OWN = SnapshotLabels.ofSchedule("hourly");

    // --- the rules, by example

    @Example
    void keepsTheNewestReadyOnes() {
        List<Snapshot> history = List.of(ready("a", 3), ready("b", 2), ready("c", 1));
        assertThat(stale(history, 1)).extracting(Snapshot::name).containsExactly("a", "b");
        assertThat(stale(history, 2)).extracting(Snapshot::name).containsExactly("a");
        assertThat(stale(history, 3)).isEmpty();
    }

    @Example
    void orderIsWhenStorageCutTheDataNotWhenItWasAskedFor() {
        Snapshot slow =
                new Snapshot("slow", DATA, OWN, hours(5), hours(1), true, true, false, null);
        Snapshot middle = ready("middle", 3);
        Snapshot quick = ready("quick", 2);
        assertThat(stale(List.of(slow, middle, quick), 1))
                .describedAs("the newest by either clock stays")
                .containsExactly(middle);
    }

    @Example
    void aSnapshotThatNeverBecameReadyGoesOnceItIsOldAndANewerOneIsReady() {
        Snapshot leftover = unready("leftover", 2);
        assertThat(stale(List.of(leftover, ready("new", 0)), 1)).containsExactly(leftover);
        assertThat(stale(List.of(ready("old", 3), leftover), 1)).isEmpty();
        assertThat(stale(List.of(leftover), 1)).isEmpty();
    }

    @Example
    void aSnapshotThatIsNotReadyYetIsLeftAloneInItsFirstMinutes() {
        Instant young = NOW.minus(Retention.LEFTOVER_AGE).plusSeconds(1);
        Snapshot slow = new Snapshot("slow", DATA, OWN, young, young, false, false, false, null);
        assertThat(stale(List.of(slow, ready("new", 0)), 1)).isEmpty();
    }

    @Example
    void aClockThatIsALittleAheadDoesNotLeaveOneTooMany() {
        Instant ahead = NOW.plusSeconds(2);
        Snapshot fresh = new Snapshot("new", DATA, OWN, ahead, ahead, true, true, false, null);
        Snapshot old = ready("old", 1);
        assertThat(stale(List.of(old, fresh), 1)).containsExactly(old);
    }

    // --- what holds for every history

    @Property(tries = TRIES)
    void theNewestReadySnapshotOfAClaimIsNeverStale(
            @ForAll("histories") List<Snapshot> history,
            @ForAll @IntRange(min = 1, max = 4) int keep) {
        Set<Snapshot> stale = new HashSet<>(stale(history, keep));
        List<Snapshot> good =
                history.stream().filter(RetentionTest::isOwn).filter(Snapshot::isGood).toList();
        good.stream()
                .max(Comparator.comparing(Snapshot::createdAt))
                .ifPresent(newest -> assertThat(isNewestOf(good, newest, stale)).isTrue());
        for (Snapshot gone : stale) {
            assertThat(good)
                    .describedAs("a newer ready one stays for %s", gone)
                    .anyMatch(
                            s ->
                                    !stale.contains(s) && !s.takenAt().isBefore(gone.takenAt())
                                            || !stale.contains(s)
                                                    && !s.createdAt().isBefore(gone.createdAt()));
        }
    }

    private static boolean isNewestOf(List<Snapshot> good, Snapshot newest, Set<Snapshot> stale) {
        return good.stream()
                .filter(s -> s.createdAt().equals(newest.createdAt()))
                .anyMatch(s -> !stale.contains(s));
    }

    @Property(tries = TRIES)
    void atLeastSoManyReadyOnesStayAsAreToBeKept(
            @ForAll("histories") List<Snapshot> history,
            @ForAll @IntRange(min = 1, max = 4) int keep) {
        Set<Snapshot> stale = new HashSet<>(stale(history, keep));
        long good = history.stream().filter(RetentionTest::isOwn).filter(Snapshot::isGood).count();
        long left =
                history.stream()
                        .filter(RetentionTest::isOwn)
                        .filter(Snapshot::isGood)
                        .filter(s -> !stale.contains(s))
                        .count();
        assertThat(left).isGreaterThanOrEqualTo(Math.min(good, keep));
    }

    @Property(tries = TRIES)
    void unreadyAndTerminatingOnesChangeNothingForTheReadyOnes(
            @ForAll("histories") List<Snapshot> history,
            @ForAll @IntRange(min = 1, max = 4) int keep) {
        List<Snapshot> onlyGood = history.stream().filter(Snapshot::isGood).toList();
        assertThat(stale(history, keep).stream().filter(Snapshot::ready).toList())
                .isEqualTo(stale(onlyGood, keep));
    }

    @Property(tries = TRIES)
    void othersAndTerminatingAndFutureOnesAreNeverStale(
            @ForAll("histories") List<Snapshot> history,
            @ForAll @IntRange(min = 1, max = 4) int keep) {
        assertThat(stale(history, keep))
                .allMatch(RetentionTest::isOwn)
                .noneMatch(Snapshot::terminating)
                .noneMatch(s -> s.takenAt().isAfter(NOW) || s.createdAt().isAfter(NOW));
    }

    @Property(tries = 10_000)
    void pruningAgainFindsNothingMore(
            @ForAll("histories") List<Snapshot> history,
            @ForAll @IntRange(min = 1, max = 4) int keep) {
        List<Snapshot> left = new ArrayList<>(history);
        left.removeAll(stale(history, keep));
        assertThat(stale(left, keep)).isEmpty();
    }

    private static boolean isOwn(Snapshot snapshot) {
        return snapshot.claim().equals(DATA)
                && snapshot.labels().entrySet().containsAll(OWN.entrySet());
    }

    private static List<Snapshot> stale(List<Snapshot> history, int keepLast) {
        return Retention.stale(history, "hourly", DATA, keepLast, NOW);
    }

    private static Snapshot ready(String name, int hoursAgo) {
        return new Snapshot(
                name, DATA, OWN, hours(hoursAgo), hours(hoursAgo), true, true, false, null);
    }

    private static Snapshot unready(String name, int hoursAgo) {
        return new Snapshot(
                name, DATA, OWN, hours(hoursAgo), hours(hoursAgo), true, false, false, null);
    }

    private static Instant hours(int ago) {
        return NOW.minus(Duration.ofHours(ago));
    }

    @Provide
    Arbitrary<List<Snapshot>> histories() {
        Arbitrary<Instant> times =
                Arbitraries.longs().between(-200, 20).map(minutes -> NOW.plusSeconds(60 * minutes));
        Arbitrary<Claim> claims =
                Arbitraries.frequency(
                        Tuple.of(6, DATA),
                        Tuple.of(1, new Claim("shop", "db")),
                        Tuple.of(1, new Claim("blog", "data")));
        Arbitrary<Map<String, String>> labels =
                Arbitraries.frequency(
                        Tuple.of(6, OWN),
                        Tuple.of(1, SnapshotLabels.ofSchedule("nightly")),
                        Tuple.of(1, Map.of("job", "volume-snapshotter")),
                        Tuple.of(1, Map.of("app.kubernetes.io/managed-by", "velero")));
        Arbitrary<Boolean> mostly = Arbitraries.frequency(Tuple.of(3, true), Tuple.of(1, false));
        Arbitrary<Boolean> seldom = mostly.map(usual -> !usual);
        return Combinators.combine(claims, labels, times, times, mostly, mostly, seldom)
                .as(
                        (claim, own, created, taken, sane, ready, terminating) ->
                                new Snapshot(
                                        "",
                                        claim,
                                        own,
                                        created,
                                        sane ? created : taken,
                                        ready,
                                        ready,
                                        terminating,
                                        null))
                .list()
                .ofMaxSize(12)
                .map(RetentionTest::named);
    }

    private static List<Snapshot> named(List<Snapshot> snapshots) {
        Map<String, Snapshot> named = new LinkedHashMap<>();
        for (Snapshot s : snapshots) {
            String name = "s" + named.size();
            named.put(
                    name,
                    new Snapshot(
                            name,
                            s.claim(),
                            s.labels(),
                            s.createdAt(),
                            s.takenAt(),
                            s.started(),
                            s.ready(),
                            s.terminating(),
                            s.error()));
        }
        return List.copyOf(named.values());
    }
}
