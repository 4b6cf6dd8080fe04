package io.volumesnapshotter.drill;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.snapshot.Claim;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * What is known of the drills of a claim.
 *
 * @param claim whose
 * @param provenAt when the last one passed; empty when none did
 * @param snapshot which snapshot was restored then; empty when none was
 * @param cutTime when its data was cut; empty when none was
 * @param phases how long each phase of that drill took
 * @param triedAt when the last one ended, however that was
 * @param failed why the last one failed; empty when it passed
 */
public record Proof(
        Claim claim,
        Optional<Instant> provenAt,
        String snapshot,
        Optional<Instant> cutTime,
        Map<String, Duration> phases,
        Instant triedAt,
        String failed) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_REASON = 300;

    /** What is known after a drill, where this was known before; null for nothing. */
    static Proof after(DrillReport report, Proof before, Instant now) {
        if (report.passed()) {
            return new Proof(
                    report.claim(),
                    Optional.of(now),
                    report.snapshot(),
                    Optional.of(report.cutTime()),
                    report.phases(),
                    now,
                    "");
        }
        String why =
                report.why().length() <= LONGEST_REASON
                        ? report.why()
                        : report.why().substring(0, LONGEST_REASON);
        return before == null
                ? new Proof(
                        report.claim(), Optional.empty(), "", Optional.empty(), Map.of(), now, why)
                : new Proof(
                        report.claim(),
                        before.provenAt,
                        before.snapshot,
                        before.cutTime,
                        before.phases,
                        now,
                        why);
    }

    /** In words: when it was proven last, and why not since. */
    public String words() {
        String proven =
                provenAt.map(at -> "proven " + second(at) + " by " + snapshot)
                        .orElse("never proven");
        return failed.isEmpty() ? proven : proven + "; failed " + second(triedAt) + ": " + failed;
    }

    private static String second(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    String text() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("namespace", claim.namespace());
        fields.put("claim", claim.name());
        fields.put("provenAt", provenAt.map(Instant::toString).orElse(null));
        fields.put("snapshot", snapshot);
        fields.put("cutTime", cutTime.map(Instant::toString).orElse(null));
        Map<String, Long> millis = new LinkedHashMap<>();
        phases.forEach((phase, time) -> millis.put(phase, time.toMillis()));
        fields.put("phaseMillis", millis);
        fields.put("triedAt", triedAt.toString());
        fields.put("failed", failed);
        try {
            return JSON.writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads what {@link #text} wrote; empty for what somebody else has written. */
    static Optional<Proof> read(String text) {
        try {
            JsonNode fields = JSON.readTree(text);
            Map<String, Duration> phases = new LinkedHashMap<>();
            fields.path("phaseMillis")
                    .properties()
                    .forEach(
                            phase ->
                                    phases.put(
                                            phase.getKey(),
                                            Duration.ofMillis(phase.getValue().asLong())));
            return Optional.of(
                    new Proof(
                            new Claim(
                                    fields.required("namespace").asText(),
                                    fields.required("claim").asText()),
                            time(fields, "provenAt"),
                            fields.path("snapshot").asText(),
                            time(fields, "cutTime"),
                            phases,
                            time(fields, "triedAt").orElseThrow(),
                            fields.path("failed").asText()));
        } catch (JsonProcessingException
                | IllegalArgumentException
                | DateTimeException
                | NoSuchElementException e) {
            return Optional.empty();
        }
    }

    private static Optional<Instant> time(JsonNode fields, String name) {
        return fields.hasNonNull(name)
                ? Optional.of(Instant.parse(fields.get(name).asText()))
                : Optional.empty();
    }
}
