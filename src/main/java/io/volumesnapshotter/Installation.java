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
     * Deployment, as the pod's name has it.
     *
     * @param namespace the namespace that the program runs in
     */
    static String of(Settings settings, Map<String, String> environment, String namespace) {
        Optional<String> own = settings.get(ProgramSettings.INSTALLATION);
        if (own.isPresent()) {
            return own.get();
        }
        String pod = environment.getOrDefault("HOSTNAME", "");
        Matcher deployment = POD_OF_DEPLOYMENT.matcher(pod);
        String name = deployment.matches() ? deployment.group(1) : "volume-snapshotter";
        String identity = namespace + "." + name;
        return identity.length() <= ObjectNames.MAX_LABEL
                ? identity
                : identity.substring(0, ObjectNames.MAX_LABEL - 9)
                        + "-"
                        + ObjectNames.hash(identity);
    }
}
