package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;

/** What an error of the API server means, and what to do about it. */
public final class ApiErrors {

    private ApiErrors() {}

    public static boolean isOutage(Throwable failure) {
        return Causes.find(KubernetesClientException.class, failure)
                .filter(
                        answer ->
                                answer.getCode() <= 0
                                        || ApiServerMonitor.AWAY.contains(answer.getCode()))
                .isPresent();
    }

    public static boolean isQuota(KubernetesClientException answer) {
        return ErrorText.words(answer).contains("exceeded quota");
    }

    public static boolean isTerminatingNamespace(KubernetesClientException answer) {
        return answer.getStatus() != null
                && answer.getStatus().getDetails() != null
                && answer.getStatus().getDetails().getCauses().stream()
                        .anyMatch(cause -> "NamespaceTerminating".equals(cause.getReason()));
    }

    /** Whether the server refused a request because the account has no right to it. */
    public static boolean isMissingRight(KubernetesClientException answer) {
        return answer.getCode() == 403 && ErrorText.words(answer).contains(" cannot ");
    }

    /** What to do about an answer of the API server. */
    public static String remedy(KubernetesClientException answer) {
        if (answer instanceof NoCredentialException) {
            return "see that it can be had; the next run tries again";
        }
        return switch (answer.getCode()) {
            case 401 -> "check the token or the kubeconfig's credentials";
            case 403 -> {
                if (isQuota(answer)) {
                    yield "raise the quota or keep fewer snapshots";
                }
                yield isTerminatingNamespace(answer)
                        ? "the namespace is going away: remove its claims from the schedule"
                        : "grant it, as in " + grantedIn(ErrorText.words(answer));
            }
            case 404 ->
                    ErrorText.words(answer).startsWith("namespaces ")
                            ? "create the namespace or correct snapshotter.namespace"
                            : "install the VolumeSnapshot CRDs and the snapshot controller of"
                                    + " external-snapshotter";
            case 422 -> "correct what it names";
            default -> "look at the API server; " + "the next run tries again";
        };
    }

    private static String grantedIn(String refusal) {
        if (refusal.contains("at the cluster scope")) {
            return "k8s/components/cluster-wide";
        }
        return refusal.contains("cannot list resource \"persistentvolumeclaims\"")
                ? "k8s/components/select-claims"
                : "k8s/role.yaml";
    }
}
