package io.volumesnapshotter.settings;

import io.volumesnapshotter.settings.Setting.Group;
import io.volumesnapshotter.settings.Setting.Type;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The settings of a schedule that drills: the parameters of a step {@code drill:}. Which claims,
 * when it starts and whether it rests is said as in a step {@code policy:}, and inherited as there;
 * the others are its own.
 */
public final class DrillSettings {

    private static final int MAX_PER_RUN = 1000;
    private static final int MAX_UID = Integer.MAX_VALUE;

    /** Small, and has a shell, find and cat. */
    public static final String DEFAULT_IMAGE = "docker.io/library/busybox:1.37";

    /** The uid that nobody has. */
    public static final String DEFAULT_USER = "65535";

    public static final Setting<Duration> WITHIN =
            setting(
                    "within",
                    Type.duration(Settings::duration),
                    "7d",
                    "in what time each claim is to be proven once; a run drills as many claims as"
                            + " that takes");

    public static final Setting<Integer> MAX_DRILLS =
            setting(
                    "max-drills",
                    Type.number((settings, name) -> settings.wholeNumber(name, 1, MAX_PER_RUN)),
                    "10",
                    "how many claims a run drills at most, one after the other");

    public static final Setting<Duration> MAX_AGE =
            setting(
                    "max-age",
                    Type.duration(Settings::duration),
                    "26h",
                    "how old the data of a claim's newest snapshot may be when the drill begins");

    public static final Setting<String> IMAGE =
            setting(
                    "image",
                    Type.text(Settings::text),
                    DEFAULT_IMAGE,
                    "image of the pod that reads the data; it needs `/bin/sh`");

    public static final Setting<Optional<String>> SCRIPT =
            empty(
                    "script",
                    Type.text(
                            (settings, name) ->
                                    Optional.of(settings.text(name)).filter(s -> !s.isBlank())),
                    "reads each file to its end, and fails where there is none",
                    "what a shell runs as the check; the data is at `/data`");

    public static final Setting<Integer> USER =
            setting(
                    "user",
                    Type.number((settings, name) -> settings.wholeNumber(name, 1, MAX_UID)),
                    DEFAULT_USER,
                    "the uid that the check runs as, never 0");

    public static final Setting<Duration> CHECK_TIMEOUT =
            setting(
                    "check-timeout",
                    Type.duration(Settings::duration),
                    "10m",
                    "how long the check may take");

    public static final Setting<Duration> START_TIMEOUT =
            setting(
                    "start-timeout",
                    Type.duration(Settings::duration),
                    "10m",
                    "how long to wait for the volume, and then for the pod");

    public static final Setting<Optional<String>> RESTORE_STORAGE_CLASS =
            empty(
                    "restore-storage-class",
                    Type.text(Settings::objectName),
                    "that of the claim",
                    "storage class of the temporary claims; it has to delete volumes with their"
                            + " claims");

    public static final Setting<String> REPORT =
            empty(
                    "report",
                    Type.text(Settings::text),
                    Setting.NONE,
                    "directory that gets a report of each drill, as JSON and as a page");

    private static final List<Setting<?>> SHARED =
            List.of(
                    ScheduleSettings.NAMESPACE,
                    ScheduleSettings.NAMESPACE_SELECTOR,
                    ScheduleSettings.CLAIMS,
                    ScheduleSettings.CLAIM_SELECTOR,
                    ScheduleSettings.STORAGE_CLASS,
                    ScheduleSettings.OPT_IN,
                    ScheduleSettings.STARTING_DEADLINE,
                    ScheduleSettings.SUSPEND);

    private static final List<Setting<?>> OWN =
            List.of(
                    WITHIN,
                    MAX_DRILLS,
                    MAX_AGE,
                    IMAGE,
                    SCRIPT,
                    USER,
                    CHECK_TIMEOUT,
                    START_TIMEOUT,
                    RESTORE_STORAGE_CLASS,
                    REPORT);

    private DrillSettings() {}

    /** All of them, in the order of the table. */
    public static List<Setting<?>> all() {
        return Stream.concat(SHARED.stream(), OWN.stream()).toList();
    }

    /** Those that it inherits from the program's settings. */
    public static Set<String> inherited() {
        return SHARED.stream().map(Setting::name).collect(Collectors.toUnmodifiableSet());
    }

    private static <T> Setting<T> empty(String name, Type<T> type, String without, String meaning) {
        return new Setting<>(name, type, "", without, Group.ALONE, meaning);
    }

    private static <T> Setting<T> setting(String name, Type<T> type, String value, String meaning) {
        return new Setting<>(name, type, value, Setting.NONE, Group.ALONE, meaning);
    }
}
