package io.volumesnapshotter.drill;

import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a drill did and found, for whoever has to show it later.
 *
 * @param claim whose snapshot
 * @param began when
 * @param passed whether the data was restored and the check of it passed
 * @param why what failed; empty when it passed
 * @param snapshot the snapshot; empty when none was found
 * @param cutTime when its data was cut, or null
 * @param node where the pod ran; empty when it did not
 * @param check what the check was
 * @param output the last lines that the check wrote
 * @param phases how long each phase took, in their order: {@code provision}, {@code start}, {@code
 *     check}; those that were not reached are missing
 * @param left what could not be removed
 */
public record DrillReport(
        Claim claim,
        Instant began,
        boolean passed,
        String why,
        String snapshot,
        Instant cutTime,
        String node,
        Check check,
        List<String> output,
        Map<String, Duration> phases,
        List<String> left) {

    /** How it passed, in a line. */
    public String words() {
        return "is proven: %s, cut at %s, was restored and read on node %s (%s)"
                .formatted(snapshot, cutTime, node, phaseWords());
    }

    /** How long each phase took, in words. */
    String phaseWords() {
        return phases.entrySet().stream()
                .map(
                        phase ->
                                "%s %.1fs"
                                        .formatted(
                                                phase.getKey(),
                                                phase.getValue().toMillis() / 1000.0))
                .collect(Collectors.joining(", "));
    }

    /** Its fields as a document. */
    public Map<String, Object> document() {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("namespace", claim.namespace());
        document.put("claim", claim.name());
        document.put("began", began.toString());
        document.put("result", passed ? "passed" : "failed");
        document.put("why", why);
        document.put("snapshot", snapshot);
        document.put("cutTime", cutTime == null ? null : cutTime.toString());
        document.put("node", node);
        document.put("image", check.image());
        document.put("script", check.script());
        document.put("output", output);
        Map<String, Object> seconds = new LinkedHashMap<>();
        phases.forEach((phase, time) -> seconds.put(phase, time.toMillis() / 1000.0));
        document.put("phaseSeconds", seconds);
        document.put("left", left);
        return document;
    }

    /** A page of it in Markdown. */
    public String page() {
        StringBuilder page = new StringBuilder();
        page.append("# Restore drill of ").append(claim).append("\n\n");
        page.append("| | |\n|---|---|\n");
        row(page, "result", passed ? "passed" : "failed: " + why);
        row(page, "began", began.toString());
        row(page, "snapshot", snapshot.isEmpty() ? "none" : snapshot);
        row(page, "data cut at", cutTime == null ? "" : cutTime.toString());
        row(page, "node", node);
        row(page, "image", check.image());
        phases.forEach((phase, time) -> row(page, phase, time.toMillis() / 1000.0 + " s"));
        row(page, "left over", left.isEmpty() ? "nothing" : String.join(", ", left));
        page.append("\n## What the check read\n\n");
        output.forEach(line -> page.append("    ").append(line).append('\n'));
        page.append("\n## The check\n\n");
        check.script().lines().forEach(line -> page.append("    ").append(line).append('\n'));
        return page.toString();
    }

    private static void row(StringBuilder page, String name, String value) {
        page.append("| ")
                .append(name)
                .append(" | ")
                .append(value.replace("|", "\\|"))
                .append(" |\n");
    }
}
