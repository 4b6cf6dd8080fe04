package io.volumesnapshotter.restore;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A StatefulSet or Deployment, as far as it bears on a claim that is to be swapped.
 *
 * @param object as the API server has it
 */
record Owner(JsonNode object) {

    /** What Argo CD and Flux write on what they keep as it is in git. */
    private static final List<String> GITOPS =
            List.of(
                    "argocd.argoproj.io/instance",
                    "argocd.argoproj.io/tracking-id",
                    "kustomize.toolkit.fluxcd.io/name",
                    "helm.toolkit.fluxcd.io/name");

    private static final String FLUX_OFF = "kustomize.toolkit.fluxcd.io/reconcile";
    private static final ObjectMapper JSON = new ObjectMapper();

    static Owner of(Object resource) {
        return new Owner(JSON.valueToTree(resource));
    }

    private String text(String pointer) {
        return object.at(pointer).asText("");
    }

    /** As kubectl names it: {@code statefulset/db}. */
    String name() {
        return text("/kind").toLowerCase(Locale.ROOT) + "/" + text("/metadata/name");
    }

    /** Whether its pods use the claim, now or when there are some. */
    boolean uses(String claim) {
        return isTemplated(claim)
                || object.at("/spec/template/spec/volumes")
                        .valueStream()
                        .anyMatch(
                                volume ->
                                        volume.at("/persistentVolumeClaim/claimName")
                                                .asText("")
                                                .equals(claim));
    }

    private boolean isTemplated(String claim) {
        return object.at("/spec/volumeClaimTemplates")
                .valueStream()
                .map(template -> template.at("/metadata/name").asText())
                .anyMatch(
                        template ->
                                claim.matches(
                                        Pattern.quote(template + "-" + text("/metadata/name") + "-")
                                                + "\\d+"));
    }

    /**
     * Why the claim is not safe from it.
     *
     * @param forced owners that the user answers for, by {@link #name}
     */
    List<String> problems(String claim, Set<String> forced) {
        List<String> problems = new ArrayList<>();
        int replicas = object.at("/spec/replicas").asInt(1);
        if (replicas > 0) {
            problems.add(
                    "%s wants %d pod%s of it: kubectl scale %s --replicas=0 -n %s"
                            .formatted(
                                    name(),
                                    replicas,
                                    replicas == 1 ? "" : "s",
                                    name(),
                                    text("/metadata/namespace")));
        }
        if (forced.contains(name())) {
            return problems;
        }
        if (isTemplated(claim)
                && Stream.of("whenScaled", "whenDeleted")
                        .anyMatch(
                                when ->
                                        text("/spec/persistentVolumeClaimRetentionPolicy/" + when)
                                                .equals("Delete"))) {
            problems.add(
                    "%s deletes its claims (persistentVolumeClaimRetentionPolicy): set it to Retain, or give --force %s"
                            .formatted(name(), name()));
        }
        GITOPS.stream()
                .filter(
                        key ->
                                object.at("/metadata/labels").has(key)
                                        || object.at("/metadata/annotations").has(key))
                .filter(
                        key ->
                                !object.at("/metadata/annotations")
                                        .path(FLUX_OFF)
                                        .asText("")
                                        .equals("disabled"))
                .findFirst()
                .ifPresent(
                        key ->
                                problems.add(
                                        "%s is kept as it is in git (%s), which would scale it up again: suspend that, and give --force %s"
                                                .formatted(name(), key, name())));
        return problems;
    }
}
