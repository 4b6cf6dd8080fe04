package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.ClusterReader;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * One look at the cluster: what it found so far, and requests whose refusal says nothing. It reads
 * only.
 */
final class ClusterLook {

    private static final long PAGE = 500;

    private final KubernetesClient client;
    private final ClusterReader reader;
    private final ApiServerMonitor apiServer;
    private final Set<Finding> findings = new LinkedHashSet<>();

    ClusterLook(KubernetesClient client, ApiServerMonitor apiServer) {
        this.client = client;
        this.apiServer = apiServer;
        reader = new ClusterReader(client);
    }

    KubernetesClient client() {
        return client;
    }

    ClusterReader reader() {
        return reader;
    }

    /** The namespace of the program. */
    String own() {
        return client.getNamespace();
    }

    /** What was found, each once. */
    List<Finding> findings() {
        return List.copyOf(findings);
    }

    void tell(Finding finding) {
        findings.add(finding);
    }

    /** All objects of a kind, by name; empty when that is refused or there is none such. */
    Optional<Map<String, ApiObject>> all(ResourceDefinitionContext kind, List<String> fields) {
        return ask(() -> reader.list(kind, Optional.empty(), null, PAGE, fields, Optional::of))
                .map(
                        list ->
                                list.stream()
                                        .collect(
                                                Collectors.toMap(
                                                        object -> object.text(ApiObject.NAME),
                                                        object -> object,
                                                        (one, other) -> one)));
    }

    /** The answer; empty when it is refused or there is none such. */
    <T> Optional<T> ask(Supplier<T> request) {
        try {
            return Optional.ofNullable(request.get());
        } catch (KubernetesClientException e) {
            if (isRefusal(e) || e.getCode() == 404) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** A server that is still starting refuses everything; that says nothing. */
    boolean isRefusal(KubernetesClientException answer) {
        return answer.getCode() == 403 && !apiServer.isRestarting();
    }
}
