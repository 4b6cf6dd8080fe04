package io.volumesnapshotter.kubernetes;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a user says of the cluster on the command line, over what kubeconfig and pod say. The names
 * are those of kubectl's flags.
 *
 * @param kubeconfig the one file to read
 * @param context the context to use in place of the current one
 * @param namespace the namespace in place of the context's or the pod's
 * @param as the user to act as
 * @param asGroups the groups of that user
 * @param requestTimeout how long to wait for an answer
 */
public record ClusterChoice(
        Optional<Path> kubeconfig,
        Optional<String> context,
        Optional<String> namespace,
        Optional<String> as,
        List<String> asGroups,
        Optional<Duration> requestTimeout) {

    /** Nothing is said: all is as kubeconfig and pod have it. */
    public static final ClusterChoice NONE =
            new ClusterChoice(
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    Optional.empty());
}
