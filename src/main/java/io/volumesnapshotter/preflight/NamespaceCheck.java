package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.schedule.ClaimSelection;
import io.volumesnapshotter.schedule.Schedule;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Looks whether the namespaces that schedules name are there. */
final class NamespaceCheck {

    private static final List<String> NAMESPACE = List.of(ApiObject.NAME, ApiObject.DELETED);

    private final ClusterLook look;
    private final List<Schedule> schedules;

    NamespaceCheck(ClusterLook look, List<Schedule> schedules) {
        this.look = look;
        this.schedules = schedules;
    }

    void look() {
        Set<String> used = new TreeSet<>();
        for (Schedule schedule : schedules) {
            ClaimSelection selection = schedule.policy().selection();
            if (selection.namespaceSelector().isEmpty()) {
                used.addAll(
                        selection.namespaces().isEmpty()
                                ? List.of(look.own())
                                : selection.namespaces().exact());
            }
        }
        Optional<Map<String, ApiObject>> all =
                used.equals(Set.of(look.own()))
                        ? Optional.empty()
                        : look.all(CoreApi.NAMESPACES, NAMESPACE);
        if (all.isPresent()) {
            used.forEach(name -> tellNamespace(name, all.get().get(name)));
        } else {
            used.stream().limit(ClusterCheck.MOST).forEach(this::lookAt);
        }
    }

    private void lookAt(String namespace) {
        try {
            tellNamespace(
                    namespace,
                    look.reader()
                            .get(CoreApi.NAMESPACES, Optional.empty(), namespace, NAMESPACE)
                            .orElse(null));
        } catch (KubernetesClientException e) {
            if (!look.isRefusal(e)) {
                throw e;
            }
        }
    }

    private void tellNamespace(String name, ApiObject namespace) {
        String what = "namespace " + name;
        if (namespace == null) {
            look.tell(
                    Finding.error(
                            what,
                            "there is none",
                            "create it or correct namespace in the settings or the schedule"));
        } else if (namespace.has(ApiObject.DELETED)) {
            look.tell(
                    Finding.error(
                            what,
                            "it is being deleted, so nothing can be created there",
                            "remove its claims from the schedule"));
        }
    }
}
