package io.volumesnapshotter.snapshot;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Decides which snapshots of a claim are stale, by the rules of {@link Keep}.
 *
 * <p>The rules are those of restic's {@code forget}: hours, days, weeks from Monday, months and
 * years are the calendar's, so the hour that a clock change repeats is one hour; the newest
 * snapshot of each stays; only those that hold a snapshot count; and if a rule asks for more
 * snapshots than exist, the oldest is kept as well. Only snapshots that are ready, not being
 * deleted and not dated in the future count. A held one stays and counts like any other, as one
 * does in restic that {@code --keep-tag} keeps.
 *
 * <p>Whatever the rules say, the newest ready snapshot stays, and what is dated in the future is
 * never stale. One that is not ready is stale only when a newer one is ready, or when the driver
 * refused it for good. One that was to be consistent and is not proven to be counts as not ready.
 */
public final class Retention {

    /**
     * How old a snapshot that never became ready has to be before it is removed: controllers before
     * external-snapshotter 8.6 lose a deletion while the driver is still cutting.
     */
    public static final Duration LEFTOVER_AGE = Duration.ofMinutes(10);

    private static final Comparator<Snapshot> OLDEST_FIRST =
            Comparator.comparing(Snapshot::takenAt)
                    .thenComparing(Snapshot::createdAt)
                    .thenComparing(Snapshot::name);

    // Storage's clock and the API server's may differ.
    private static final Comparator<Snapshot> FIRST_ASKED_FOR_FIRST =
            Comparator.comparing(Snapshot::createdAt).thenComparing(OLDEST_FIRST);

    private Retention() {}

    /**
     * What becomes of one snapshot.
     *
     * @param stale whether it can be deleted
     * @param reasons everything that keeps it, or why it is stale; at least one
     */
    public record Decision(Snapshot snapshot, boolean stale, List<String> reasons) {

        /** A decision that keeps the snapshot after all. */
        public Decision keptFor(String reason) {
            return new Decision(snapshot, false, List.of(reason));
        }

        /** The reasons as one text. */
        public String reason() {
            return String.join(", ", reasons);
        }
    }

    /**
     * What becomes of each of a claim's snapshots, and why; newest first.
     *
     * @param history the snapshots that compete with each other, in any order
     * @param zone in which hours, days, weeks, months and years are meant
     * @param now the present, by this machine's clock
     */
    public static List<Decision> decide(
            List<Snapshot> history, Keep keep, ZoneId zone, Instant now) {
        List<Snapshot> newestFirst = history.stream().sorted(OLDEST_FIRST.reversed()).toList();
        // A clock that is a little ahead is no reason to leave the newest one out of the count.
        List<Snapshot> counted =
                newestFirst.stream()
                        .filter(Snapshot::isGood)
                        .filter(s -> !isAfter(s, now.plus(Snapshot.CLOCK_TOLERANCE)))
                        .toList();
        Reasons reasons = new Reasons();
        Predicate<Snapshot> newerIsReady = snapshot -> false;
        if (!counted.isEmpty()) {
            applyRules(counted, keep, zone, reasons);
            Snapshot lastAskedFor = Collections.max(counted, FIRST_ASKED_FOR_FIRST);
            reasons.add(counted.get(0), "newest ready");
            newerIsReady =
                    snapshot ->
                            snapshot.takenAt().isBefore(counted.get(0).takenAt())
                                    && snapshot.createdAt().isBefore(lastAskedFor.createdAt());
            if (lastAskedFor != counted.get(0)) {
                reasons.add(lastAskedFor, "newest ready by the API server's clock");
            }
        }
        keepCopiesThatAreNotReady(newestFirst, keep, zone, reasons);
        int failedToKeep = keep.failed();
        List<Decision> decisions = new ArrayList<>();
        for (Snapshot snapshot : newestFirst) {
            addReasonsOfItsOwn(snapshot, keep, now, reasons);
            if (!snapshot.ready() && reasons.of(snapshot).isEmpty()) {
                boolean hopeless = isHopeless(snapshot);
                if (!snapshot.createdAt().isBefore(now.minus(LEFTOVER_AGE))) {
                    reasons.add(snapshot, "not ready yet");
                } else if (!hopeless && !newerIsReady.test(snapshot)) {
                    reasons.add(snapshot, "not ready yet, and no newer one is");
                } else if ((!snapshot.isCut() || snapshot.unproven()) && failedToKeep > 0) {
                    failedToKeep--;
                    reasons.add(snapshot, "kept for looking at");
                }
            }
            List<String> kept = reasons.of(snapshot);
            decisions.add(
                    kept.isEmpty()
                            ? new Decision(snapshot, true, List.of(whyStale(snapshot)))
                            : new Decision(snapshot, false, List.copyOf(kept)));
        }
        return decisions;
    }

    /**
     * Whether a snapshot holds nothing and never will: the driver refused it for good. One that
     * storage has cut is none of these, whatever its error says.
     */
    public static boolean isHopeless(Snapshot snapshot) {
        return !snapshot.ready()
                && !snapshot.isCut()
                && snapshot.error() != null
                && DriverError.isFinal(snapshot.error());
    }

