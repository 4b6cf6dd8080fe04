package io.volumesnapshotter.command;

import io.volumesnapshotter.command.Table.Cell;
import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.run.Outlook;
import io.volumesnapshotter.schedule.ClaimFacts;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.settings.NameFilter;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Ownership;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What list shows of snapshots: each with whose it is, what keeps it, and until when. */
final class Listing {

    /** How many runs to look ahead for when a snapshot goes, in all of a list. */
    private static final int RUNS = 20_000;

    /** How many runs to look ahead at most, of each schedule. */
    private static final int MOST_RUNS = 400;

    private static final int FEWEST_RUNS = 24;

    private static final Comparator<Claim> BY_CLAIM =
            Comparator.comparing(Claim::namespace).thenComparing(Claim::name);

    private static final Comparator<Snapshot> NEWEST_FIRST =
            Comparator.comparing(Snapshot::takenAt).thenComparing(Snapshot::name).reversed();

    private final Map<String, Outlook> outlooks = new TreeMap<>();
    private final String installation;
    private final Instant now;

    /**
     * A snapshot.
     *
     * @param reasons what keeps it, or why it goes
     * @param goes whether the next run of its schedule deletes it
     * @param goesAt when the run is due that deletes it, if that is known
     */
    record Row(Snapshot snapshot, List<String> reasons, boolean goes, Optional<Instant> goesAt) {

        String name() {
            return snapshot.name();
        }
    }

    Listing(Wiring.Loaded program, Instant now) {
        this.now = now;
        installation = program.installation();
        for (ScheduleEntry entry : program.schedules().entries()) {
            if (entry.schedule().policy().drill().isPresent()) {
                continue;
            }
            outlooks.put(
                    entry.name(),
                    new Outlook(entry.schedule(), entry.trigger(), program.installation()));
        }
    }

    /** The schedule whose label a snapshot carries, if it is one of this program's. */
    static Optional<String> scheduleOf(Snapshot snapshot) {
        return SnapshotLabels.isOfTheProgram(snapshot.labels())
                ? Optional.ofNullable(snapshot.labels().get(SnapshotLabels.SCHEDULE))
                : Optional.empty();
    }

    /**
     * The rows, by claim, newest first.
     *
     * @param claims of which claims
     */
    List<Row> rows(List<Snapshot> all, NameFilter claims, Optional<String> schedule) {
        Map<Claim, List<Snapshot>> byClaim = new TreeMap<>(BY_CLAIM);
        all.stream()
                .filter(s -> claims.accepts(s.claim().name()))
                .forEach(s -> byClaim.computeIfAbsent(s.claim(), any -> new ArrayList<>()).add(s));
        int runs = Math.max(FEWEST_RUNS, Math.min(MOST_RUNS, RUNS / Math.max(1, byClaim.size())));
        List<Row> rows = new ArrayList<>();
        byClaim.forEach(
                (claim, ofClaim) -> {
                    ofClaim.sort(NEWEST_FIRST);
                    Map<String, Row> known = judged(claim, ofClaim, runs);
                    ofClaim.stream()
                            .filter(s -> schedule.isEmpty() || scheduleOf(s).equals(schedule))
                            .map(s -> known.getOrDefault(s.name(), unjudged(s)))
                            .forEach(rows::add);
                });
        return rows;
    }

    /**
     * Those that a schedule's rules are for. Where several are, it goes by the first that takes.
     */
    private Map<String, Row> judged(Claim claim, List<Snapshot> ofClaim, int runs) {
        Map<String, Row> rows = new HashMap<>();
        for (Outlook outlook : outlooks.values()) {
            List<Decision> decisions = outlook.decide(claim, ofClaim, ClaimFacts.UNKNOWN, now);
            if (decisions.isEmpty()) {
                continue;
            }
            Map<String, Instant> ends = outlook.ends(claim, ofClaim, ClaimFacts.UNKNOWN, now, runs);
            for (Decision decision : decisions) {
                Snapshot snapshot = decision.snapshot();
                rows.merge(
                        snapshot.name(),
                        new Row(
                                snapshot,
                                decision.reasons(),
                                decision.stale(),
                                Optional.ofNullable(ends.get(snapshot.name()))),
                        (a, b) -> a.goes() ? a : b.goes() ? b : a);
            }
        }
        return rows;
    }

    private Row unjudged(Snapshot snapshot) {
        List<String> reasons = new ArrayList<>();
        if (snapshot.hold().isAt(now)) {
            reasons.add("held");
        }
        Optional<String> schedule = scheduleOf(snapshot);
        if (schedule.isEmpty()) {
            reasons.add(
                    SnapshotLabels.isOfTheOriginal(snapshot.labels())
                            ? "of the original CronJob; no schedule adopts it"
                            : "not of this program");
        } else if (new Ownership(installation, schedule.get()).isOthers(snapshot)) {
            reasons.add("of installation " + snapshot.labels().get(SnapshotLabels.INSTALLATION));
        } else {
            reasons.add(
                    schedule.get().equals(OnDemand.SCHEDULE)
                            ? "taken on demand; no schedule deletes it"
                            : "no schedule " + schedule.get() + " is known here");
        }
        return new Row(snapshot, reasons, false, Optional.empty());
    }

