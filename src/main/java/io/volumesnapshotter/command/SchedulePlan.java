package io.volumesnapshotter.command;

import io.volumesnapshotter.drill.Drills;
import io.volumesnapshotter.drill.Proof;
import io.volumesnapshotter.run.ClaimPlan;
import io.volumesnapshotter.schedule.ClaimSearch;
import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.schedule.ScheduleEntry;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Retention.Decision;
import io.volumesnapshotter.snapshot.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a schedule would do at a time.
 *
 * @param settings its settings as they are in force
 * @param isSuspended whether it does nothing for now
 * @param next when it is due next
 * @param at the time that the plan is for
 * @param claims the claims that it means, with those that it does not take
 * @param plans what it would do about each claim
 * @param turns of a schedule that drills: what is known of each claim, and whether it is its turn
 * @param unseen what could not be looked at, and why
 */
record SchedulePlan(
        ScheduleEntry schedule,
        Map<String, String> settings,
        boolean isSuspended,
        List<Instant> next,
        Instant at,
        List<ClaimSearch.Candidate> claims,
        List<ClaimPlan> plans,
        List<Drills.Turn> turns,
        List<String> unseen) {

    String name() {
        return schedule.name();
    }

    /** The snapshots that go. */
    List<Snapshot> removed() {
        return plans.stream()
                .flatMap(plan -> plan.decisions().stream())
                .filter(Decision::stale)
                .map(Decision::snapshot)
                .toList();
    }

    /** A line about when it is due and what it keeps. */
    private List<String> head() {
        List<String> lines = new ArrayList<>();
        lines.add(
                "schedule "
                        + name()
                        + schedule.trigger()
                                .map(t -> ": " + t.cron() + " in " + t.zone().getId())
                                .orElse(": without a cron expression")
                        + (isSuspended ? "; suspended, so nothing is done" : ""));
        lines.add(
                "next: "
                        + (next.isEmpty()
                                ? "never"
                                : String.join(", ", next.stream().map(Times::text).toList())));
        Optional<DrillPolicy> drill = schedule.schedule().policy().drill();
        if (drill.isPresent()) {
            lines.add(
                    "proves: each claim within "
                            + Settings.text(drill.get().within())
                            + ", at most "
                            + drill.get().most()
                            + " in a run");
            return lines;
        }
        Map<String, String> keep = new TreeMap<>();
        settings.forEach(
                (setting, value) -> {
                    if (setting.startsWith("keep-")) {
                        keep.put(setting, value);
                    }
                });
        lines.add(
                "keeps: "
                        + String.join(
                                ", ",
                                keep.entrySet().stream()
                                        .map(rule -> rule.getKey() + " " + rule.getValue())
                                        .toList()));
        return lines;
    }

    /**
     * The lines for people.
     *
     * @param output makes lines of tables
     */
    List<String> lines(Output output) {
        List<String> lines = new ArrayList<>(head());
        long taken = claims.stream().filter(claim -> claim.reasonToSkip().isEmpty()).count();
        if (!claims.isEmpty()) {
            lines.add("");
            lines.add("claims: " + taken + " of " + claims.size() + " can be taken");
            Table table = new Table("CLAIM", "TAKEN", "WHY NOT");
            claims.forEach(
                    claim ->
                            table.add(
                                    List.of(
                                            Table.Cell.of(claim.claim().toString()),
                                            claim.reasonToSkip().isEmpty()
                                                    ? new Table.Cell("yes", Colour.GREEN)
                                                    : new Table.Cell("no", Colour.YELLOW),
                                            Table.Cell.of(claim.reasonToSkip().orElse("")))));
            lines.addAll(output.lines(table));
        }
        if (!turns.isEmpty()) {
            lines.add("");
            Table table = new Table("CLAIM", "DRILLED", "LAST");
            turns.forEach(
                    turn ->
                            table.add(
                                    turn.claim().toString(),
                                    turn.isNext() ? "yes" : "no",
                                    turn.proof().map(Proof::words).orElse("never drilled")));
            lines.addAll(output.lines(table));
        }
        unseen.forEach(words -> lines.add("not seen: " + words));
        for (ClaimPlan plan : plans) {
            lines.add("");
            lines.add(
                    plan.claim()
                            + " at "
                            + Times.text(at)
                            + plan.takes().map(name -> ": takes " + name).orElse(": prunes only"));
            addTable("keep", decisions(plan, false), lines, output);
            addTable("remove", decisions(plan, true), lines, output);
        }
        return lines;
    }

    private static List<Decision> decisions(ClaimPlan plan, boolean stale) {
        return plan.decisions().stream().filter(d -> d.stale() == stale).toList();
    }

    private static void addTable(
            String verb, List<Decision> decisions, List<String> lines, Output output) {
        if (decisions.isEmpty()) {
            return;
        }
        lines.add(
                verb + " " + decisions.size() + " snapshot" + (decisions.size() > 1 ? "s:" : ":"));
        Table table = new Table("SNAPSHOT", "TIME", "REASONS");
        decisions.forEach(
                d ->
                        table.add(
                                d.snapshot().name(),
                                Times.text(d.snapshot().takenAt()),
                                d.reason()));
        lines.addAll(output.lines(table));
    }

    /** It for machines. */
    Map<String, Object> item() {
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("schedule", name());
        item.put("cron", schedule.trigger().map(t -> t.cron()).orElse(null));
        item.put("timeZone", schedule.trigger().map(t -> t.zone().getId()).orElse(null));
        item.put("suspended", isSuspended);
        item.put("settings", new TreeMap<>(settings));
        item.put("next", next.stream().map(Times::text).toList());
        item.put("at", Times.text(at));
        item.put("unseen", unseen);
        item.put("claims", claims.stream().map(SchedulePlan::item).toList());
        item.put("plans", plans.stream().map(SchedulePlan::item).toList());
        item.put("drills", turns.stream().map(SchedulePlan::item).toList());
        return item;
    }

    private static Map<String, Object> item(ClaimSearch.Candidate claim) {
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("namespace", claim.claim().namespace());
        item.put("name", claim.claim().name());
        item.put("taken", claim.reasonToSkip().isEmpty());
        item.put("reason", claim.reasonToSkip().orElse(null));
        return item;
    }

    private static Map<String, Object> item(Drills.Turn turn) {
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("namespace", turn.claim().namespace());
        item.put("claim", turn.claim().name());
        item.put("drilled", turn.isNext());
        item.put("provenAt", turn.proof().flatMap(Proof::provenAt).map(Times::text).orElse(null));
        item.put("triedAt", turn.proof().map(Proof::triedAt).map(Times::text).orElse(null));
        item.put("failed", turn.proof().map(Proof::failed).orElse(null));
        return item;
    }

    private static Map<String, Object> item(ClaimPlan plan) {
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("namespace", plan.claim().namespace());
        item.put("claim", plan.claim().name());
        item.put("takes", plan.takes().orElse(null));
        item.put("keep", items(decisions(plan, false)));
        item.put("remove", items(decisions(plan, true)));
        return item;
    }

    private static List<Map<String, Object>> items(Collection<Decision> decisions) {
        return decisions.stream()
                .map(
                        d -> {
                            Map<String, Object> item = new LinkedHashMap<>();
                            item.put("name", d.snapshot().name());
                            item.put("time", Times.text(d.snapshot().takenAt()));
                            item.put("reasons", d.reasons());
                            return item;
                        })
                .toList();
    }

    /** When it is due next after an instant. */
    static List<Instant> next(ScheduleEntry schedule, Instant after, int number) {
        List<Instant> next = new ArrayList<>();
        Optional<Instant> due = schedule.trigger().flatMap(t -> t.nextDue(after));
        while (due.isPresent() && next.size() < number) {
            next.add(due.get());
            Instant last = due.get();
            due = schedule.trigger().flatMap(t -> t.nextDue(last));
        }
        return next;
    }
}
