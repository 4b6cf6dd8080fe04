package io.volumesnapshotter.schedule;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceList;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.TypedObjectReference;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.AnswerCheck;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the claims of a schedule. Claims that are named are not looked at, so that naming them
 * needs no right; selecting them is one list of claims, and one of namespaces where these are
 * selected.
 */
public final class Claims {

    /** Annotation of a claim: {@code false} keeps it out of schedules that select claims. */
    public static final String SNAPSHOT = "volume-snapshotter/snapshot";

    /** Annotation of a claim: its VolumeSnapshotClass, where the schedule names none. */
    static final String SNAPSHOT_CLASS = "volume-snapshotter/snapshot-class";

    private static final String PROVISIONER = "volume.kubernetes.io/storage-provisioner";
    private static final String IN_TREE = "kubernetes.io/";
    private static final long PAGE = 500;

    private static final Logger LOG = LoggerFactory.getLogger(Claims.class);

    private final KubernetesClient client;
    private final Set<Optional<String>> listable = ConcurrentHashMap.newKeySet();
    private final Map<String, Map<Claim, String>> toldBySchedule = new ConcurrentHashMap<>();

    public Claims(KubernetesClient client) {
        this.client = client;
    }

    /**
     * Notes that claims may be listed.
     *
     * @param namespace where; empty for all namespaces
     */
    public void markListable(Optional<String> namespace) {
        listable.add(namespace);
    }

    /**
     * What a run of this schedule takes snapshots of.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when claims cannot be listed
     */
    public List<Target> of(Schedule schedule) {
        ClaimSelection selection = schedule.policy().selection();
        if (selection.isByName()) {
            return named(schedule).stream()
                    .map(
                            claim ->
                                    new Target(
                                            claim,
                                            schedule.policy().snapshotClassName(),
                                            Optional.empty()))
                    .toList();
        }
        Map<Claim, String> skipped = new HashMap<>();
        List<Target> targets = new ArrayList<>();
        Set<String> withoutClaim = new HashSet<>(selection.namespaces());
        withoutClaim.remove(Settings.ALL);
        for (PersistentVolumeClaim claim : list(selection)) {
            Claim name = nameOf(claim);
            withoutClaim.remove(name.namespace());
            Optional<String> reason = reasonToSkip(claim);
            if (reason.isEmpty()) {
                targets.add(
                        new Target(
                                name,
                                classOf(claim, schedule.policy()),
                                Optional.ofNullable(claim.getMetadata().getUid())));
            } else {
                skipped.put(name, reason.get());
            }
        }
        withoutClaim.forEach(
                namespace ->
                        skipped.put(
                                new Claim(namespace, Settings.ALL),
                                "no claim there is selected; if there is no such namespace, correct"
                                        + " namespace in the schedule"));
        tell(schedule.name(), skipped);
        return targets;
    }

    /** The claims that a schedule names, whether they are there or not. */
    public List<Claim> named(Schedule schedule) {
        ClaimSelection selection = schedule.policy().selection();
        return namespaces(selection).stream()
                .flatMap(
                        namespace ->
                                selection.names().stream().map(name -> new Claim(namespace, name)))
                .toList();
    }

    /** The claims that a schedule selects, with those that its runs would skip. */
    public List<PersistentVolumeClaim> selected(Schedule schedule) {
        return list(schedule.policy().selection());
    }

    private List<String> namespaces(ClaimSelection selection) {
        return selection.namespaces().isEmpty()
                ? List.of(client.getNamespace())
                : selection.namespaces();
    }

    private List<PersistentVolumeClaim> list(ClaimSelection selection) {
        Optional<String> single = selection.singleNamespace(client.getNamespace());
        Predicate<HasMetadata> inNamespace = inNamespace(selection, single);
        List<PersistentVolumeClaim> selected = new ArrayList<>();
        markListable(single);
        forEach(
                single,
                selection.selector().orElse(null),
                claim -> {
                    if (inNamespace.test(claim) && isMeant(claim, selection)) {
                        selected.add(claim);
                    }
                });
        return selected;
    }

    /**
     * Which claims are there, and which of them wait to be filled from a snapshot. Where claims may
     * not be listed that is not known, and the cluster is not asked.
     *
     * @param namespace where to look; empty for all namespaces
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when the list fails for
     *     another reason
     */
    public ClaimFacts facts(Optional<String> namespace) {
        if (!listable.contains(namespace) && !listable.contains(Optional.<String>empty())) {
            return ClaimFacts.UNKNOWN;
        }
        Map<Claim, ClaimFacts.Present> present = new HashMap<>();
        Map<String, String> restoring = new HashMap<>();
        try {
            forEach(
                    namespace,
                    null,
                    claim -> {
                        present.put(
                                nameOf(claim),
                                new ClaimFacts.Present(
                                        claim.getMetadata().getUid(),
                                        Instant.parse(claim.getMetadata().getCreationTimestamp())));
                        restoredFrom(claim)
                                .ifPresent(
                                        snapshot ->
                                                restoring.put(snapshot, nameOf(claim).toString()));
                    });
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            listable.remove(namespace);
            return ClaimFacts.UNKNOWN;
        }
        return new ClaimFacts(present, restoring);
    }

