package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Does what external-snapshotter 8.6 does to VolumeGroupSnapshots: it makes a VolumeSnapshot of
 * each claim that the labels select, and lets all of them go with the group. A member has a
 * generated name and none of the group's labels, and a deleted one stays until the group goes.
 */
final class GroupController implements ObjectStore.Listener {

    static final String GROUP_FINALIZER =
            "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-bound-protection";
    static final String MEMBER_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection";

    private static final String COMPONENT = "snapshot-controller";

    private final ObjectStore store;
    private final SimulatedDriver driver;
    private final ResourceApi api;
    private final SnapshotSources sources;
    private final StorageContents contents;
    private final EventRecorder events;
    private final ScheduledExecutorService thread;

    GroupController(
            ObjectStore store,
            SimulatedDriver driver,
            ResourceApi api,
            StorageContents contents,
            EventRecorder events,
            ScheduledExecutorService thread) {
        this.store = store;
        this.driver = driver;
        this.api = api;
        this.contents = contents;
        this.events = events;
        this.thread = thread;
        sources = new SnapshotSources(store);
        store.listen(this);
    }

    /** Whether a snapshot is one of a group's. */
    static boolean isMember(JsonNode snapshot) {
        return snapshot.path("metadata")
                .path("finalizers")
                .valueStream()
                .anyMatch(finalizer -> finalizer.asText().equals(MEMBER_FINALIZER));
    }

    @Override
    public void changed(ResourceType type, ObjectNode before, ObjectNode now) {
        if (!type.equals(ResourceType.GROUP_SNAPSHOT) || now == null) {
            return;
        }
        if (before == null) {
            later(Duration.ofMillis(10), now, this::begin);
        } else if (Json.terminating(now) && !Json.terminating(before)) {
            later(driver.deletesAfter(), now, this::delete);
        }
    }

    private interface Step {
        void take(ObjectNode group);
    }

