package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The temporary claim and pod of a drill or a browse. They carry a label, and the time at which
 * they are over, so that whoever comes next finds and removes what a crash left.
 */
final class Trial {

    /** Label of both: what they are for. */
    static final String LABEL = "volume-snapshotter/trial";

    /** Annotation of both: when nobody needs them any more. */
    static final String UNTIL = "volume-snapshotter/trial-until";

    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final String purpose;
    private final Claim claim;
    private final Instant until;

    /**
     * @param of the claim whose data it has
     * @param purpose what it is for, as a label's value
     * @param time how long it is needed
     */
    Trial(
            KubernetesClient client,
            Consumer<Change> send,
            Claim of,
            String purpose,
            InstantSource clock,
            Duration time) {
        this.client = client;
        this.send = send;
        this.purpose = purpose;
        until = clock.instant().plus(time);
        String end = "-" + purpose + "-" + ObjectNames.hash(UUID.randomUUID().toString());
        // The pod has the same name, whose host name is a label.
        int most = ObjectNames.MAX_LABEL - end.length();
        String name = of.name().replace('.', '-');
        claim =
                new Claim(
                        of.namespace(),
                        (name.length() <= most ? name : name.substring(0, most)) + end);
    }

    /** Its claim; the pod has the same name. */
    Claim claim() {
        return claim;
    }

    Map<String, String> labels() {
        return Map.of("app.kubernetes.io/managed-by", SnapshotLabels.PROGRAM, LABEL, purpose);
    }

    Map<String, String> annotations() {
        return Map.of(UNTIL, until.toString());
    }

    /**
     * Removes its pod, then its claim, whose volume goes with it.
     *
     * @return what is still there when the wait was over
     */
    List<String> remove(Waiting waiting) {
        waiting.until(() -> removed().isEmpty());
        return left().map(Trial::words).toList();
    }

    private List<String> removed() {
        left().filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .forEach(object -> delete(send, object));
        return left().map(Trial::words).toList();
    }

    private Stream<HasMetadata> left() {
        return Stream.<HasMetadata>of(
                        client.pods().inNamespace(claim.namespace()).withName(claim.name()).get(),
                        client.persistentVolumeClaims()
                                .inNamespace(claim.namespace())
                                .withName(claim.name())
                                .get())
                .filter(object -> object != null);
    }

    private static String words(HasMetadata object) {
        return "%s %s/%s"
                .formatted(
                        object.getKind(),
                        object.getMetadata().getNamespace(),
                        object.getMetadata().getName());
    }

    private static void delete(Consumer<Change> send, HasMetadata object) {
        ResourceDefinitionContext kind =
                object.getKind().equals("Pod") ? CoreApi.PODS : CoreApi.CLAIMS;
        try {
            send.accept(
                    Change.delete(
                            kind,
                            Optional.of(object.getMetadata().getNamespace()),
                            object.getMetadata().getName(),
                            object.getMetadata().getUid(),
                            object.getMetadata().getResourceVersion()));
        } catch (KubernetesClientException e) {
            // Gone already, or changed since the look: the next one sees it.
            if (e.getCode() != NOT_FOUND && e.getCode() != CONFLICT) {
                throw e;
            }
        }
    }

    /** Removes what others left in a namespace whose time is over; tells what. */
    static void removeLeftovers(
            KubernetesClient client,
            Consumer<Change> send,
            String namespace,
            Instant now,
            Consumer<String> told) {
        Stream.<HasMetadata>concat(
                        client
                                .pods()
                                .inNamespace(namespace)
                                .withLabel(LABEL)
                                .list()
                                .getItems()
                                .stream(),
                        client
                                .persistentVolumeClaims()
                                .inNamespace(namespace)
                                .withLabel(LABEL)
                                .list()
                                .getItems()
                                .stream())
                .filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .filter(object -> isOver(object, now))
                .forEach(
                        object -> {
                            delete(send, object);
                            told.accept(words(object) + " was left over, and is removed");
                        });
    }

    private static boolean isOver(HasMetadata object, Instant now) {
        String until =
                Optional.ofNullable(object.getMetadata().getAnnotations())
                        .map(annotations -> annotations.get(UNTIL))
                        .orElse("");
        try {
            return Instant.parse(until).isBefore(now);
        } catch (DateTimeException e) {
            return false;
        }
    }
}
