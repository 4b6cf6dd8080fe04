package io.volumesnapshotter.snapshot;

import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.settings.ObjectNames;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The labels that snapshots carry, and the selectors that find them again.
 *
 * <p>{@code job} and {@code name} are those of the CronJob that this program replaces. The claim is
 * no label: its name can have 253 characters and a label value 63; it stands in {@code
 * spec.source}.
 */
public final class SnapshotLabels {

    public static final String JOB = "job";
    static final String NAME = "name";
    public static final String MANAGED_BY = "app.kubernetes.io/managed-by";
    public static final String SCHEDULE = "volume-snapshotter/schedule";
    public static final String RUN = "volume-snapshotter/run";

    /** Which of several installations took it; missing on what releases before 0.2 took. */
    public static final String INSTALLATION = "volume-snapshotter/installation";

    /**
     * Of claims, pods and snapshots that a drill, a browse or a deep look made and removes again.
     */
    public static final String TRIAL = "volume-snapshotter/trial";

    public static final String PROGRAM = "volume-snapshotter";

    /** Those that the program reads. */
    static final List<String> READ = List.of(JOB, MANAGED_BY, SCHEDULE, RUN, INSTALLATION, TRIAL);

    private SnapshotLabels() {}

    /** The labels as a selector, in the syntax of the API. */
    public static String selector(Map<String, String> labels) {
        return labels.entrySet().stream()
                .map(label -> label.getKey() + "=" + label.getValue())
                .collect(Collectors.joining(","));
    }

    /** Whether a label is one that the program puts on by itself. */
    public static boolean isOwn(String key) {
        return key.equals(JOB)
                || key.equals(NAME)
                || key.equals(MANAGED_BY)
                || key.startsWith(PROGRAM + "/");
    }

    /** Those of a snapshot's labels that the program reads. */
    static Map<String, String> own(ApiObject snapshot) {
        Map<String, String> own = new HashMap<>();
        for (String key : READ) {
            String value = snapshot.text(ApiObject.label(key));
            if (value != null) {
                own.put(key, value.intern());
            }
        }
        return Map.copyOf(own);
    }

    /**
     * All labels of a new snapshot. {@code name} is left out where it would be too long.
     *
     * @param installation identity of the installation that takes it
     */
    public static Map<String, String> of(
            String snapshot, String schedule, String run, String installation) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put(JOB, PROGRAM);
        if (snapshot.length() <= ObjectNames.MAX_LABEL) {
            labels.put(NAME, snapshot);
        }
        labels.put(MANAGED_BY, PROGRAM);
        labels.put(SCHEDULE, schedule);
        labels.put(RUN, run);
        labels.put(INSTALLATION, installation);
        return labels;
    }

    /** Whether a snapshot is one of the CronJob that this program replaces. */
    public static boolean isOfTheOriginal(Map<String, String> labels) {
        return PROGRAM.equals(labels.get(JOB)) && !labels.containsKey(SCHEDULE);
    }

    /** Whether a snapshot is one of this program's, of whatever schedule. */
    public static boolean isOfTheProgram(Map<String, String> labels) {
        return PROGRAM.equals(labels.get(MANAGED_BY));
    }

    /** Selects the snapshots of one run. */
    public static Map<String, String> ofRun(String schedule, String run) {
        Map<String, String> labels = ofSchedule(schedule);
        labels.put(RUN, run);
        return labels;
    }

    /** Selects the snapshots of one schedule. */
    public static Map<String, String> ofSchedule(String schedule) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put(JOB, PROGRAM);
        labels.put(MANAGED_BY, PROGRAM);
        labels.put(SCHEDULE, schedule);
        return labels;
    }
}
