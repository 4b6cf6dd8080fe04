package io.volumesnapshotter.snapshot;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** Makes snapshots for tables of decisions: ready ones, unless something else is said. */
public final class SnapshotBuilder {

    private final String name;
    private final Claim claim;
    private final Map<String, String> labels = new HashMap<>();
    private final Instant createdAt;
    private Instant cutAt;
    private String size = "1Gi";
    private boolean ready = true;
    private Instant deletedAt;
    private Hold hold = Hold.NONE;
    private String error;
    private String claimUid;
    private boolean unproven;

    private SnapshotBuilder(String name, Claim claim, Instant createdAt) {
        this.name = name;
        this.claim = claim;
        this.createdAt = createdAt;
        this.cutAt = createdAt;
    }

    /** One that an installation's schedule took of a claim at the time at which it was due. */
    public static SnapshotBuilder taken(
            String installation, String schedule, Claim claim, Instant due) {
        SnapshotBuilder builder =
                new SnapshotBuilder(
                        SnapshotNames.snapshot(claim.name(), schedule, due), claim, due);
        builder.labels.putAll(
                SnapshotLabels.of(
                        builder.name, schedule, SnapshotNames.run(schedule, due), installation));
        return builder;
    }

    /** This snapshot under another name or at another time of creation. */
    public SnapshotBuilder as(String otherName, Instant created) {
        SnapshotBuilder other = new SnapshotBuilder(otherName, claim, created);
        other.labels.putAll(labels);
        other.claimUid = claimUid;
        return other;
    }

    public SnapshotBuilder created(Instant created) {
        return as(name, created);
    }

    public SnapshotBuilder without(String label) {
        labels.remove(label);
        return this;
    }

    public SnapshotBuilder cut(Instant time) {
        cutAt = time;
        return this;
    }

    /** Not ready, and nothing of it is on storage. */
    public SnapshotBuilder unready() {
        ready = false;
        size = null;
        cutAt = null;
        return this;
    }

    /** Not ready, though storage has cut it. */
    public SnapshotBuilder flipped() {
        ready = false;
        return this;
    }

    /** On storage, but its application was not frozen as it was to be. */
    public SnapshotBuilder unproven() {
        ready = false;
        unproven = true;
        return this;
    }

    public SnapshotBuilder failed(String words) {
        unready();
        error = words;
        return this;
    }

    public SnapshotBuilder terminating() {
        deletedAt = createdAt;
        return this;
    }

    public SnapshotBuilder held() {
        hold = Hold.UNLIMITED;
        return this;
    }

    public SnapshotBuilder heldUntil(String time) {
        hold = Hold.of(null, time, null);
        return this;
    }

    public SnapshotBuilder ofVolume(String uid) {
        claimUid = uid;
        return this;
    }

    public Snapshot build() {
        return new Snapshot(
                name,
                "uid-of-" + name,
                "1",
                claim,
                Map.copyOf(labels),
                createdAt,
                cutAt,
                size,
                null,
                true,
                ready,
                deletedAt,
                hold,
                error,
                claimUid,
                unproven);
    }
}
