package io.volumesnapshotter.schedule;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the claims of a schedule. Claims that are named are not looked at, so that naming them
 * needs no right; selecting them is one list of claims, and one of namespaces where these are
 * selected.
 */
public final class Claims implements HeldBySchedule {

    /** Annotation of a claim: {@code false} keeps it out of schedules that select claims. */
    public static final String SNAPSHOT = "volume-snapshotter/snapshot";

    private static final String SKIPPED = "skipped as long as ";
    private static final long PAGE = 500;

    private static final Logger LOG = LoggerFactory.getLogger(Claims.class);

    private final String ownNamespace;
    private final ClusterReader reader;
    private final ChosenClass classes;
    private final InstantSource clock;
    private final Set<Optional<String>> listable = ConcurrentHashMap.newKeySet();
    private final Map<String, Map<Claim, String>> toldBySchedule = new ConcurrentHashMap<>();

    public Claims(KubernetesClient client, InstantSource clock) {
        this.clock = clock;
        ownNamespace = client.getNamespace();
        reader = new ClusterReader(client);
        classes = new ChosenClass(new VolumeDrivers(reader, clock));
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
            Map<Claim, String> unread = new HashMap<>();
            List<Target> named =
                    named(schedule).stream().map(claim -> named(schedule, claim, unread)).toList();
            if (schedule.policy().readClaims()) {
                tell(schedule.name(), unread);
            }
            return named;
        }
        Map<Claim, String> toTell = new HashMap<>();
        List<Target> targets = new ArrayList<>();
        Set<String> withoutClaim = new HashSet<>(selection.namespaces().exact());
        for (FoundClaim claim : list(selection)) {
            withoutClaim.remove(claim.name().namespace());
            Optional<String> reason = claim.reasonToSkip();
            if (reason.isEmpty()) {
                targets.add(
                        new Target(
                                claim.name(),
                                classOf(claim, schedule.policy()),
                                Optional.ofNullable(claim.uid()),
                                Optional.of(claim.recorded())));
                classes.whyNoDriver(claim, schedule.policy())
                        .ifPresent(words -> toTell.put(claim.name(), words));
            } else {
                toTell.put(claim.name(), SKIPPED + reason.get());
            }
        }
        withoutClaim.forEach(
                namespace ->
                        toTell.put(
                                new Claim(namespace, Settings.ALL),
                                SKIPPED
                                        + "no claim there is selected; if there is no such"
                                        + " namespace, correct namespace in the schedule"));
        tell(schedule.name(), toTell);
        return targets;
    }

    /** A claim that is named is read only where that is wanted, and taken also where it is not. */
    private Target named(Schedule schedule, Claim claim, Map<Claim, String> unread) {
        Optional<FoundClaim> found = Optional.empty();
        if (schedule.policy().readClaims()) {
            try {
                found = get(claim);
            } catch (KubernetesClientException e) {
                if (!ApiErrors.isMissingRight(e)) {
                    throw e;
                }
                unread.put(
                        claim,
                        "nothing of the claim is written on its snapshots: "
                                + ErrorText.words(e)
                                + " -> grant it, as in k8s/components/read-claims, or set"
                                + " read-claims to false");
            }
        }
        return new Target(
                claim,
                schedule.policy().snapshotClassName(),
                found.map(FoundClaim::uid),
                found.map(FoundClaim::recorded));
    }

    /**
     * Reads a claim that is named once more. Where it may not be read any more, which one it is is
     * not known.
     *
     * @return empty when it is gone
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when it cannot be read for
     *     another reason
     */
    public Optional<Target> readAgain(Target target) {
        try {
            return get(target.claim())
                    .map(
                            found ->
                                    new Target(
                                            target.claim(),
                                            target.snapshotClassName(),
                                            Optional.of(found.uid()),
                                            Optional.of(found.recorded())));
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            return Optional.of(
                    new Target(target.claim(), target.snapshotClassName(), Optional.empty()));
        }
    }

    /** The claims that a schedule names, whether they are there or not. */
    public List<Claim> named(Schedule schedule) {
        ClaimSelection selection = schedule.policy().selection();
        return namespaces(selection).stream()
                .flatMap(
                        namespace ->
                                selection.names().exact().stream()
                                        .map(name -> new Claim(namespace, name)))
                .toList();
    }

    /** The claims that a schedule selects, with those that its runs would skip. */
    public List<FoundClaim> selected(Schedule schedule) {
        return list(schedule.policy().selection());
    }

    /**
     * The claims whose names and labels a schedule means, also those that it does not take.
     *
     * @param use what to make of each
     */
    <T> List<T> meant(ClaimSelection selection, Function<FoundClaim, T> use) {
        Optional<String> single = selection.singleNamespace(ownNamespace);
        Predicate<FoundClaim> isMeant = inNamespace(selection, single).and(selection::isNamed);
        markListable(single);
        return list(
                single,
                selection.selector().orElse(null),
                claim -> Optional.of(claim).filter(isMeant).map(use));
    }

    /**
     * All claims of a namespace.
     *
     * @param namespace where; empty for all namespaces
     * @param use what to make of each; empty to leave it out
     */
    <T> List<T> all(Optional<String> namespace, Function<FoundClaim, Optional<T>> use) {
        List<T> all = list(namespace, null, use);
        markListable(namespace);
        return all;
    }

    /** Why a claim whose name is meant is not selected now, if so. */
    Optional<String> whyNot(ClaimSelection selection, FoundClaim claim) {
        return selection.whyNot(claim, clock.instant());
    }

    /** The namespace of claims whose schedule names none. */
    String ownNamespace() {
        return ownNamespace;
    }

    private List<String> namespaces(ClaimSelection selection) {
        return selection.namespaces().isEmpty()
                ? List.of(ownNamespace)
                : selection.namespaces().exact();
    }

    private List<FoundClaim> list(ClaimSelection selection) {
        Optional<String> single = selection.singleNamespace(ownNamespace);
        Predicate<FoundClaim> isMeant =
                inNamespace(selection, single)
                        .and(selection::isNamed)
                        .and(claim -> whyNot(selection, claim).isEmpty());
        markListable(single);
        return list(
                single,
                selection.selector().orElse(null),
                claim -> Optional.of(claim).filter(isMeant));
    }

    private <T> List<T> list(
            Optional<String> namespace, String selector, Function<FoundClaim, Optional<T>> use) {
        return reader.list(
                CoreApi.CLAIMS,
                namespace,
                selector,
                PAGE,
                FoundClaim.FIELDS,
                object -> use.apply(FoundClaim.read(object)));
    }

    /**
     * Reads one claim.
     *
     * @return empty when there is none
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when it cannot be read
     */
    public Optional<FoundClaim> get(Claim claim) {
        return reader.get(
                        CoreApi.CLAIMS,
                        Optional.of(claim.namespace()),
                        claim.name(),
                        FoundClaim.FIELDS)
                .map(FoundClaim::read);
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
            for (Seen seen : list(namespace, null, claim -> Optional.of(Seen.of(claim)))) {
                present.put(seen.claim(), seen.present());
                seen.restoringFrom()
                        .ifPresent(snapshot -> restoring.put(snapshot, seen.claim().toString()));
            }
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            listable.remove(namespace);
            return ClaimFacts.UNKNOWN;
        }
        return new ClaimFacts(present, restoring);
    }

    /** What of a claim bears on deletions. */
    private record Seen(Claim claim, ClaimFacts.Present present, Optional<String> restoringFrom) {

        static Seen of(FoundClaim claim) {
            return new Seen(
                    claim.name(),
                    new ClaimFacts.Present(claim.uid(), claim.createdAt()),
                    claim.restoringFrom());
        }
    }

    private Predicate<FoundClaim> inNamespace(ClaimSelection selection, Optional<String> single) {
        if (single.isPresent()) {
            return any -> true;
        }
        Optional<Set<String>> labelled = selection.namespaceSelector().map(this::namespaces);
        return claim ->
                labelled.isPresent()
                        ? labelled.get().contains(claim.name().namespace())
                        : selection.namespaces().accepts(claim.name().namespace());
    }

    private Set<String> namespaces(String selector) {
        return Set.copyOf(
                reader.list(
                        CoreApi.NAMESPACES,
                        Optional.empty(),
                        selector,
                        PAGE,
                        List.of(ApiObject.NAME),
                        object -> Optional.ofNullable(object.text(ApiObject.NAME))));
    }

    /**
     * The VolumeSnapshotClass for a claim that was selected; empty for the cluster's default.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when it depends on the claim's
     *     volume, and that cannot be read
     */
    public Optional<String> classOf(FoundClaim claim, Policy policy) {
        return classes.of(claim, policy);
    }

    @Override
    public void retain(Predicate<String> isThere) {
        toldBySchedule.keySet().removeIf(isThere.negate());
    }

    private void tell(String schedule, Map<Claim, String> toTell) {
        Map<Claim, String> told = toldBySchedule.put(schedule, toTell);
        toTell.forEach(
                (claim, words) -> {
                    if (told == null || !words.equals(told.get(claim))) {
                        LogKeys.with(claim, () -> LOG.warn("{} {}: {}", schedule, claim, words));
                    }
                });
    }
}
