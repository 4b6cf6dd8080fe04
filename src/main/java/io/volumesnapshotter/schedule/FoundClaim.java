package io.volumesnapshotter.schedule;

import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What was read of a claim that is there.
 *
 * @param uid its uid, or null
 * @param createdAt {@code metadata.creationTimestamp}, in whole seconds
 * @param deleting whether it is being deleted
 * @param phase {@code status.phase}, or null
 * @param storageClass {@code spec.storageClassName}; empty for none
 * @param volume the PersistentVolume that it is bound to
 * @param driver the driver of its volume, where an annotation of its provisioner names it
 * @param wish the annotation {@value Claims#SNAPSHOT}
 * @param snapshotClass the annotation {@value ChosenClass#SNAPSHOT_CLASS}
 * @param source the snapshot, as {@code namespace/name}, that it was or is to be filled from
 * @param unusedSince since when no pod has used it, where the cluster says so
 * @param recorded what its snapshots say of it, so that they can be restored without it
 * @param isTemporary whether a drill or a browse made it, and removes it again
 */
public record FoundClaim(
        Claim name,
        String uid,
        Instant createdAt,
        boolean deleting,
        String phase,
        String storageClass,
        Optional<String> volume,
        Optional<String> driver,
        Optional<String> wish,
        Optional<String> snapshotClass,
        Optional<String> source,
        Optional<Instant> unusedSince,
        RecordedClaim recorded,
        boolean isTemporary) {

    static final String PROVISIONER = "volume.kubernetes.io/storage-provisioner";

    /** What Kubernetes before 1.23 wrote instead, and writes beside it since. */
    static final String BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";

    private static final String IN_TREE = "kubernetes.io/";

    private static final String PHASE = ApiObject.field("status", "phase");
    private static final String STORAGE_CLASS = ApiObject.field("spec", "storageClassName");
    private static final String ACCESS_MODES = ApiObject.field("spec", "accessModes");
    private static final String VOLUME_MODE = ApiObject.field("spec", "volumeMode");
    private static final String REQUEST =
            ApiObject.field("spec", "resources", "requests", "storage");
    private static final String CAPACITY = ApiObject.field("status", "capacity", "storage");
    private static final String VOLUME = ApiObject.field("spec", "volumeName");
    private static final String SOURCE_KIND = ApiObject.field("spec", "dataSourceRef", "kind");
    private static final String SOURCE_NAME = ApiObject.field("spec", "dataSourceRef", "name");
    private static final String SOURCE_NAMESPACE =
            ApiObject.field("spec", "dataSourceRef", "namespace");
    private static final String DRIVER = ApiObject.annotation(PROVISIONER);
    private static final String BETA_DRIVER = ApiObject.annotation(BETA_PROVISIONER);
    private static final String UNUSED =
            ApiObject.field("status", "conditions", "Unused", "status");
    private static final String UNUSED_SINCE =
            ApiObject.field("status", "conditions", "Unused", "lastTransitionTime");
    private static final String WISH = ApiObject.annotation(Claims.SNAPSHOT);
    private static final String IS_TRIAL = ApiObject.label(SnapshotLabels.TRIAL);
    private static final String SNAPSHOT_CLASS = ApiObject.annotation(ChosenClass.SNAPSHOT_CLASS);

    /** What is read of each. */
    static final List<String> FIELDS =
            List.of(
                    ApiObject.NAME,
                    ApiObject.NAMESPACE,
                    ApiObject.UID,
                    ApiObject.CREATED,
                    ApiObject.DELETED,
                    PHASE,
                    STORAGE_CLASS,
                    ACCESS_MODES,
                    VOLUME_MODE,
                    REQUEST,
                    CAPACITY,
                    VOLUME,
                    SOURCE_KIND,
                    SOURCE_NAME,
                    SOURCE_NAMESPACE,
                    DRIVER,
                    BETA_DRIVER,
                    UNUSED,
                    UNUSED_SINCE,
                    WISH,
                    SNAPSHOT_CLASS,
                    IS_TRIAL);

    /** Reads one of which {@link #FIELDS} were kept. */
    static FoundClaim read(ApiObject object) {
        String namespace = object.text(ApiObject.NAMESPACE);
        return new FoundClaim(
                new Claim(namespace, object.text(ApiObject.NAME)),
                object.text(ApiObject.UID),
                Instant.parse(object.text(ApiObject.CREATED)),
                object.has(ApiObject.DELETED),
                object.text(PHASE),
                object.text(STORAGE_CLASS, ""),
                Optional.ofNullable(object.text(VOLUME)),
                Optional.ofNullable(object.text(DRIVER, object.text(BETA_DRIVER))),
                Optional.ofNullable(object.text(WISH)),
                Optional.ofNullable(object.text(SNAPSHOT_CLASS)),
                "VolumeSnapshot".equals(object.text(SOURCE_KIND))
                        ? Optional.of(
                                object.text(SOURCE_NAMESPACE, namespace)
                                        + "/"
                                        + object.text(SOURCE_NAME))
                        : Optional.empty(),
                "True".equals(object.text(UNUSED))
                        ? Optional.ofNullable(object.text(UNUSED_SINCE)).map(Instant::parse)
                        : Optional.empty(),
                new RecordedClaim(
                        Optional.ofNullable(object.text(STORAGE_CLASS)),
                        Stream.of(object.text(ACCESS_MODES, "").split(","))
                                .filter(mode -> !mode.isEmpty())
                                .toList(),
                        Optional.ofNullable(object.text(VOLUME_MODE)),
                        Optional.ofNullable(object.text(REQUEST)),
                        Optional.ofNullable(object.text(CAPACITY))),
                object.has(IS_TRIAL));
    }

    private boolean isBound() {
        return "Bound".equals(phase);
    }

    /** The snapshot, as {@code namespace/name}, that it waits to be filled from. */
    Optional<String> restoringFrom() {
        return isBound() ? Optional.empty() : source;
    }

    /** Why there can be no snapshot of it, if so. */
    public Optional<String> reasonToSkip() {
        if (deleting) {
            return Optional.of("it is being deleted");
        }
        if (!isBound()) {
            return Optional.of("it is not bound to a volume (phase " + phase + ")");
        }
        return driver.filter(name -> name.startsWith(IN_TREE))
                .map(name -> "its volume is of " + name + ", which is not a CSI driver");
    }
}