    /**
     * Keeps a copy that is not ready now where the rules would keep it if it were. It does not
     * count for the others: no ready snapshot becomes stale because of it.
     */
    private static void keepCopiesThatAreNotReady(
            List<Snapshot> newestFirst, Keep keep, ZoneId zone, Reasons reasons) {
        Predicate<Snapshot> isCopy =
                s -> !s.terminating() && (s.ready() || s.isCut() && !s.unproven());
        List<Snapshot> copies = newestFirst.stream().filter(isCopy).toList();
        if (copies.stream().allMatch(Snapshot::ready)) {
            return;
        }
        Reasons asIfReady = new Reasons();
        applyRules(copies, keep, zone, asIfReady);
        copies.stream()
                .filter(snapshot -> !snapshot.ready() && !asIfReady.of(snapshot).isEmpty())
                .forEach(snapshot -> reasons.add(snapshot, "a copy, though it is not ready now"));
    }

    private static void addReasonsOfItsOwn(
            Snapshot snapshot, Keep keep, Instant now, Reasons reasons) {
        if (keep.isEverything()) {
            reasons.add(snapshot, "no rule is given");
        }
        if (snapshot.hold().isAt(now)) {
            reasons.add(snapshot, snapshot.hold().words());
        }
        if (snapshot.terminating()) {
            reasons.add(snapshot, "being deleted");
        }
        if (isAfter(snapshot, now)) {
            reasons.add(snapshot, "dated in the future");
        }
    }

    private static String whyStale(Snapshot snapshot) {
        if (isHopeless(snapshot)) {
            return "it cannot become ready: " + snapshot.error();
        }
        if (snapshot.unproven()) {
            return "it is not consistent, and a newer one is ready";
        }
        return snapshot.ready() || snapshot.isCut()
                ? "no rule keeps it"
                : "never became ready, and a newer one did";
    }

    private static boolean isAfter(Snapshot snapshot, Instant instant) {
        return snapshot.takenAt().isAfter(instant) || snapshot.createdAt().isAfter(instant);
    }

    private static void applyRules(
            List<Snapshot> newestFirst, Keep keep, ZoneId zone, Reasons reasons) {
        newestFirst.stream()
                .limit(keep.last().orElse(0))
                .forEach(snapshot -> reasons.add(snapshot, "last snapshot"));
        keep.within()
                .ifPresent(
                        within -> {
                            Instant bound = newestFirst.get(0).takenAt().minus(within);
                            newestFirst.stream()
                                    .takeWhile(snapshot -> snapshot.takenAt().isAfter(bound))
                                    .forEach(s -> reasons.add(s, "within " + text(within)));
                        });
        for (Period period : Period.values()) {
            OptionalInt count = period.count.apply(keep);
            if (count.isPresent()) {
                applyRule(newestFirst, period, count.getAsInt(), zone, reasons);
            }
        }
    }

    private static void applyRule(
            List<Snapshot> newestFirst, Period period, int count, ZoneId zone, Reasons reasons) {
        Set<LocalDateTime> seen = new HashSet<>();
        for (Snapshot snapshot : newestFirst) {
            if (seen.size() == count) {
                return;
            }
            if (seen.add(period.start.apply(LocalDateTime.ofInstant(snapshot.takenAt(), zone)))) {
                reasons.add(snapshot, period.word + " snapshot");
            } else if (snapshot == newestFirst.get(newestFirst.size() - 1)) {
                reasons.add(snapshot, "oldest " + period.word + " snapshot");
            }
        }
    }

    private static String text(Duration duration) {
        Duration rest = duration.minusDays(duration.toDays());
        return (duration.toDays() > 0 ? duration.toDays() + "d" : "")
                + (rest.isZero() ? "" : rest.toString().substring(2).toLowerCase(Locale.ROOT));
    }

    private enum Period {
        HOUR("hourly", Keep::hourly, time -> time.truncatedTo(ChronoUnit.HOURS)),
        DAY("daily", Keep::daily, Period::day),
        WEEK(
                "weekly",
                Keep::weekly,
                time -> day(time).with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY))),
        MONTH("monthly", Keep::monthly, time -> day(time).withDayOfMonth(1)),
        YEAR("yearly", Keep::yearly, time -> day(time).withDayOfYear(1));

        final String word;
        final Function<Keep, OptionalInt> count;
        final Function<LocalDateTime, LocalDateTime> start;

        Period(
                String word,
                Function<Keep, OptionalInt> count,
                Function<LocalDateTime, LocalDateTime> start) {
            this.word = word;
            this.count = count;
            this.start = start;
        }

        private static LocalDateTime day(LocalDateTime time) {
            return time.truncatedTo(ChronoUnit.DAYS);
        }
    }

    private static final class Reasons {

        private final Map<Snapshot, List<String>> reasons = new IdentityHashMap<>();

        void add(Snapshot snapshot, String reason) {
            reasons.computeIfAbsent(snapshot, s -> new ArrayList<>()).add(reason);
        }

        List<String> of(Snapshot snapshot) {
            return reasons.getOrDefault(snapshot, List.of());
        }
    }
}
