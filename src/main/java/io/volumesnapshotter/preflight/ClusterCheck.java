package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.Schedule;
import java.util.Collection;
import java.util.List;

/**
 * Looks whether the cluster lets schedules work: the API server, the snapshot API, rights,
 * namespaces, claims and snapshot classes. It reads only, and what the program's account may not
 * read is left out. One look is one instance.
 */
public final class ClusterCheck {

    /** So many named claims, and so many namespaces, are looked at one by one. */
    static final int MOST = 100;

    /** Grants what only preflight needs. */
    static final String OPTIONAL = "k8s/components/preflight grants it";

    private final ClusterLook look;
    private final Claims claims;
    private final List<Schedule> schedules;

    /**
     * @param claims is told where claims may be listed
     * @param schedules whose needs are looked at; suspended ones need nothing
     */
    public ClusterCheck(
            KubernetesClient client,
            ApiServerMonitor apiServer,
            Claims claims,
            Collection<Schedule> schedules) {
        look = new ClusterLook(client, apiServer);
        this.claims = claims;
        this.schedules =
                schedules.stream().filter(schedule -> !schedule.policy().suspend()).toList();
    }

    /**
     * Looks at everything.
     *
     * @throws KubernetesClientException when the API server does not serve, so that nothing can be
     *     said of the rest
     */
    public List<Finding> look() {
        if (new ApiCheck(look).isUsable()) {
            new RightsCheck(look, claims, schedules).look();
            new NamespaceCheck(look, schedules).look();
            new ClaimCheck(look, claims, schedules).look();
        }
        return look.findings();
    }
}
