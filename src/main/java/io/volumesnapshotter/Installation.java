package io.volumesnapshotter;

import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.settings.ProgramSettings;
import io.volumesnapshotter.settings.Settings;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which of several installations in a cluster this one is. */
final class Installation {

    private static final Pattern POD_OF_DEPLOYMENT =
            Pattern.compile("(.+)-[bcdf-hj-np-tv-z2-9]{6,10}-[bcdf-hj-np-tv-z2-9]{5}");

    private Installation() {}

    /**
     * The identity of this installation: what the setting says, else namespace and name of the
     * workload: as the variable {@code WORKLOAD_NAME} says, else as the pod's name has it.
     *
     * @param namespace the namespace that the program runs in
     */
    static String of(Settings settings, Map<String, String> environment, String namespace) {
        Optional<String> own = settings.get(ProgramSettings.INSTALLATION);
        if (own.isPresent()) {
            return own.get();
        }
        String identity = namespace + "." + workload(environment);
        return identity.length() <= ObjectNames.MAX_LABEL
                ? identity
                : identity.substring(0, ObjectNames.MAX_LABEL - 9)
                        + "-"
                        + ObjectNames.hash(identity);
    }

    /** The pod of a Job cannot be told by its name from that of a Deployment, so it is told. */
    private static String workload(Map<String, String> environment) {
        String told = environment.getOrDefault("WORKLOAD_NAME", "");
        if (!told.isEmpty()) {
            return told;
        }
        Matcher deployment = POD_OF_DEPLOYMENT.matcher(environment.getOrDefault("HOSTNAME", ""));
        return deployment.matches() ? deployment.group(1) : "volume-snapshotter";
    }
}
