package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.List;
import java.util.regex.Pattern;

/** What an error of the API server means, and what to do about it. */
public final class ApiErrors {

    /**
     * How the API server begins what an admission webhook, a ValidatingAdmissionPolicy or a
     * MutatingAdmissionPolicy says. Some versions put the name of the object before it.
     */
    private static final Pattern POLICY =
            Pattern.compile(
                    "(?:^|is forbidden: )(?:admission webhook \"[^\"]*\" denied the request\\b"
                            + "|\\w*[pP]olicy '[^']*'(?: with binding '[^']*')? denied request: )");

    /** What only restores ask for. */
    private static final List<String> RESTORES =
            List.of(
                    "cannot get resource \"persistentvolumeclaims\"",
                    "cannot create resource \"persistentvolumeclaims\"",
                    "cannot get resource \"storageclasses\"",
                    "cannot get resource \"volumesnapshotclasses\"");

    /** What only restores in place ask for. */
    private static final List<String> IN_PLACE =
            List.of(
                    "cannot delete resource \"persistentvolumeclaims\"",
                    "cannot list resource \"persistentvolumes\"",
                    "cannot patch resource \"persistentvolumes\"",
                    "cannot list resource \"statefulsets\"",
                    "cannot list resource \"deployments\"");

    private static final int FIRST_SERVER_ERROR = 500;
    private static final int FORBIDDEN = 403;
    private static final int THROTTLED = 429;

    private ApiErrors() {}

    public static boolean isOutage(Throwable failure) {
        return Causes.find(KubernetesClientException.class, failure)
                .filter(
                        answer ->
                                answer.getCode() <= 0
                                        || ApiServerMonitor.AWAY.contains(answer.getCode()))
                .isPresent();
    }

    /** Whether a request failed in a way that may be over when it is sent again later. */
    public static boolean isPassing(Throwable failure) {
        return isOutage(failure)
                || Causes.find(KubernetesClientException.class, failure)
                        .filter(answer -> answer.getCode() >= FIRST_SERVER_ERROR)
                        .isPresent();
    }

    public static boolean isQuota(KubernetesClientException answer) {
        return answer.getCode() == FORBIDDEN
                && ErrorText.words(answer).contains(" is forbidden: exceeded quota: ");
    }

    /**
     * Whether a policy of the cluster refused a request, whatever code it chose. One that is out of
     * order, or wants to be asked later, says nothing about the request.
     */
    public static boolean isPolicy(KubernetesClientException answer) {
        return answer.getCode() < FIRST_SERVER_ERROR
                && answer.getCode() != THROTTLED
                && POLICY.matcher(ErrorText.words(answer)).find();
    }

    /** Why a request failed, in one line; of a policy's refusal, that it is one. */
    public static String reason(Throwable failure) {
        boolean isPolicy =
                Causes.find(KubernetesClientException.class, failure)
                        .filter(ApiErrors::isPolicy)
                        .isPresent();
        return (isPolicy ? "a policy of the cluster refuses it: " : "") + ErrorText.words(failure);
    }

    public static boolean isTerminatingNamespace(KubernetesClientException answer) {
        return answer.getStatus() != null
                && answer.getStatus().getDetails() != null
                && answer.getStatus().getDetails().getCauses().stream()
                        .anyMatch(cause -> "NamespaceTerminating".equals(cause.getReason()));
    }

    /** Whether the server refused a request because the account has no right to it. */
    public static boolean isMissingRight(KubernetesClientException answer) {
        return answer.getCode() == FORBIDDEN
                && !isPolicy(answer)
                && ErrorText.words(answer).contains(" cannot ");
    }

    /** What to do about an answer of the API server. */
    public static String remedy(KubernetesClientException answer) {
        if (answer instanceof NoCredentialException) {
            return "see that it can be had; the next run tries again";
        }
        if (isPolicy(answer)) {
            return "let the policy allow it, or give the snapshots what it asks for, as labels or"
                    + " a snapshot class of the schedule";
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

    /**
     * What to do about an answer to something that needs a component of the manifests.
     *
     * @param component its name; it grants all that is asked for but what concerns snapshots
     */
    public static String remedy(KubernetesClientException answer, String component) {
        return isMissingRight(answer)
                        && !ErrorText.words(answer).contains("resource \"volumesnapshots\"")
                ? "grant it, as in k8s/components/" + component
                : remedy(answer);
    }

    private static String grantedIn(String refusal) {
        if (refusal.contains("resource \"pods")) {
            return "k8s/components/drill";
        }
        if (IN_PLACE.stream().anyMatch(refusal::contains)) {
            return "k8s/components/restore-in-place";
        }
        if (RESTORES.stream().anyMatch(refusal::contains)) {
            return "k8s/components/restore";
        }
        if (refusal.contains("at the cluster scope")) {
            return "k8s/components/cluster-wide";
        }
        if (refusal.contains("cannot patch resource \"volumesnapshots\"")) {
            return "k8s/components/commands";
        }
        return refusal.contains("cannot list resource \"persistentvolumeclaims\"")
                ? "k8s/components/select-claims"
                : "k8s/role.yaml";
    }
}
