package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Does what external-snapshotter does to VolumeSnapshots: binds them, makes them ready through
 * status, reports errors in its words, and lets deleted ones go. Works on one thread.
 */
final class SnapshotController implements ObjectStore.Listener {

    static final String SOURCE_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection";
    static final String BOUND_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";
    private static final String COMPONENT = "snapshot-controller";
    static final String CLAIM_FINALIZER = "snapshot.storage.kubernetes.io/pvc-as-source-protection";

    /** A snapshot that is not finished. */
    private static final class Work {
        private final String namespace;
        private final String name;
        private final String uid;
        private final String claim;
        private final long seen = System.nanoTime();
        private long bound;
        private long deleted;
        private boolean queued;
        private boolean begun;
        private ScheduledFuture<?> timer;

        private Work(JsonNode snapshot) {
            namespace = Json.namespace(snapshot);
            name = Json.name(snapshot);
            uid = Json.uid(snapshot);
            claim = claim(snapshot);
        }
    }

    private final ObjectStore store;
    private final SimulatedDriver driver;
    private final SnapshotSources sources;
    private final StorageContents contents;
    private final EventRecorder events;
    private final ResourceApi api;
    private final ScheduledExecutorService thread;
    private final Map<String, Work> works = new HashMap<>();
    private final Queue<Work> waiting = new ArrayDeque<>();
    private long nextSlot = System.nanoTime();
    private ScheduledFuture<?> pump;

    SnapshotController(
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
        driver.onChange(() -> thread.execute(this::reconsider));
    }

    static String claim(JsonNode snapshot) {
        return Json.text(snapshot, "spec", "source", "persistentVolumeClaimName");
    }

    @Override
    public void changed(ResourceType type, ObjectNode before, ObjectNode now) {
        if (type.equals(ResourceType.SNAPSHOT)) {
            if (now == null) {
                thread.execute(() -> forget(before));
            } else if (before == null ? !now.has("status") : mattered(before, now)) {
                thread.execute(() -> work(now));
            }
        } else if (type.equals(ResourceType.SNAPSHOT_CLASS)
                || type.equals(ResourceType.CLAIM) && mattered(before, now)) {
            thread.execute(this::reconsider);
        }
    }

    private static boolean mattered(ObjectNode before, ObjectNode now) {
        return before == null
                || now == null
                || Json.terminating(before) != Json.terminating(now)
                || !before.path("spec").equals(now.path("spec"))
                || !Json.text(before, "status", "phase").equals(Json.text(now, "status", "phase"));
    }

    private void work(ObjectNode snapshot) {
        reconcile(works.computeIfAbsent(Json.uid(snapshot), uid -> new Work(snapshot)));
    }

    private void reconsider() {
        List.copyOf(works.values()).forEach(this::reconcile);
        pump();
    }

    private void forget(ObjectNode snapshot) {
        Work work = works.remove(Json.uid(snapshot));
        if (work != null) {
            releaseClaim(work);
        }
        reconsider();
    }

    private void reconcile(Work work) {
        synchronized (store) {
            ObjectNode snapshot = store.copy(ResourceType.SNAPSHOT, work.namespace, work.name);
            if (snapshot == null || !Json.uid(snapshot).equals(work.uid)) {
                works.remove(work.uid);
            } else if (Json.terminating(snapshot)) {
                delete(work, snapshot);
            } else if (Json.text(snapshot, "status", "boundVolumeSnapshotContentName").isEmpty()) {
                begin(work, snapshot);
            } else {
                finish(work, snapshot);
            }
        }
    }

    private boolean tooEarly(Work work, long since, Duration time) {
        long left = since + time.toNanos() - System.nanoTime();
        if (left <= 0) {
            return false;
        }
        later(work, left);
        return true;
    }

    private void later(Work work, long nanos) {
        if (work.timer != null) {
            work.timer.cancel(false);
        }
        work.timer = thread.schedule(() -> reconcile(work), nanos, TimeUnit.NANOSECONDS);
    }

    private void begin(Work work, ObjectNode snapshot) {
        if (tooEarly(work, work.seen, driver.startsAfter(work.claim))) {
            return;
        }
        if (!work.begun) {
            if (!work.queued) {
                work.queued = true;
                waiting.add(work);
                pump();
            }
            return;
        }
        SnapshotSources.Source source = sources.of(snapshot);
        ObjectNode status = snapshot.withObjectProperty("status");
        if (source.protect()) {
            Json.addFinalizer(snapshot, SOURCE_FINALIZER);
        }
        if (source.problem() != null) {
            if (source.protect()) {
                status.put("readyToUse", false);
            }
            report(snapshot, status, source.reason(), source.problem());
            return;
        }
        if (!snapshot.path("spec").has("volumeSnapshotClassName")) {
            snapshot.withObjectProperty("spec").put("volumeSnapshotClassName", source.className());
            Json.metadata(snapshot).put("generation", 2);
        }
        Json.addFinalizer(snapshot, BOUND_FINALIZER);
        status.remove("error");
        status.put("boundVolumeSnapshotContentName", "snapcontent-" + work.uid);
        status.put("readyToUse", false);
        work.bound = System.nanoTime();
        protectClaim(work);
        finish(work, store.put(ResourceType.SNAPSHOT, snapshot).deepCopy());
    }

