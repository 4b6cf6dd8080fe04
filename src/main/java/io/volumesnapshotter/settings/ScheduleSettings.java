package io.volumesnapshotter.settings;

import io.volumesnapshotter.settings.Setting.Group;
import io.volumesnapshotter.settings.Setting.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The settings of a schedule: the parameters of a step {@code policy:}, and with {@link
 * Settings#PREFIX} the program's defaults for all schedules. They stand in the order of the tables.
 */
public final class ScheduleSettings {

    private static final int MAX_CONCURRENCY = 100;

    private static final List<Setting<?>> ALL = new ArrayList<>();

    public static final Setting<List<String>> NAMESPACE =
            empty(
                    "namespace",
                    Type.text(Settings::namespaces),
                    "the program's",
                    Group.WHERE,
                    "namespaces of the claims, separated by commas; `*`: all; `team-*,!team-test`: by"
                            + " patterns");

    public static final Setting<Optional<String>> NAMESPACE_SELECTOR =
            empty(
                    "namespace-selector",
                    Type.text(Settings::labelSelector),
                    Group.WHERE,
                    "namespaces of the claims by their labels");

    public static final Setting<List<String>> CLAIMS =
            empty(
                    "claims",
                    Type.text(Settings::claims),
                    Group.WHICH,
                    "names of the claims, separated by commas; `*`: all; `data-*,!data-tmp-*`: by patterns");

    public static final Setting<Optional<String>> CLAIM_SELECTOR =
            empty(
                    "claim-selector",
                    Type.text(Settings::labelSelector),
                    Group.WHICH,
                    "claims by their labels, in kubectl's syntax: `app in (db,cache),tier!=scratch`");

    public static final Setting<List<String>> STORAGE_CLASS =
            empty(
                    "storage-class",
                    Type.text(Settings::objectNames),
                    "any",
                    Group.WHICH,
                    "claims by their storage classes, separated by commas");

    public static final Setting<Boolean> OPT_IN =
            setting(
                    "opt-in",
                    Type.flag(Settings::flag),
                    "false",
                    Group.WHICH,
                    "whether only claims are selected that ask for it by the annotation"
                            + " `volume-snapshotter/snapshot`");

    public static final Setting<Optional<Duration>> SKIP_UNUSED =
            empty(
                    "skip-unused",
                    Type.text(Settings::optionalHoursAndDays),
                    Group.WHICH,
                    "claims that no pod has used for so long are left out: `30d`; only where the"
                            + " cluster says so by the condition `Unused`");

    public static final Setting<Boolean> READ_CLAIMS =
            setting(
                    "read-claims",
                    Type.flag(Settings::flag),
                    "false",
                    Group.ALONE,
                    "whether claims that are named are read, so that their snapshots say what a"
                            + " restore needs once the claim is gone");

    public static final Setting<Optional<String>> SNAPSHOT_CLASS_NAME =
            empty(
                    "snapshot-class-name",
                    Type.text(Settings::objectName),
                    Group.SNAPSHOT_CLASS,
                    "VolumeSnapshotClass of all snapshots; without it the claim's, else the driver's,"
                            + " else the cluster's default");

    public static final Setting<Map<String, String>> SNAPSHOT_CLASS_BY_DRIVER =
            empty(
                    "snapshot-class-by-driver",
                    Type.text(Settings::objectNameMap),
                    Group.SNAPSHOT_CLASS,
                    "VolumeSnapshotClass by CSI driver, for claims that are not named:"
                            + " `driver=class,driver=class`");

    public static final Setting<Map<String, String>> LABELS =
            empty(
                    "labels",
                    Type.text(Settings::labels),
                    Group.ALONE,
                    "labels of your own to put on snapshots: `team=shop,tier=gold`");

    public static final Setting<Map<String, String>> ANNOTATIONS =
            empty(
                    "annotations",
                    Type.text(Settings::annotations),
                    Group.ALONE,
                    "annotations of your own to put on snapshots: `owner=jo,note=weekly`");

    public static final Setting<Optional<Duration>> JITTER =
            empty(
                    "jitter",
                    Type.duration(Settings::optionalDuration),
                    Group.ALONE,
                    "over how long the creations of a run are spread, each claim at a time of its own");

    public static final Setting<Integer> CONCURRENCY =
            setting(
                    "concurrency",
                    Type.number((settings, name) -> settings.wholeNumber(name, 1, MAX_CONCURRENCY)),
                    "4",
                    Group.ALONE,
                    "how many creations of a run are under way at a time, 1 to " + MAX_CONCURRENCY);

    public static final Setting<Duration> STARTING_DEADLINE =
            setting(
                    "starting-deadline",
                    Type.duration(Settings::duration),
                    "15m",
                    Group.ALONE,
                    "how old a missed fire time may be to be made up; an older one is a failure");

    public static final Setting<Boolean> SUSPEND =
            setting(
                    "suspend",
                    Type.flag(Settings::flag),
                    "false",
                    Group.ALONE,
                    "whether the schedule neither takes nor prunes for now");

    public static final Setting<OptionalInt> KEEP_LAST =
            setting(
                    "keep-last",
                    Type.number(Settings::optionalAtLeastOne),
                    "1",
                    Group.KEEP_RULES,
                    "how many of the newest ready snapshots of a claim stay; a snapshot stays if any"
                            + " keep rule keeps it");

    public static final Setting<Optional<Duration>> KEEP_WITHIN =
            empty(
                    "keep-within",
                    Type.text(Settings::optionalHoursAndDays),
                    Group.KEEP_RULES,
                    "all that are less than this older than the newest stay: `12h`, `7d`, `1d12h`");

    public static final Setting<OptionalInt> KEEP_HOURLY =
            period("keep-hourly", "of how many hours that have a snapshot the newest one stays");

    public static final Setting<OptionalInt> KEEP_DAILY =
            period("keep-daily", "of how many days that have a snapshot the newest one stays");

    public static final Setting<OptionalInt> KEEP_WEEKLY =
            period(
                    "keep-weekly",
                    "of how many weeks, from Monday, that have a snapshot the newest one stays");

    public static final Setting<OptionalInt> KEEP_MONTHLY =
            period("keep-monthly", "of how many months that have a snapshot the newest one stays");

    public static final Setting<OptionalInt> KEEP_YEARLY =
            period("keep-yearly", "of how many years that have a snapshot the newest one stays");

    public static final Setting<OptionalInt> KEEP_FAILED =
            setting(
                    "keep-failed",
                    Type.number(Settings::optionalAtLeastZero),
                    "1",
                    Group.ALONE,
                    "how many snapshots that never became ready stay to be looked at");

    public static final Setting<Boolean> ADOPT =
            setting(
                    "adopt",
                    Type.flag(Settings::flag),
                    "false",
                    Group.ALONE,
                    "whether the claims' snapshots that the original CronJob took count and go as if"
                            + " the schedule had taken them");

    public static final Setting<Optional<String>> PRUNE_ONLY =
            empty(
                    "prune-only",
                    Type.text(Settings::labelSelector),
                    Group.ALONE,
                    "selects snapshots of other tools by their labels; then none are taken, and the"
                            + " keep rules apply to these");

    public static final Setting<Optional<String>> QUIESCE =
            empty(
                    "quiesce",
                    Type.text(Settings::objectName),
                    Group.QUIESCE,
                    "how the application is frozen while storage cuts: by the routes `freeze-…` and"
                            + " `thaw-…` of this name");

    public static final Setting<Optional<String>> DATA_SOURCE =
            empty(
                    "data-source",
                    Type.text(Settings::objectName),
                    Group.QUIESCE,
                    "folder in `snapshotter.data-sources` that says where the database is and who"
                            + " logs in");

    public static final Setting<Duration> FREEZE_TIMEOUT =
            setting(
                    "freeze-timeout",
                    Type.duration(Settings::duration),
                    "30s",
                    Group.ALONE,
                    "how long a freeze may last; a snapshot that storage has not cut by then is not"
                            + " consistent, which is a failure");

    public static final Setting<Duration> READY_TIMEOUT =
            setting(
                    "ready-timeout",
                    Type.duration(Settings::duration),
                    "15m",
                    Group.ALONE,
                    "how long a snapshot may take to become ready, counted from when the driver"
                            + " starts on it");

    public static final Setting<Duration> POLL_INTERVAL =
            setting(
                    "poll-interval",
                    Type.duration(Settings::duration),
                    "1s",
                    Group.ALONE,
                    "wait before the first look whether snapshots are ready; each further wait is"
                            + " half as long again");

    public static final Setting<Duration> MAX_POLL_INTERVAL =
            setting(
                    "max-poll-interval",
                    Type.duration(Settings::duration),
                    "30s",
                    Group.ALONE,
                    "longest wait between two looks");

    private ScheduleSettings() {}

    /** All of them, in the order of the tables. */
    public static List<Setting<?>> all() {
        return Collections.unmodifiableList(ALL);
    }

    /** The names of all of them. */
    public static Set<String> names() {
        return ALL.stream().map(Setting::name).collect(Collectors.toUnmodifiableSet());
    }

    /** Whether a schedule that has one of two settings does not inherit the other. */
    public static boolean exclude(String own, String other) {
        Group group = group(own);
        return group != Group.ALONE && group == group(other);
    }

    private static Group group(String name) {
        return ALL.stream()
                .filter(setting -> setting.name().equals(name))
                .map(Setting::group)
                .findAny()
                .orElse(Group.ALONE);
    }

    private static Setting<OptionalInt> period(String name, String meaning) {
        return empty(name, Type.number(Settings::optionalAtLeastOne), Group.KEEP_RULES, meaning);
    }

    private static <T> Setting<T> empty(String name, Type<T> type, Group group, String meaning) {
        return empty(name, type, Setting.NONE, group, meaning);
    }

    private static <T> Setting<T> empty(
            String name, Type<T> type, String without, Group group, String meaning) {
        return add(new Setting<>(name, type, "", without, group, meaning));
    }

    private static <T> Setting<T> setting(
            String name, Type<T> type, String value, Group group, String meaning) {
        return add(new Setting<>(name, type, value, Setting.NONE, group, meaning));
    }

    private static <T> Setting<T> add(Setting<T> setting) {
        ALL.add(setting);
        return setting;
    }
}
