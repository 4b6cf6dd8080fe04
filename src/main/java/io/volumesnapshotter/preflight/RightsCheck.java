package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.Schedule;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Looks whether the program's account has the rights that schedules need, by asking the API server
 * for them and, where that is refused, by using them.
 */
final class RightsCheck {

    private static final ResourceDefinitionContext REVIEW =
            new ResourceDefinitionContext.Builder()
                    .withGroup("authorization.k8s.io")
                    .withVersion("v1")
                    .withPlural("selfsubjectaccessreviews")
                    .withKind("SelfSubjectAccessReview")
                    .withNamespaced(false)
                    .build();

    private final ClusterLook look;
    private final Claims claims;
    private final List<Schedule> schedules;
    private final Map<Permission, Optional<Boolean>> reviews = new HashMap<>();

    /**
     * @param claims is told where claims may be listed
     */
    RightsCheck(ClusterLook look, Claims claims, List<Schedule> schedules) {
        this.look = look;
        this.claims = claims;
        this.schedules = schedules;
    }

    void look() {
        Set<Permission> needed = new LinkedHashSet<>();
        schedules.forEach(schedule -> needed.addAll(Permission.of(schedule, look.own())));
        boolean several = needed.stream().map(Permission::namespace).distinct().count() > 1;
        boolean asked = true;
        int granted = 0;
        for (Permission right : needed) {
            Optional<Boolean> answer = isGranted(right, several);
            if (answer.isEmpty()) {
                asked = false;
            } else if (answer.get()) {
                granted++;
            } else {
                look.tell(
                        Finding.essential(
                                "rights",
                                "the program's account may not " + right,
                                "grant it, as in " + right.grantedIn(look.own())));
            }
        }
        schedules.stream()
                .map(schedule -> schedule.policy().selection().singleNamespace(look.own()))
                .distinct()
                .filter(where -> review(Permission.toListClaims(where)).orElse(false))
                .forEach(claims::markListable);
        if (!asked) {
            look.tell(
                    Finding.info(
                            "rights",
                            "whether volumesnapshots may be created and deleted cannot be asked",
                            "let the account create selfsubjectaccessreviews, as the ClusterRole"
                                    + " system:basic-user does"));
        } else if (granted == needed.size() && granted > 0) {
            look.tell(
                    Finding.info("rights", "all " + granted + " that are needed are granted", ""));
        }
    }

    /** Whether a right is granted; empty when there is no way to know. */
    private Optional<Boolean> isGranted(Permission right, boolean several) {
        if (several && right.namespace().isPresent()) {
            Permission everywhere =
                    new Permission(right.verb(), right.resource(), Optional.empty());
            if (review(everywhere).orElse(false)) {
                return Optional.of(true);
            }
        }
        Optional<Boolean> answer = review(right);
        // A list is the proof, and the way to know where reviews are refused.
        boolean tried =
                right.verb().equals("list")
                        && answer.orElse(true)
                        && (answer.isEmpty() || right.resource() == SnapshotApi.KIND);
        return tried ? Optional.of(canList(right)) : answer;
    }

    private Optional<Boolean> review(Permission right) {
        return reviews.computeIfAbsent(right, this::askReview);
    }

    private Optional<Boolean> askReview(Permission right) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("verb", right.verb());
        attributes.put("group", Objects.toString(right.resource().getGroup(), ""));
        attributes.put("resource", right.resource().getPlural());
        right.namespace().ifPresent(namespace -> attributes.put("namespace", namespace));
        GenericKubernetesResource review =
                new GenericKubernetesResourceBuilder()
                        .withApiVersion(REVIEW.getGroup() + "/" + REVIEW.getVersion())
                        .withKind(REVIEW.getKind())
                        .addToAdditionalProperties("spec", Map.of("resourceAttributes", attributes))
                        .build();
        return look.ask(
                        () ->
                                look.client()
                                        .genericKubernetesResources(REVIEW)
                                        .resource(review)
                                        .create())
                .map(answer -> answer.<Boolean>get("status", "allowed"));
    }

    private boolean canList(Permission right) {
        try {
            look.reader().probe(right.resource(), right.namespace());
            return true;
        } catch (KubernetesClientException e) {
            if (look.isRefusal(e)) {
                return false;
            }
            if (e.getCode() == 404) {
                look.tell(Finding.essential("API", ErrorText.words(e), ApiErrors.remedy(e)));
                return true;
            }
            throw e;
        }
    }
}
