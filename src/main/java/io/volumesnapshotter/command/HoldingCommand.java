package io.volumesnapshotter.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.snapshot.Hold;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Parameters;

/** Puts a hold on snapshots or takes it away: the annotations, and nothing else of the object. */
abstract class HoldingCommand extends ClusterCommand {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Parameters(
            arity = "1..*",
            paramLabel = "SNAPSHOT",
            description = "Names of snapshots, also as list writes them with -o name.")
    private List<String> snapshots;

    HoldingCommand(CommandEnvironment environment) {
        super(environment);
    }

    /**
     * The hold from now on.
     *
     * @throws CommandException when the snapshot cannot have it
     */
    abstract Hold holdOf(Snapshot snapshot);

    /** Checks the options before anything is done. */
    abstract void check();

    /** What became of it, as the line for people has it. */
    abstract String done(Hold hold);

    private record Done(String name, String namespace, Hold hold) {}

    @Override
    public Integer call() {
        Set<String> names = new LinkedHashSet<>();
        snapshots.forEach(text -> names.add(SnapshotRef.name(text)));
        check();
        List<Done> done = new ArrayList<>();
        int failed = 0;
        boolean again = true;
        try (KubernetesClient client = connect()) {
            for (String name : names) {
                try {
                    Snapshot snapshot = SnapshotRef.find(client, name);
                    Hold hold = holdOf(snapshot);
                    write(client, name, hold);
                    done.add(new Done(name, client.getNamespace(), hold));
                } catch (RuntimeException e) {
                    int code = new Failed(console()).tell(e);
                    again &= code == ExitCode.AGAIN;
                    failed++;
                }
            }
        }
        if (!done.isEmpty()) {
            write(done);
        }
        return ExitCode.of(done.size(), failed, again);
    }

    private void write(List<Done> done) {
        output().write(
                        () -> document(done),
                        () -> done.stream().map(d -> SnapshotRef.shown(d.name())).toList(),
                        () ->
                                done.stream()
                                        .map(
                                                d ->
                                                        SnapshotRef.shown(d.name())
                                                                + " "
                                                                + done(d.hold()))
                                        .toList());
    }

    private static Map<String, Object> document(List<Done> done) {
        Map<String, Object> document = Output.document("HoldList");
        document.put(
                "items",
                done.stream()
                        .map(
                                d -> {
                                    Map<String, Object> item = new LinkedHashMap<>();
                                    item.put("namespace", d.namespace());
                                    item.put("name", d.name());
                                    item.put("held", d.hold().isSet());
                                    item.put("until", d.hold().until());
                                    item.put("reason", d.hold().reason());
                                    return item;
                                })
                        .toList());
        return document;
    }

    private static void write(KubernetesClient client, String name, Hold hold) {
        Map<String, String> annotations = new LinkedHashMap<>();
        annotations.put(Hold.HOLD, hold.isSet() ? "true" : null);
        annotations.put(Hold.UNTIL, hold.until());
        annotations.put(Hold.REASON, hold.reason());
        try {
            client.genericKubernetesResources(SnapshotApi.KIND)
                    .inNamespace(client.getNamespace())
                    .withName(name)
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            JSON.writeValueAsString(
                                    Map.of("metadata", Map.of("annotations", annotations))));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
