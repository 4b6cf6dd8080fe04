package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.snapshot.Claim;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** Finds who uses a claim, or would soon. */
final class ClaimUsers {

    private static final ResourceDefinitionContext STATEFUL_SETS =
            apps("statefulsets", "StatefulSet");
    private static final ResourceDefinitionContext DEPLOYMENTS = apps("deployments", "Deployment");

    private final KubernetesClient client;

    ClaimUsers(KubernetesClient client) {
        this.client = client;
    }

    private static ResourceDefinitionContext apps(String plural, String kind) {
        return new ResourceDefinitionContext.Builder()
                .withGroup("apps")
                .withVersion("v1")
                .withPlural(plural)
                .withKind(kind)
                .withNamespaced(true)
                .build();
    }

    /** The pods that use a claim, each with its owner and how to end it. */
    List<String> pods(Claim claim) {
        return client.pods().inNamespace(claim.namespace()).list().getItems().stream()
                .filter(pod -> !isOver(pod) && uses(pod, claim.name()))
                .map(ClaimUsers::words)
                .toList();
    }

    private static boolean isOver(Pod pod) {
        return pod.getStatus() != null
                && List.of("Succeeded", "Failed").contains(pod.getStatus().getPhase());
    }

    static boolean uses(Pod pod, String claim) {
        return pod.getSpec().getVolumes().stream()
                .filter(volume -> volume.getPersistentVolumeClaim() != null)
                .anyMatch(volume -> claim.equals(volume.getPersistentVolumeClaim().getClaimName()));
    }

    private static String words(Pod pod) {
        String name = "pod " + pod.getMetadata().getName();
        return pod.getMetadata().getOwnerReferences().stream()
                .filter(owner -> Objects.equals(owner.getController(), true))
                .findFirst()
                .map(owner -> name + " of " + words(owner))
                .orElse(name);
    }

    private static String words(OwnerReference owner) {
        return owner.getKind().toLowerCase(Locale.ROOT) + "/" + owner.getName();
    }

    /**
     * Why a claim is not safe to swap: pods that use it, and owners that would make such pods again
     * or delete the claim.
     *
     * @param forced owners that the user answers for, as {@code statefulset/db}
     */
    List<String> problems(Claim claim, Set<String> forced) {
        Stream<String> owners =
                Stream.of(STATEFUL_SETS, DEPLOYMENTS)
                        .flatMap(
                                kind ->
                                        client
                                                .genericKubernetesResources(kind)
                                                .inNamespace(claim.namespace())
                                                .list()
                                                .getItems()
                                                .stream())
                        .map(Owner::of)
                        .filter(owner -> owner.uses(claim.name()))
                        .flatMap(owner -> owner.problems(claim.name(), forced).stream());
        return Stream.concat(pods(claim).stream().map(words -> words + " uses it"), owners)
                .toList();
    }
}