    /** The document for machines; its items are made one after the other. */
    static Map<String, Object> document(List<Row> rows, Map<Claim, Proof> proofs) {
        Map<String, Object> document = Output.document("SnapshotList");
        Iterable<Map<String, Object>> items =
                () -> rows.stream().map(row -> item(row, proofs)).iterator();
        document.put("items", items);
        return document;
    }

    private static Map<String, Object> item(Row row, Map<Claim, Proof> proofs) {
        Snapshot snapshot = row.snapshot();
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("namespace", snapshot.claim().namespace());
        item.put("name", snapshot.name());
        item.put("claim", snapshot.claim().name().isEmpty() ? null : snapshot.claim().name());
        item.put("schedule", scheduleOf(snapshot).orElse(null));
        item.put("run", snapshot.labels().get(SnapshotLabels.RUN));
        item.put("managedBy", snapshot.labels().get(SnapshotLabels.MANAGED_BY));
        item.put("createdAt", Times.text(snapshot.createdAt()));
        item.put("cutAt", snapshot.cutAt() == null ? null : Times.text(snapshot.cutAt()));
        item.put("ready", snapshot.ready());
        item.put("terminating", snapshot.terminating());
        item.put("size", snapshot.size());
        item.put("snapshotClass", snapshot.snapshotClass());
        item.put("error", snapshot.error());
        item.put("held", snapshot.hold().isSet());
        item.put("heldUntil", snapshot.hold().until());
        item.put("holdReason", snapshot.hold().reason());
        item.put("kept", !row.goes());
        item.put("reasons", row.reasons());
        item.put("goesAt", row.goesAt().map(Times::text).orElse(null));
        item.put(
                "claimProvenAt",
                Optional.ofNullable(proofs.get(snapshot.claim()))
                        .flatMap(Proof::provenAt)
                        .map(Times::text)
                        .orElse(null));
        return item;
    }

    static Table table(List<Row> rows, Map<Claim, Proof> proofs, boolean namespaces, Instant now) {
        List<String> head = new ArrayList<>();
        if (namespaces) {
            head.add("NAMESPACE");
        }
        head.addAll(
                List.of(
                        "CLAIM",
                        "SNAPSHOT",
                        "AGE",
                        "CUT",
                        "READY",
                        "SIZE",
                        "SCHEDULE",
                        "KEPT BY",
                        "GOES"));
        if (!proofs.isEmpty()) {
            head.add("CLAIM PROVEN");
        }
        Table table = new Table(head.toArray(String[]::new));
        Set<Claim> told = new HashSet<>();
        for (Row row : rows) {
            Snapshot snapshot = row.snapshot();
            List<Cell> cells = new ArrayList<>();
            if (namespaces) {
                cells.add(Cell.of(snapshot.claim().namespace()));
            }
            cells.add(Cell.of(or(snapshot.claim().name())));
            cells.add(Cell.of(snapshot.name()));
            cells.add(Cell.of(Times.age(snapshot.createdAt(), now)));
            cells.add(Cell.of(snapshot.cutAt() == null ? "-" : Times.text(snapshot.cutAt())));
            cells.add(state(snapshot));
            cells.add(Cell.of(or(snapshot.size())));
            cells.add(Cell.of(scheduleOf(snapshot).orElseGet(() -> origin(snapshot))));
            cells.add(
                    new Cell(
                            row.goes() ? "-" : String.join(", ", row.reasons()),
                            row.goes() ? Colour.FAINT : Colour.NONE));
            cells.add(
                    Cell.of(
                            row.goesAt()
                                    .map(Times::text)
                                    .orElse(row.goes() ? "with the next run" : "-")));
            if (!proofs.isEmpty()) {
                cells.add(
                        told.add(snapshot.claim())
                                ? proven(proofs.get(snapshot.claim()))
                                : Cell.of(""));
            }
            table.add(cells);
        }
        return table;
    }

    /** When a claim was proven last. */
    private static Cell proven(Proof proof) {
        if (proof == null) {
            return Cell.of("-");
        }
        String at = proof.provenAt().map(Times::text).orElse("never");
        return proof.failed().isEmpty()
                ? new Cell(at, Colour.GREEN)
                : new Cell(at + ", failed since", Colour.RED);
    }

    private static String origin(Snapshot snapshot) {
        return "("
                + Optional.ofNullable(snapshot.labels().get(SnapshotLabels.MANAGED_BY))
                        .or(() -> Optional.ofNullable(snapshot.labels().get(SnapshotLabels.JOB)))
                        .orElse("other")
                + ")";
    }

    private static Cell state(Snapshot snapshot) {
        if (snapshot.terminating()) {
            return new Cell("terminating", Colour.FAINT);
        }
        if (snapshot.ready()) {
            return new Cell("true", Colour.GREEN);
        }
        if (snapshot.unproven()) {
            return new Cell("unproven", Colour.YELLOW);
        }
        return snapshot.error() == null
                ? new Cell("false", Colour.YELLOW)
                : new Cell("error", Colour.RED);
    }

    private static String or(String text) {
        return text == null || text.isEmpty() ? "-" : text;
    }
}
