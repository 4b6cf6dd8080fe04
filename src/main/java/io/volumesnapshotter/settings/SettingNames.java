package io.volumesnapshotter.settings;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which names of settings there are, and what is said of one that there is not. */
public final class SettingNames {

    private SettingNames() {}

    /**
     * Refuses environment variables that look like settings and are none.
     *
     * @throws InvalidSettingException for the first that is none
     */
    public static void checkEnvironment(Map<String, String> environment) {
        Set<String> variables =
                Stream.concat(ScheduleSettings.all().stream(), ProgramSettings.all().stream())
                        .map(Setting::variable)
                        .collect(Collectors.toSet());
        for (String name : new TreeSet<>(environment.keySet())) {
            // A Service named snapshotter sets variables that are not meant as settings.
            boolean ofService = name.endsWith("_SERVICE_HOST") || name.contains("_PORT");
            if (name.startsWith("SNAPSHOTTER_") && !ofService && !variables.contains(name)) {
                throw unknown(name, environment.get(name), name, variables);
            }
        }
    }

    /**
     * The mistake of a setting that there is not.
     *
     * @param place where it stands
     * @param value what it was set to
     * @param name as it was written
     * @param known those that there are
     */
    public static InvalidSettingException unknown(
            String place, String value, String name, Set<String> known) {
        return new InvalidSettingException(
                place,
                value,
                "there is no such setting; "
                        + Spelling.nearest(name, known)
                                .map(near -> "do you mean " + near + "? There are ")
                                .orElse("there are ")
                        + String.join(", ", new TreeSet<>(known)));
    }
}
