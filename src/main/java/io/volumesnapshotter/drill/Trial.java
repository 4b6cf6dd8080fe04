package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.Places;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The temporary claim and pod of a drill or a browse. They carry a label, and the time at which
 * they are over, so that whoever comes next finds and removes what a crash left.
 */
final class Trial {

    /** Label of both: what they are for. */
    static final String LABEL = SnapshotLabels.TRIAL;

    /** Annotation of both: when nobody needs them any more. */
    static final String UNTIL = "volume-snapshotter/trial-until";

    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;

    private final TrialAccess access;
    private final String purpose;
    private final Claim claim;
    private final Instant until;

    /**
     * @param of the claim whose data it has
     * @param purpose what it is for, as a label's value
     * @param time how long it is needed, without its removal
     */
    Trial(TrialAccess access, Claim of, String purpose, Duration time) {
        this.access = access;
        this.purpose = purpose;
        until = access.clock().instant().plus(time).plus(TrialAccess.TO_REMOVE);
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

    private Map<String, String> labels() {
        Map<String, String> labels = new TreeMap<>(access.labels());
        labels.put(SnapshotLabels.MANAGED_BY, SnapshotLabels.PROGRAM);
        labels.put(LABEL, purpose);
        return labels;
    }

    private Map<String, String> annotations() {
        return Map.of(UNTIL, until.toString());
    }

    /**
     * Decides what its claim would be; changes nothing.
     *
     * @param of whose data
     * @param storageClass its class, where it is not that of the claim
     * @throws RefusedException when it cannot be made
     */
    Restores.Target target(Claim of, SnapshotChoice choice, Optional<String> storageClass) {
        return access.restores()
                .target(
                        of,
                        choice,
                        new NewClaim.Wish(
                                claim,
                                storageClass,
                                Optional.empty(),
                                List.of(),
                                Optional.empty(),
                                labels()),
                        any -> true);
    }

    /** Why a claim is not made that would leave a volume behind. */
    static String keepsVolumes(NewClaim planned) {
        return "storage class %s keeps the volumes of deleted claims, so one would be left"
                .formatted(planned.storageClass());
    }

    /** Makes its claim, and the pod that mounts it. */
    void make(NewClaim planned, Work work) {
        access.send().accept(planned.create(work.key(), annotations()));
        access.send()
                .accept(
                        new RestrictedPod(
                                        claim.name(),
                                        claim,
                                        planned.volumeMode().equals("Block"),
                                        work.image(),
                                        work.command(),
                                        work.user(),
                                        Optional.of(work.longest()),
                                        Places.besides(
                                                access.client(), planned.from().snapshot().claim()),
                                        labels(),
                                        annotations())
                                .create());
    }

    /**
     * What its pod does.
     *
     * @param key tells this trial from others
     * @param user the uid that it runs as
     * @param longest after what time it ends in any case
     */
    record Work(String key, String image, List<String> command, long user, Duration longest) {}

    /** Its pod, if it is there. */
    Optional<Pod> pod() {
        return Optional.ofNullable(
                access.client().pods().inNamespace(claim.namespace()).withName(claim.name()).get());
    }

    /**
     * Removes its pod, then its claim, whose volume goes with it.
     *
     * @return what is still there when the wait was over
     */
    List<String> remove() {
        access.removal().until(() -> removed().isEmpty());
        return left().map(Trial::words).toList();
    }

    private List<String> removed() {
        left().filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .forEach(object -> delete(access.send(), object));
        return left().map(Trial::words).toList();
    }

    private Stream<HasMetadata> left() {
        return Stream.<HasMetadata>of(
                        pod().orElse(null),
                        access.client()
                                .persistentVolumeClaims()
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

    /** Deletes a temporary object, if it is still as it was looked at. */
    static void delete(Consumer<Change> send, HasMetadata object) {
        ResourceDefinitionContext kind =
                switch (object.getKind()) {
                    case "Pod" -> CoreApi.PODS;
                    case "VolumeSnapshot" -> SnapshotApi.KIND;
                    default -> CoreApi.CLAIMS;
                };
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
    static void removeLeftovers(TrialAccess access, String namespace) {
        Instant now = access.clock().instant();
        removeAll(
                access,
                new LabelSelectorBuilder()
                        .addNewMatchExpression()
                        .withKey(LABEL)
                        .withOperator("Exists")
                        .endMatchExpression()
                        .build(),
                namespace,
                object -> isOver(object, now));
    }

    /** Removes the snapshots that others left in a namespace whose time is over; tells which. */
    static void removeLeftoverSnapshots(TrialAccess access, String namespace) {
        Instant now = access.clock().instant();
        access
                .client()
                .genericKubernetesResources(SnapshotApi.KIND)
                .inNamespace(namespace)
                .withLabel(LABEL)
                .list()
                .getItems()
                .stream()
                .filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .filter(object -> isOver(object, now))
                .forEach(object -> removeLeftover(access, object));
    }

    private static void removeLeftover(TrialAccess access, HasMetadata object) {
        delete(access.send(), object);
        access.told().accept(words(object) + " was left over, and is removed");
    }

    /** Removes what a selector finds in a namespace, as far as it is meant; tells what. */
    static void removeAll(
            TrialAccess access,
            LabelSelector selector,
            String namespace,
            Predicate<HasMetadata> isMeant) {
        Stream.<HasMetadata>concat(
                        access
                                .client()
                                .pods()
                                .inNamespace(namespace)
                                .withLabelSelector(selector)
                                .list()
                                .getItems()
                                .stream(),
                        access
                                .client()
                                .persistentVolumeClaims()
                                .inNamespace(namespace)
                                .withLabelSelector(selector)
                                .list()
                                .getItems()
                                .stream())
                .filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .filter(isMeant)
                .forEach(object -> removeLeftover(access, object));
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
