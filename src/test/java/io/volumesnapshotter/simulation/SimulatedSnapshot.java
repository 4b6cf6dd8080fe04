package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A snapshot as it stands in the cluster, for assertions.
 *
 * @param className null as long as none is set
 * @param readyToUse null as long as the status does not say
 * @param creationTime the instant the data was cut, or null
 * @param error the message of status.error, or null
 */
public record SimulatedSnapshot(
        String namespace,
        String name,
        String uid,
        String claim,
        String className,
        Map<String, String> labels,
        Map<String, String> annotations,
        Instant createdAt,
        Instant creationTime,
        Boolean readyToUse,
        String error,
        boolean terminating,
        List<String> finalizers,
        JsonNode json) {

    /** True when the status says so. */
    public boolean ready() {
        return Boolean.TRUE.equals(readyToUse);
    }

    static SimulatedSnapshot of(JsonNode object) {
        JsonNode metadata = object.path("metadata");
        JsonNode status = object.path("status");
        String creationTime = Json.text(status, "creationTime");
        return new SimulatedSnapshot(
                Json.namespace(object),
                Json.name(object),
                Json.uid(object),
                SnapshotController.claim(object),
                object.path("spec").path("volumeSnapshotClassName").asText(null),
                Json.strings(metadata.path("labels")),
                Json.strings(metadata.path("annotations")),
                Instant.parse(Json.text(metadata, "creationTimestamp")),
                creationTime.isEmpty() ? null : Instant.parse(creationTime),
                status.has("readyToUse") ? status.path("readyToUse").asBoolean() : null,
                status.path("error").path("message").asText(null),
                Json.terminating(object),
                metadata.path("finalizers").valueStream().map(JsonNode::asText).toList(),
                object.deepCopy());
    }
}
