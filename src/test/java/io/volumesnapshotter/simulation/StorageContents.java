package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What is written on the volumes, and what their snapshots hold of it. */
final class StorageContents {

    private final Map<String, String> volumes = new ConcurrentHashMap<>();
    private final Map<String, String> snapshots = new ConcurrentHashMap<>();
    private final Map<String, String> modes = new ConcurrentHashMap<>();

    private static String handle(JsonNode volume) {
        return Json.text(volume, "spec", "csi", "volumeHandle");
    }

    void write(JsonNode volume, String content) {
        volumes.put(handle(volume), content);
    }

    String read(JsonNode volume) {
        return volumes.getOrDefault(handle(volume), "");
    }

    /** A snapshot holds what the volume holds now. */
    void cut(String snapshotUid, JsonNode volume) {
        snapshots.put(snapshotUid, read(volume));
        modes.put(snapshotUid, Json.text(volume, "spec", "volumeMode"));
    }

    /** Lets a snapshot hold this, whatever it was taken of. */
    void fill(String snapshotUid, String content) {
        snapshots.put(snapshotUid, content);
    }

    /** The volume mode of what a snapshot was taken of; empty when that is not known. */
    String modeOf(String snapshotUid) {
        return modes.getOrDefault(snapshotUid, "");
    }

    /** What a snapshot holds, if it is known to hold anything. */
    Optional<String> ofSnapshot(String snapshotUid) {
        return Optional.ofNullable(snapshots.get(snapshotUid));
    }
}
