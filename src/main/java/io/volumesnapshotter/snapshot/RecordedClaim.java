package io.volumesnapshotter.snapshot;

import io.volumesnapshotter.kubernetes.ApiObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What was written on a snapshot about the claim it was taken of, so that it can be restored when
 * the claim is gone. The first three keys, and the form of their values, are those that OpenShift's
 * console writes and reads; those for sizes are the program's own.
 *
 * @param storageClass {@code spec.storageClassName}; an empty text is a claim of no class
 * @param accessModes {@code spec.accessModes}; empty where they were not written
 * @param volumeMode {@code spec.volumeMode}
 * @param request {@code spec.resources.requests.storage}
 * @param capacity {@code status.capacity.storage}, which may be larger
 */
public record RecordedClaim(
        Optional<String> storageClass,
        List<String> accessModes,
        Optional<String> volumeMode,
        Optional<String> request,
        Optional<String> capacity) {

    public static final String STORAGE_CLASS = "snapshot.storage.kubernetes.io/pvc-storage-class";
    public static final String ACCESS_MODES = "snapshot.storage.kubernetes.io/pvc-access-modes";
    public static final String VOLUME_MODE = "snapshot.storage.kubernetes.io/pvc-volume-mode";
    public static final String REQUEST = "volume-snapshotter/claim-request";
    public static final String CAPACITY = "volume-snapshotter/claim-capacity";

    /** What has to be read of a snapshot. */
    public static final List<String> FIELDS =
            Stream.of(STORAGE_CLASS, ACCESS_MODES, VOLUME_MODE, REQUEST, CAPACITY)
                    .map(ApiObject::annotation)
                    .toList();

    /** Reads it from a snapshot of which {@link #FIELDS} were kept. */
    public static RecordedClaim read(ApiObject snapshot) {
        return new RecordedClaim(
                annotation(snapshot, STORAGE_CLASS),
                annotation(snapshot, ACCESS_MODES).stream()
                        .flatMap(modes -> Stream.of(modes.split(",")))
                        .map(String::strip)
                        .filter(mode -> !mode.isEmpty())
                        .toList(),
                filled(snapshot, VOLUME_MODE),
                filled(snapshot, REQUEST),
                filled(snapshot, CAPACITY));
    }

    private static Optional<String> annotation(ApiObject snapshot, String key) {
        return Optional.ofNullable(snapshot.text(ApiObject.annotation(key)));
    }

    private static Optional<String> filled(ApiObject snapshot, String key) {
        return annotation(snapshot, key).filter(value -> !value.isBlank());
    }

    /** The annotations that say it. */
    public Map<String, String> annotations() {
        Map<String, String> annotations = new LinkedHashMap<>();
        storageClass.ifPresent(value -> annotations.put(STORAGE_CLASS, value));
        if (!accessModes.isEmpty()) {
            annotations.put(ACCESS_MODES, String.join(",", accessModes));
        }
        volumeMode.ifPresent(value -> annotations.put(VOLUME_MODE, value));
        request.ifPresent(value -> annotations.put(REQUEST, value));
        capacity.ifPresent(value -> annotations.put(CAPACITY, value));
        return annotations;
    }
}
