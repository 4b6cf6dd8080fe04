package io.volumesnapshotter.hook;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.DriverError;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Sees the moment at which storage has cut a snapshot: by a watch where the right is there, else by
 * quick looks at this one snapshot.
 */
final class CutWatch {

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(250);

    /** Wait after a 403: asking sooner cannot help. */
    private static final long AFTER_REFUSAL = TimeUnit.MINUTES.toNanos(10);

    private static final int FORBIDDEN = 403;

    private static final List<String> CUT = List.of("status", "creationTime");
    private static final List<String> READY = List.of("status", "readyToUse");
    private static final List<String> ERROR = List.of("status", "error", "message");
    private static final List<String> UID = List.of("metadata", "uid");

    private final ClusterReader reader;
    private volatile Long refusedAt;

    CutWatch(KubernetesClient client) {
        reader = new ClusterReader(client);
    }

    /** How the wait ended. */
    enum Outcome {
        /** Storage has cut. */
        CUT,
        /** The snapshot is gone. */
        GONE,
        /** The driver refused it for good. */
        REFUSED,
        /** It was not cut in the time that there was. */
        LATE
    }

    /**
     * Waits until storage has cut.
     *
     * @param uid which snapshot of that name
     */
    Outcome await(Claim claim, String name, String uid, Duration limit)
            throws InterruptedException {
        long until = System.nanoTime() + limit.toNanos();
        if (mayWatch()) {
            Outcome seen = watch(claim, name, uid, limit);
            if (seen != Outcome.LATE) {
                return seen;
            }
        }
        while (System.nanoTime() - until < 0) {
            Outcome seen = look(claim, name, uid);
            if (seen != Outcome.LATE) {
                return seen;
            }
            long left = until - System.nanoTime();
            TimeUnit.NANOSECONDS.sleep(Math.min(BETWEEN_LOOKS.toNanos(), Math.max(0, left)));
        }
        return Outcome.LATE;
    }

    private boolean mayWatch() {
        Long refused = refusedAt;
        return refused == null || System.nanoTime() - refused > AFTER_REFUSAL;
    }

    private Outcome watch(Claim claim, String name, String uid, Duration limit) {
        try {
            return reader.watch(
                            SnapshotApi.KIND,
                            Optional.of(claim.namespace()),
                            name,
                            List.of(
                                    "/type",
                                    inEvent(CUT),
                                    inEvent(READY),
                                    inEvent(ERROR),
                                    inEvent(UID)),
                            limit,
                            event -> judge(event, uid) != Outcome.LATE)
                    .map(event -> judge(event, uid))
                    .orElse(Outcome.LATE);
        } catch (KubernetesClientException e) {
            // Looks say what is, or that there is no API server.
            if (e.getCode() == FORBIDDEN) {
                refusedAt = System.nanoTime();
            }
            return Outcome.LATE;
        }
    }

    private static String inEvent(List<String> field) {
        return "/object" + pointer(field);
    }

    private static String pointer(List<String> field) {
        return ApiObject.field(field.toArray(String[]::new));
    }

    private static Outcome judge(ApiObject event, String uid) {
        if (!uid.equals(event.text(inEvent(UID)))) {
            return Outcome.LATE;
        }
        return "DELETED".equals(event.text("/type"))
                ? Outcome.GONE
                : judge(event, inEvent(CUT), inEvent(READY), inEvent(ERROR));
    }

    private Outcome look(Claim claim, String name, String uid) {
        try {
            return reader.get(
                            SnapshotApi.KIND,
                            Optional.of(claim.namespace()),
                            name,
                            List.of(pointer(CUT), pointer(READY), pointer(ERROR), pointer(UID)))
                    .filter(found -> uid.equals(found.text(pointer(UID))))
                    .map(found -> judge(found, pointer(CUT), pointer(READY), pointer(ERROR)))
                    .orElse(Outcome.GONE);
        } catch (KubernetesClientException e) {
            return Outcome.LATE;
        }
    }

    private static Outcome judge(ApiObject found, String cut, String ready, String error) {
        if (found.has(cut) || found.isTrue(ready)) {
            return Outcome.CUT;
        }
        String words = found.text(error);
        return words != null && DriverError.isFinal(words) ? Outcome.REFUSED : Outcome.LATE;
    }
}
