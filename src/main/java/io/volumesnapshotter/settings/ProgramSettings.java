package io.volumesnapshotter.settings;

import io.volumesnapshotter.settings.Setting.Group;
import io.volumesnapshotter.settings.Setting.Type;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The settings of the whole program, which no schedule has for itself. */
public final class ProgramSettings {

    private static final int MAX_CLAIMS = 1_000_000;

    private static final List<Setting<?>> ALL = new ArrayList<>();

    public static final Setting<String> SCHEDULE =
            setting(
                    "schedule",
                    Type.text(Settings::text),
                    "@hourly",
                    "when `hourly` fires: five cron fields, six or seven of Quartz, or `@hourly`,"
                            + " `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`");

    public static final Setting<ZoneId> TIME_ZONE =
            setting(
                    "time-zone",
                    Type.text(Settings::zone),
                    "UTC",
                    "time zone of that cron expression");

    public static final Setting<Optional<String>> INSTALLATION =
            empty(
                    "installation",
                    Type.text(Settings::labelValue),
                    "namespace and name of the Deployment",
                    "identity of this installation, a label on its snapshots; it touches only its"
                            + " own");

    public static final Setting<OptionalInt> CREATIONS_PER_STORAGE_CLASS =
            empty(
                    "creations-per-storage-class",
                    Type.number(Settings::optionalAtLeastOne),
                    "any number",
                    "how many snapshots of claims of one storage class are under way at a time, over"
                            + " all schedules, until they are ready or have failed");

    public static final Setting<OptionalInt> DELETIONS_PER_STORAGE_CLASS =
            empty(
                    "deletions-per-storage-class",
                    Type.number(Settings::optionalAtLeastOne),
                    "any number",
                    "how many snapshots of claims of one storage class are being deleted at a time,"
                            + " over all schedules, until they are gone");

    public static final Setting<Optional<String>> PROOFS =
            setting(
                    "proofs",
                    Type.text(Settings::objectName),
                    "volume-snapshotter-proofs",
                    "name of the ConfigMap, in the namespace that the program runs in, in which"
                            + " schedules keep what they have drilled");

    public static final Setting<Integer> METRICS_CLAIMS =
            setting(
                    "metrics-claims",
                    Type.number((settings, name) -> settings.wholeNumber(name, 0, MAX_CLAIMS)),
                    "1000",
                    "how many claims have metrics of their own; the others of a namespace are shown"
                            + " as one");

    public static final Setting<String> ROUTES =
            setting("routes", Type.text(Settings::text), "routes", "directory of the route files");

    public static final Setting<Boolean> ROUTES_RELOAD =
            setting(
                    "routes-reload",
                    Type.flag(Settings::flag),
                    "true",
                    "whether edits of the route files take effect while the program runs");

    public static final Setting<Duration> ROUTES_POLL_INTERVAL =
            setting(
                    "routes-poll-interval",
                    Type.duration(Settings::duration),
                    "5s",
                    "how often the program looks for edits");

    public static final Setting<String> DATA_SOURCES =
            setting(
                    "data-sources",
                    Type.text(Settings::text),
                    "/etc/volume-snapshotter/data-sources",
                    "directory with a folder for each database that hooks freeze, as a mounted"
                            + " Secret makes it: `url`, `username` and `password`");

    public static final Setting<String> LOG_FORMAT =
            setting(
                    "log-format",
                    Type.text((settings, name) -> settings.oneOf(name, List.of("text", "json"))),
                    "text",
                    "how log lines are written, `text` or `json`; only the environment and system"
                            + " properties can say");

    public static final Setting<String> LOG_LEVEL =
            setting(
                    "log-level",
                    Type.text(Settings::text),
                    "info",
                    "from which level on the program's own lines are logged: `off`, `error`, `warn`,"
                            + " `info`, `debug`, `trace`; only the environment and system properties"
                            + " can say");

    public static final Setting<Boolean> LEADER_ELECTION =
            setting(
                    "leader-election",
                    Type.flag(Settings::flag),
                    "false",
                    "whether one of several replicas leads, and only it fires");

    public static final Setting<Optional<String>> LEASE_NAME =
            setting(
                    "lease-name",
                    Type.text(Settings::objectName),
                    "volume-snapshotter",
                    "name of the Lease, in the namespace that the program runs in");

    public static final Setting<Duration> LEASE_DURATION =
            setting(
                    "lease-duration",
                    Type.duration(Settings::duration),
                    "15s",
                    "how long a leader that is gone still counts as one, in whole seconds");

    public static final Setting<Duration> RENEW_DEADLINE =
            setting(
                    "renew-deadline",
                    Type.duration(Settings::duration),
                    "10s",
                    "how long the leader tries to renew the Lease before it steps down; shorter than"
                            + " `lease-duration`");

    public static final Setting<Duration> RETRY_PERIOD =
            setting(
                    "retry-period",
                    Type.duration(Settings::duration),
                    "2s",
                    "wait between two tries; up to 2.2 times as long while another leads, and"
                            + " `renew-deadline` must be longer than that");

    public static final Setting<String> JOLOKIA_TLS =
            empty(
                    "jolokia-tls",
                    Type.text(Settings::text),
                    Setting.NONE,
                    "directory with `tls.crt`, `tls.key` and `ca.crt`; Jolokia over TLS is off"
                            + " without it");

    public static final Setting<String> JOLOKIA_TLS_CLIENT =
            empty(
                    "jolokia-tls-client",
                    Type.text(Settings::text),
                    Setting.NONE,
                    "what the subject of Hawtio Online's certificate must contain, such as"
                            + " `CN=hawtio-online.hawtio.svc`");

    public static final Setting<Integer> JOLOKIA_TLS_LISTEN =
            setting(
                    "jolokia-tls-listen",
                    Type.number((settings, name) -> settings.wholeNumber(name, 0, 65_535)),
                    "8778",
                    "port on which Jolokia listens");

    private ProgramSettings() {}

    /** All of them, in the order of the tables. */
    public static List<Setting<?>> all() {
        return Collections.unmodifiableList(ALL);
    }

    private static <T> Setting<T> empty(String name, Type<T> type, String without, String meaning) {
        return add(new Setting<>(name, type, "", without, Group.ALONE, meaning));
    }

    private static <T> Setting<T> setting(String name, Type<T> type, String value, String meaning) {
        return add(new Setting<>(name, type, value, Setting.NONE, Group.ALONE, meaning));
    }

    private static <T> Setting<T> add(Setting<T> setting) {
        ALL.add(setting);
        return setting;
    }
}
