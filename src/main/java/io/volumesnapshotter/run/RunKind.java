package io.volumesnapshotter.run;

import io.volumesnapshotter.schedule.Trigger;
import java.util.Optional;

/** What a run is over, and what the cluster shows of earlier ones: it differs by kind. */
public interface RunKind {

    /**
     * The run of a fire; it does not begin.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when the cluster does not tell
     */
    Run run(Firing firing);

    /**
     * Whether the run of a fire time, which is not too old for one, is over, though this program
     * does not know of it.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when the cluster does not tell
     */
    boolean isOver(Firing firing);

    /**
     * Tells what became of a fire time that is too old to get its run now.
     *
     * @param run the run that it would get
     * @param wasThere whether the schedule is known to have been there at that time
     * @return whether its run was cut off, so that the rest of it can still be done; false when
     *     there is nothing to do
     * @throws MissedException when it got none
     * @throws io.fabric8.kubernetes.client.KubernetesClientException when the cluster does not tell
     */
    boolean isCutOff(Run run, Firing firing, Optional<Trigger> trigger, boolean wasThere)
            throws MissedException;
}
