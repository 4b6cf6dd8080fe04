package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.run.SnapshotFailedException;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Keeps what is known of drills in a ConfigMap, one entry for each claim. It has to outlive the
 * snapshot that was restored, which the keep rules soon delete, and the claim; and a change of the
 * leader. Each entry is written by itself, so that nobody overwrites what another has written.
 */
public final class Proofs {

    /** Entries of claims that nobody drills any more are dropped after this time. */
    private static final Duration KEPT = Duration.ofDays(400);

    /** No namespace has this in its name. */
    private static final String OF_SCHEDULE = "schedule_";

    private static final String ENDED = " ended";

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final String name;

    /**
     * @param send has a change carried out; what fails is thrown
     * @param name the ConfigMap's, in the program's namespace
     */
    public Proofs(KubernetesClient client, Consumer<Change> send, String name) {
        this.client = client;
        this.send = send;
        this.name = name;
    }

    /**
     * The last run of a schedule that began.
     *
     * @param due when it was due
     * @param ended whether it came to its end
     */
    record LastRun(Instant due, boolean ended) {}

    /**
     * What is known.
     *
     * @param proofs by claim
     * @param runs by schedule
     */
    public record Known(Map<Claim, Proof> proofs, Map<String, LastRun> runs) {

        private static final Known NOTHING = new Known(Map.of(), Map.of());
    }

    /**
     * Reads all of it.
     *
     * @return empty when there is no such ConfigMap
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when it may not be read
     */
    public Optional<Known> find() {
        ConfigMap found =
                client.configMaps().inNamespace(client.getNamespace()).withName(name).get();
        return Optional.ofNullable(found).map(Proofs::read);
    }

    /** Reads all of it; nothing is known where there is no such ConfigMap. */
    Known anyKnown() {
        return find().orElse(Known.NOTHING);
    }

    /**
     * Reads all of it.
     *
     * @throws SnapshotFailedException when there is no such ConfigMap
     */
    Known known() throws SnapshotFailedException {
        return find().orElseThrow(
                        () ->
                                new SnapshotFailedException(
                                        null,
                                        "there is no ConfigMap %s/%s, in which drills keep what is proven"
                                                .formatted(client.getNamespace(), name),
                                        "apply k8s/components/drill, or make an empty one"));
    }

    private static Known read(ConfigMap map) {
        Map<Claim, Proof> proofs = new HashMap<>();
        Map<String, LastRun> runs = new HashMap<>();
        Optional.ofNullable(map.getData())
                .orElse(Map.of())
                .forEach(
                        (key, text) -> {
                            if (key.startsWith(OF_SCHEDULE)) {
                                lastRun(text)
                                        .ifPresent(
                                                run ->
                                                        runs.put(
                                                                key.substring(OF_SCHEDULE.length()),
                                                                run));
                            } else {
                                Proof.read(text)
                                        .ifPresent(proof -> proofs.put(proof.claim(), proof));
                            }
                        });
        return new Known(proofs, runs);
    }

    private static Optional<LastRun> lastRun(String text) {
        try {
            return Optional.of(
                    new LastRun(Instant.parse(text.split(" ")[0]), text.endsWith(ENDED)));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /** Keeps what is known of a claim now. */
    void write(Proof proof) {
        write(Map.of(key(proof.claim()), Optional.of(proof.text())));
    }

    /** Keeps that a run of a schedule began. */
    void writeBegun(String schedule, Instant due) {
        write(Map.of(OF_SCHEDULE + schedule, Optional.of(due.toString())));
    }

    /** Keeps that a run of a schedule came to its end, and drops what is known no more. */
    void writeEnded(String schedule, Instant due, Known known, Instant now) {
        Map<String, Optional<String>> entries = new TreeMap<>();
        known.proofs().values().stream()
                .filter(proof -> proof.triedAt().isBefore(now.minus(KEPT)))
                .forEach(proof -> entries.put(key(proof.claim()), Optional.empty()));
        entries.put(OF_SCHEDULE + schedule, Optional.of(due + ENDED));
        write(entries);
    }

    private void write(Map<String, Optional<String>> entries) {
        Map<String, Object> data = new TreeMap<>();
        entries.forEach((key, text) -> data.put(key, text.orElse(null)));
        send.accept(
                Change.patch(
                        CoreApi.CONFIG_MAPS,
                        Optional.of(client.getNamespace()),
                        name,
                        Map.of("data", data)));
    }

    private static String key(Claim claim) {
        String key = claim.namespace() + "." + claim.name();
        return key.length() <= ObjectNames.MAX_NAME
                ? key
                : key.substring(0, ObjectNames.MAX_NAME - 9) + "-" + ObjectNames.hash(key);
    }
}
