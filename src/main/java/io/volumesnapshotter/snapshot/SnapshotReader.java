package io.volumesnapshotter.snapshot;

import io.volumesnapshotter.kubernetes.ApiObject;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.stream.Stream;

/** Reads VolumeSnapshots as the API server returns them. */
public final class SnapshotReader {

    private static final String VERSION = ApiObject.field("metadata", "resourceVersion");
    private static final String SOURCE =
            ApiObject.field("spec", "source", "persistentVolumeClaimName");
    private static final String CLASS = ApiObject.field("spec", "volumeSnapshotClassName");
    private static final String CUT = ApiObject.field("status", "creationTime");
    private static final String SIZE = ApiObject.field("status", "restoreSize");
    private static final String CONTENT =
            ApiObject.field("status", "boundVolumeSnapshotContentName");
    private static final String READY = ApiObject.field("status", "readyToUse");
    private static final String ERROR = ApiObject.field("status", "error");
    private static final String ERROR_MESSAGE = ApiObject.field("status", "error", "message");
    private static final String HOLD = ApiObject.annotation(Hold.HOLD);
    private static final String HOLD_UNTIL = ApiObject.annotation(Hold.UNTIL);
    private static final String HOLD_REASON = ApiObject.annotation(Hold.REASON);
    private static final String CLAIM_UID = ApiObject.annotation(Snapshot.CLAIM_UID);

    private static final String QUIESCE = ApiObject.annotation(Snapshot.QUIESCE);
    private static final String CONSISTENT = ApiObject.annotation(Snapshot.CONSISTENT);

    /** What is read of each. */
    public static final List<String> FIELDS =
            Stream.concat(
                            Stream.of(
                                    ApiObject.NAME,
                                    ApiObject.NAMESPACE,
                                    ApiObject.UID,
                                    ApiObject.CREATED,
                                    ApiObject.DELETED,
                                    VERSION,
                                    SOURCE,
                                    CLASS,
                                    CUT,
                                    SIZE,
                                    CONTENT,
                                    READY,
                                    ERROR,
                                    ERROR_MESSAGE,
                                    HOLD,
                                    HOLD_UNTIL,
                                    HOLD_REASON,
                                    CLAIM_UID,
                                    QUIESCE,
                                    CONSISTENT),
                            SnapshotLabels.READ.stream().map(ApiObject::label))
                    .toList();

    private SnapshotReader() {}

    /** Reads one of which {@link #FIELDS} were kept. */
    public static Snapshot read(ApiObject object) {
        String snapshotClass = object.text(CLASS);
        boolean unproven = object.has(QUIESCE) && !"true".equals(object.text(CONSISTENT));
        return new Snapshot(
                object.text(ApiObject.NAME),
                object.text(ApiObject.UID),
                object.text(VERSION),
                new Claim(object.text(ApiObject.NAMESPACE), object.text(SOURCE, "")),
                SnapshotLabels.own(object),
                time(object.text(ApiObject.CREATED)),
                time(object.text(CUT)),
                object.has(SIZE) ? object.text(SIZE, "") : null,
                snapshotClass == null ? null : snapshotClass.intern(),
                object.has(CONTENT),
                object.isTrue(READY) && !unproven,
                time(object.text(ApiObject.DELETED)),
                hold(object),
                object.has(ERROR) ? object.text(ERROR_MESSAGE, "no message") : null,
                object.text(CLAIM_UID),
                unproven);
    }

    private static Hold hold(ApiObject object) {
        return Hold.of(
                object.has(HOLD) ? object.text(HOLD, "") : null,
                object.has(HOLD_UNTIL) ? object.text(HOLD_UNTIL, "") : null,
                object.text(HOLD_REASON));
    }

    private static Instant time(String text) {
        return text == null ? null : OffsetDateTime.parse(text).toInstant();
    }
}