    /** Begins what waits, as fast as the rate allows. */
    private void pump() {
        double rate = driver.snapshotsPerSecond();
        while (!waiting.isEmpty()) {
            long left = nextSlot - System.nanoTime();
            if (rate > 0 && left > 0) {
                if (pump != null) {
                    pump.cancel(false);
                }
                pump = thread.schedule(this::pump, left, TimeUnit.NANOSECONDS);
                return;
            }
            if (rate > 0) {
                nextSlot = System.nanoTime() + (long) (TimeUnit.SECONDS.toNanos(1) / rate);
            }
            Work work = waiting.remove();
            work.begun = true;
            reconcile(work);
        }
    }

    private void finish(Work work, ObjectNode snapshot) {
        ObjectNode status = snapshot.withObjectProperty("status");
        if (status.path("readyToUse").asBoolean()) {
            String missing = sources.missingClass(snapshot);
            if (missing != null) {
                report(snapshot, status, "GetSnapshotClassFailed", missing);
            }
            works.remove(work.uid);
            return;
        }
        SimulatedDriver.Failure failure = driver.failure(work.claim);
        if (failure != null) {
            report(snapshot, status, "SnapshotContentCheckandUpdateFailed", failure.message());
            if (failure.until() != null) {
                later(work, Math.max(0, failure.until() - System.nanoTime()));
            }
            return;
        }
        String refusal = driver.refusal(sources.held(snapshot));
        if (refusal != null) {
            report(snapshot, status, "SnapshotContentCheckandUpdateFailed", refusal);
            return;
        }
        status.remove("error");
        store.put(ResourceType.SNAPSHOT, snapshot);
        Duration cutsAfter = driver.cutsAfter(work.claim);
        if (cutsAfter != null) {
            if (tooEarly(work, work.bound, cutsAfter)) {
                return;
            }
            store.put(ResourceType.SNAPSHOT, cut(work));
        }
        if (driver.isNeverReady(work.claim)
                || tooEarly(work, work.bound, driver.readyAfter(work.claim))) {
            return;
        }
        ObjectNode ready = cut(work);
        ready.withObjectProperty("status").put("readyToUse", true);
        store.put(ResourceType.SNAPSHOT, ready);
        String beside = driver.errorBesideReady(work.claim);
        if (beside != null) {
            ObjectNode troubled = ready.deepCopy();
            report(troubled, troubled.withObjectProperty("status"), "SnapshotFailed", beside);
        }
        works.remove(work.uid);
        releaseClaim(work);
    }

    /** Storage keeps what the claim's volume holds now, unless it has cut it already. */
    private ObjectNode cut(Work work) {
        ObjectNode snapshot = store.copy(ResourceType.SNAPSHOT, work.namespace, work.name);
        ObjectNode status = snapshot.withObjectProperty("status");
        if (!status.has("creationTime")) {
            status.put("creationTime", driver.cutTime(api.now()));
            status.put("restoreSize", sources.size(snapshot));
            sources.volume(snapshot).ifPresent(volume -> contents.cut(work.uid, volume));
        }
        return snapshot;
    }

    /** Whether a claim that is not bound yet is to be filled from a snapshot. */
    private boolean isBeingRestored(Work work) {
        return store.all(ResourceType.CLAIM, work.namespace).stream()
                .filter(claim -> Json.text(claim, "status", "phase").equals("Pending"))
                .anyMatch(
                        claim -> Json.text(claim, "spec", "dataSource", "name").equals(work.name));
    }

    private void report(ObjectNode snapshot, ObjectNode status, String reason, String message) {
        if (Json.text(status, "error", "message").equals(message)) {
            return;
        }
        status.putObject("error").put("message", message).put("time", api.now());
        store.put(ResourceType.SNAPSHOT, snapshot);
        events.warning(snapshot, COMPONENT, reason, message);
    }

    private void delete(Work work, ObjectNode snapshot) {
        if (GroupController.isMember(snapshot)) {
            return;
        }
        if (work.deleted == 0) {
            work.deleted = System.nanoTime();
        }
        if (isBeingRestored(work)) {
            events.warning(
                    snapshot,
                    COMPONENT,
                    "SnapshotDeletePending",
                    "Snapshot is being used to restore a PVC");
            return;
        }
        if (Json.removeFinalizer(snapshot, SOURCE_FINALIZER)) {
            snapshot = store.put(ResourceType.SNAPSHOT, snapshot).deepCopy();
        }
        if (driver.holdsDeletions(work.claim)
                || tooEarly(work, work.deleted, driver.deletesAfter())) {
            return;
        }
        Json.removeFinalizer(snapshot, BOUND_FINALIZER);
        store.put(ResourceType.SNAPSHOT, snapshot);
        if (!Json.hasFinalizers(snapshot)) {
            store.remove(ResourceType.SNAPSHOT, work.namespace, work.name);
        }
    }

    private void protectClaim(Work work) {
        ObjectNode claim = store.copy(ResourceType.CLAIM, work.namespace, work.claim);
        if (claim != null) {
            Json.addFinalizer(claim, CLAIM_FINALIZER);
            store.put(ResourceType.CLAIM, claim);
        }
    }

    private void releaseClaim(Work done) {
        synchronized (store) {
            boolean needed =
                    works.values().stream()
                            .anyMatch(
                                    work ->
                                            work.bound != 0
                                                    && work.claim.equals(done.claim)
                                                    && work.namespace.equals(done.namespace));
            ObjectNode claim = store.copy(ResourceType.CLAIM, done.namespace, done.claim);
            if (claim == null || needed || !Json.removeFinalizer(claim, CLAIM_FINALIZER)) {
                return;
            }
            store.put(ResourceType.CLAIM, claim);
            if (Json.terminating(claim) && !Json.hasFinalizers(claim)) {
                store.remove(ResourceType.CLAIM, done.namespace, done.claim);
            }
        }
    }
}
