package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;

/** What becomes of pods once they have their volumes. By default they run on and on. */
public final class SimulatedPods {

    /**
     * A pod that is about to start.
     *
     * @param command of its first container, as one text
     * @param content what is on the volume of its first claim
     * @param spec its spec
     */
    public record Start(
            String name,
            String node,
            String image,
            String command,
            String content,
            JsonNode spec) {}

    /** What becomes of it. */
    public sealed interface End {}

    /** Its container runs on and on. */
    public record Runs() implements End {}

    /** Its container never starts. */
    public record NeverStarts(String reason, String message) implements End {}

    /** Its container ends with this code, after it wrote this. */
    public record Exits(int code, String log) implements End {}

    private final StorageContents contents;
    private final ObjectStore store;
    private final Supplier<String> now;
    private final Map<String, String> logs = new ConcurrentHashMap<>();
    private volatile Function<Start, End> ends = start -> new Runs();

    SimulatedPods(ObjectStore store, StorageContents contents, Supplier<String> now) {
        this.store = store;
        this.contents = contents;
        this.now = now;
    }

    /** Says what becomes of each pod. It must not ask the cluster, which waits for it. */
    public void become(Function<Start, End> ends) {
        this.ends = ends;
    }

    String log(String namespace, String name) {
        return logs.getOrDefault(ObjectStore.key(namespace, name), "");
    }

    /** Starts a pod, which changes its status. */
    void run(ObjectNode pod, String claim, String node) {
        ObjectNode container = (ObjectNode) pod.at("/spec/containers/0");
        End end =
                ends.apply(
                        new Start(
                                Json.name(pod),
                                node,
                                Json.text(container, "image"),
                                container.path("command").toString(),
                                content(claim),
                                pod.path("spec").deepCopy()));
        ObjectNode status = pod.withObjectProperty("status");
        ObjectNode shown = status.putArray("containerStatuses").addObject();
        ObjectNode state = shown.put("name", Json.text(container, "name")).putObject("state");
        if (end instanceof NeverStarts never) {
            state.putObject("waiting")
                    .put("reason", never.reason())
                    .put("message", never.message());
        } else if (end instanceof Exits exits) {
            logs.put(ObjectStore.key(Json.namespace(pod), Json.name(pod)), exits.log());
            state.putObject("terminated")
                    .put("exitCode", exits.code())
                    .put("startedAt", now.get())
                    .put("finishedAt", now.get());
            status.put("phase", exits.code() == 0 ? "Succeeded" : "Failed");
        } else {
            state.putObject("running").put("startedAt", now.get());
            status.put("phase", "Running");
        }
    }

    private String content(String claim) {
        if (claim.isEmpty()) {
            return "";
        }
        int slash = claim.indexOf('/');
        ObjectNode found =
                store.get(
                        ResourceType.CLAIM, claim.substring(0, slash), claim.substring(slash + 1));
        ObjectNode volume =
                found == null
                        ? null
                        : store.get(
                                ResourceType.VOLUME, "", Json.text(found, "spec", "volumeName"));
        return volume == null ? "" : contents.read(volume);
    }
}