    private void later(Duration time, ObjectNode group, Step step) {
        thread.schedule(
                () -> {
                    synchronized (store) {
                        ObjectNode present =
                                store.copy(
                                        ResourceType.GROUP_SNAPSHOT,
                                        Json.namespace(group),
                                        Json.name(group));
                        if (present != null && Json.uid(present).equals(Json.uid(group))) {
                            step.take(present);
                        }
                    }
                },
                time.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** Only {@code matchLabels} count; {@code matchExpressions} are not looked at. */
    private List<ObjectNode> claims(ObjectNode group) {
        Map<String, String> wanted =
                Json.strings(
                        group.path("spec").path("source").path("selector").path("matchLabels"));
        return store.all(ResourceType.CLAIM, Json.namespace(group)).stream()
                .filter(
                        claim ->
                                Json.strings(claim.path("metadata").path("labels"))
                                        .entrySet()
                                        .containsAll(wanted.entrySet()))
                .toList();
    }

    private void begin(ObjectNode group) {
        if (Json.terminating(group)) {
            return;
        }
        String problem = problem(group);
        if (problem != null) {
            report(group, "GroupSnapshotContentCreationFailed", problem);
            return;
        }
        Json.addFinalizer(group, GROUP_FINALIZER);
        group.withObjectProperty("status")
                .put("boundVolumeGroupSnapshotContentName", "groupsnapcontent-" + Json.uid(group))
                .put("readyToUse", false);
        store.put(ResourceType.GROUP_SNAPSHOT, group);
        Duration cut = driver.cutsAfter("");
        later(cut == null ? driver.readyAfter("") : cut, group, this::cut);
    }

    private String problem(ObjectNode group) {
        String failed =
                "failed to create group snapshot content with error failed to get input parameters"
                        + " to create group snapshot "
                        + Json.name(group)
                        + ": ";
        String className = Json.text(group, "spec", "volumeGroupSnapshotClassName");
        if (store.get(ResourceType.GROUP_SNAPSHOT_CLASS, "", className) == null) {
            return failed
                    + "\"volumegroupsnapshotclass.groupsnapshot.storage.k8s.io \\\"%s\\\" not found\""
                            .formatted(className);
        }
        List<ObjectNode> claims = claims(group);
        if (claims.isEmpty()) {
            return failed
                    + "\"label selector %s for group snapshot not applied to any PVC\""
                            .formatted(
                                    Json.strings(
                                                    group.path("spec")
                                                            .path("source")
                                                            .path("selector")
                                                            .path("matchLabels"))
                                            .entrySet()
                                            .stream()
                                            .map(label -> label.getKey() + "=" + label.getValue())
                                            .reduce((a, b) -> a + "," + b)
                                            .orElse("<none>"));
        }
        return claims.stream()
                .filter(claim -> !Json.text(claim, "status", "phase").equals("Bound"))
                .findFirst()
                .map(
                        claim ->
                                failed
                                        + "\"the PVC %s is not yet bound to a PV, will not attempt to take a group snapshot\""
                                                .formatted(Json.name(claim)))
                .orElse(null);
    }

    private void report(ObjectNode group, String reason, String message) {
        ObjectNode status = group.withObjectProperty("status").put("readyToUse", false);
        status.putObject("error").put("message", message).put("time", api.now());
        store.put(ResourceType.GROUP_SNAPSHOT, group);
        events.warning(group, COMPONENT, reason, message);
    }

    private void cut(ObjectNode group) {
        String time = driver.cutTime(api.now());
        claims(group).forEach(claim -> member(group, claim, time));
        group.withObjectProperty("status").put("creationTime", time);
        store.put(ResourceType.GROUP_SNAPSHOT, group);
        later(driver.readyAfter(""), group, this::makeReady);
    }

    private void member(ObjectNode group, ObjectNode claim, String time) {
        ObjectNode snapshot = Json.object();
        snapshot.put("apiVersion", ResourceType.SNAPSHOT.apiVersion())
                .put("kind", "VolumeSnapshot");
        ObjectNode source = snapshot.putObject("spec").putObject("source");
        source.put("persistentVolumeClaimName", Json.name(claim));
        ObjectNode volume =
                store.get(ResourceType.VOLUME, "", Json.text(claim, "spec", "volumeName"));
        String hash = hash(Json.uid(group) + Json.text(volume, "spec", "csi", "volumeHandle"));
        ObjectNode metadata =
                snapshot.putObject("metadata")
                        .put("name", "snapshot-" + hash)
                        .put("namespace", Json.namespace(group))
                        .put("uid", UUID.randomUUID().toString())
                        .put("creationTimestamp", api.now())
                        .put("generation", 1);
        metadata.putArray("ownerReferences")
                .addObject()
                .put("apiVersion", ResourceType.GROUP_SNAPSHOT.apiVersion())
                .put("kind", "VolumeGroupSnapshot")
                .put("name", Json.name(group))
                .put("uid", Json.uid(group));
        Json.addFinalizer(snapshot, MEMBER_FINALIZER);
        Json.addFinalizer(snapshot, SnapshotController.SOURCE_FINALIZER);
        snapshot.putObject("status")
                .put("boundVolumeSnapshotContentName", "snapcontent-" + hash)
                .put("creationTime", time)
                .put("readyToUse", false)
                .put("restoreSize", sources.size(snapshot))
                .put("volumeGroupSnapshotName", Json.name(group));
        contents.cut(Json.uid(snapshot), volume);
        store.put(ResourceType.SNAPSHOT, snapshot);
    }

    private static String hash(String text) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256")
                                    .digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<ObjectNode> members(ObjectNode group) {
        return store.all(ResourceType.SNAPSHOT, Json.namespace(group)).stream()
                .filter(
                        snapshot ->
                                Json.text(snapshot, "status", "volumeGroupSnapshotName")
                                        .equals(Json.name(group)))
                .toList();
    }

    private void makeReady(ObjectNode group) {
        for (ObjectNode member : members(group)) {
            ObjectNode ready = member.deepCopy();
            ready.withObjectProperty("status").put("readyToUse", true);
            store.put(ResourceType.SNAPSHOT, ready);
        }
        group.withObjectProperty("status").put("readyToUse", true);
        store.put(ResourceType.GROUP_SNAPSHOT, group);
    }

    private void delete(ObjectNode group) {
        members(group)
                .forEach(
                        member ->
                                store.remove(
                                        ResourceType.SNAPSHOT,
                                        Json.namespace(member),
                                        Json.name(member)));
        store.remove(ResourceType.GROUP_SNAPSHOT, Json.namespace(group), Json.name(group));
    }
}
