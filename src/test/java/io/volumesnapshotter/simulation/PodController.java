package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Stream;

/**
 * Does what scheduler and kubelet do to pods, as far as their claims are concerned: chooses a node,
 * has volumes made that wait for that, starts the pod once all are bound, and lets it go. Works on
 * one thread.
 */
final class PodController implements ObjectStore.Listener {

    private static final String DEFAULT_NODE = "node-1";

    private final ObjectStore store;
    private final SimulatedDriver driver;
    private final SimulatedPods pods;
    private final EventRecorder events;
    private final Executor thread;

    PodController(
            ObjectStore store,
            SimulatedDriver driver,
            SimulatedPods pods,
            EventRecorder events,
            Executor thread) {
        this.store = store;
        this.driver = driver;
        this.pods = pods;
        this.events = events;
        this.thread = thread;
        store.listen(this);
    }

    @Override
    public void changed(ResourceType type, ObjectNode before, ObjectNode now) {
        if (type.equals(ResourceType.POD) && now != null) {
            thread.execute(() -> sync(Json.namespace(now), Json.name(now)));
        } else if (type.equals(ResourceType.CLAIM)
                && now != null
                && store.count(ResourceType.POD, Json.namespace(now)) > 0) {
            String key = ObjectStore.key(Json.namespace(now), Json.name(now));
            thread.execute(
                    () ->
                            store.all(ResourceType.POD, Json.namespace(now)).stream()
                                    .filter(pod -> VolumeController.claimsOf(pod).contains(key))
                                    .forEach(pod -> sync(Json.namespace(pod), Json.name(pod))));
        }
    }

    private void sync(String namespace, String name) {
        synchronized (store) {
            ObjectNode pod = store.copy(ResourceType.POD, namespace, name);
            if (pod == null) {
                return;
            }
            if (Json.terminating(pod)) {
                store.remove(ResourceType.POD, namespace, name);
            } else if (Json.text(pod, "status", "phase").equals("Pending")) {
                start(pod);
            }
        }
    }

    private void start(ObjectNode pod) {
        List<String> names = VolumeController.claimsOf(pod);
        List<ObjectNode> claims =
                names.stream()
                        .map(key -> key.substring(key.indexOf('/') + 1))
                        .map(name -> store.copy(ResourceType.CLAIM, Json.namespace(pod), name))
                        .toList();
        int missing = claims.indexOf(null);
        if (missing >= 0) {
            unschedulable(
                    pod,
                    "persistentvolumeclaim \"%s\" not found"
                            .formatted(
                                    names.get(missing).substring(names.get(0).indexOf('/') + 1)));
            return;
        }
        Optional<String> node = node(pod, claims);
        if (node.isEmpty()) {
            unschedulable(pod, "no node is in the zone of all its volumes");
            return;
        }
        boolean waits = false;
        for (ObjectNode claim : claims) {
            if (!Json.text(claim, "status", "phase").equals("Bound")) {
                waits = true;
                Json.metadata(claim)
                        .withObjectProperty("annotations")
                        .put(VolumeController.SELECTED_NODE, node.get());
                store.put(ResourceType.CLAIM, claim);
            }
        }
        if (!waits) {
            pod.withObjectProperty("spec").put("nodeName", node.get());
            pods.run(
                    pod,
                    VolumeController.claimsOf(pod).stream().findFirst().orElse(""),
                    node.get());
            store.put(ResourceType.POD, pod);
        }
    }

    private void unschedulable(ObjectNode pod, String why) {
        events.warning(pod, "default-scheduler", "FailedScheduling", why);
    }

    private Optional<String> node(JsonNode pod, List<ObjectNode> claims) {
        String given = Json.text(pod, "spec", "nodeName");
        if (!given.isEmpty()) {
            return Optional.of(given);
        }
        List<String> nodes = store.all(ResourceType.NODE, "").stream().map(Json::name).toList();
        return (nodes.isEmpty() ? Stream.of(DEFAULT_NODE) : nodes.stream())
                .filter(node -> claims.stream().allMatch(claim -> reaches(node, claim)))
                .min(Comparator.comparing(node -> isAvoided(node, pod)));
    }

    /** Whether the pod would rather not be there. */
    private static boolean isAvoided(String node, JsonNode pod) {
        return pod.at("/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution")
                .toString()
                .contains('"' + node + '"');
    }

    private boolean reaches(String node, JsonNode claim) {
        JsonNode volume =
                store.get(ResourceType.VOLUME, "", Json.text(claim, "spec", "volumeName"));
        if (volume == null || !volume.path("spec").has("nodeAffinity")) {
            return true;
        }
        String zones = volume.path("spec").path("nodeAffinity").toString();
        return driver.topology(node).map(zone -> zones.contains('"' + zone + '"')).orElse(false);
    }
}