    /** The snapshot, as {@code namespace/name}, that an unbound claim is to be filled from. */
    private static Optional<String> restoredFrom(PersistentVolumeClaim claim) {
        boolean bound = claim.getStatus() != null && "Bound".equals(claim.getStatus().getPhase());
        TypedObjectReference source = claim.getSpec().getDataSourceRef();
        if (bound || source == null || !"VolumeSnapshot".equals(source.getKind())) {
            return Optional.empty();
        }
        return Optional.of(
                Objects.requireNonNullElse(
                                source.getNamespace(), claim.getMetadata().getNamespace())
                        + "/"
                        + source.getName());
    }

    private void forEach(
            Optional<String> namespace, String selector, Consumer<PersistentVolumeClaim> consumer) {
        ListOptions options =
                new ListOptionsBuilder().withLimit(PAGE).withLabelSelector(selector).build();
        var claims = client.persistentVolumeClaims();
        String next;
        do {
            var page =
                    namespace.isPresent()
                            ? claims.inNamespace(namespace.get()).list(options)
                            : claims.inAnyNamespace().list(options);
            AnswerCheck.list(page, page.getKind(), "PersistentVolumeClaimList");
            page.getItems().forEach(consumer);
            next = page.getMetadata().getContinue();
            options.setContinue(next);
        } while (next != null && !next.isEmpty());
    }

    private Predicate<HasMetadata> inNamespace(ClaimSelection selection, Optional<String> single) {
        if (single.isPresent() || selection.namespaces().contains(Settings.ALL)) {
            return any -> true;
        }
        Set<String> namespaces =
                selection
                        .namespaceSelector()
                        .map(this::namespaces)
                        .orElseGet(() -> Set.copyOf(selection.namespaces()));
        return object -> namespaces.contains(object.getMetadata().getNamespace());
    }

    private Set<String> namespaces(String selector) {
        NamespaceList list =
                client.namespaces()
                        .list(new ListOptionsBuilder().withLabelSelector(selector).build());
        return AnswerCheck.list(list, list.getKind(), "NamespaceList").getItems().stream()
                .map((Namespace namespace) -> namespace.getMetadata().getName())
                .collect(Collectors.toSet());
    }

    private static boolean isMeant(PersistentVolumeClaim claim, ClaimSelection selection) {
        boolean named =
                selection.names().isEmpty()
                        || selection.names().contains(claim.getMetadata().getName());
        boolean stored =
                selection.storageClasses().isEmpty()
                        || selection
                                .storageClasses()
                                .contains(
                                        Optional.ofNullable(claim.getSpec().getStorageClassName())
                                                .orElse(""));
        Optional<String> wish = annotation(claim, SNAPSHOT);
        return named
                && stored
                && wish.map(text -> !text.equals("false")).orElse(!selection.optIn());
    }

    public static Claim nameOf(PersistentVolumeClaim claim) {
        return new Claim(claim.getMetadata().getNamespace(), claim.getMetadata().getName());
    }

    /** Why there can be no snapshot of a claim, if so. */
    public static Optional<String> reasonToSkip(PersistentVolumeClaim claim) {
        if (claim.getMetadata().getDeletionTimestamp() != null) {
            return Optional.of("it is being deleted");
        }
        String phase = claim.getStatus() == null ? null : claim.getStatus().getPhase();
        if (!"Bound".equals(phase)) {
            return Optional.of("it is not bound to a volume (phase " + phase + ")");
        }
        return driverOf(claim)
                .filter(driver -> driver.startsWith(IN_TREE))
                .map(driver -> "its volume is of " + driver + ", which is not a CSI driver");
    }

    /** The CSI driver of a claim's volume, where its provisioner left its name. */
    public static Optional<String> driverOf(PersistentVolumeClaim claim) {
        return annotation(claim, PROVISIONER);
    }

    /** The VolumeSnapshotClass for a claim that was selected; empty for the cluster's default. */
    public static Optional<String> classOf(PersistentVolumeClaim claim, Policy policy) {
        return policy.snapshotClassName()
                .or(() -> annotation(claim, SNAPSHOT_CLASS))
                .or(() -> driverOf(claim).map(policy.selection().classOfDriver()::get));
    }

    private static Optional<String> annotation(HasMetadata object, String key) {
        return Optional.ofNullable(object.getMetadata().getAnnotations())
                .map(annotations -> annotations.get(key));
    }

    private void tell(String schedule, Map<Claim, String> skipped) {
        Map<Claim, String> told = toldBySchedule.put(schedule, skipped);
        skipped.forEach(
                (claim, reason) -> {
                    if (told == null || !reason.equals(told.get(claim))) {
                        LogKeys.with(
                                claim,
                                () ->
                                        LOG.warn(
                                                "{} {}: skipped as long as {}",
                                                schedule,
                                                claim,
                                                reason));
                    }
                });
    }
}
