package io.volumesnapshotter.observe;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import javax.management.JMX;
import javax.management.MBeanServer;
import org.apache.camel.health.HealthCheckHelper;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A schedule is seen and told what to do by JMX. */
class ScheduleMXBeanTest {

    private static final String EVERY_TWO_SECONDS = "*/2 * * * * ?";
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");
    private static final MBeanServer JMX_SERVER = ManagementFactory.getPlatformMBeanServer();

    @TempDir private Path routes;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "logs");

    private static ScheduleMXBean bean(String schedule) {
        await().until(() -> isShown(schedule));
        return JMX.newMXBeanProxy(
                JMX_SERVER, Management.name("Schedule", schedule), ScheduleMXBean.class);
    }

    private Program start(Map<String, String> settings) {
        return Program.of(cluster).with(settings).shownByJmx().start();
    }

    private static boolean isShown(String schedule) {
        return JMX_SERVER.isRegistered(Management.name("Schedule", schedule));
    }

    private static List<String> lines(Program program, String words) {
        return program.told(Level.INFO).stream().filter(line -> line.contains(words)).toList();
    }

    @Test
    void itShowsWhenItIsDueAndWhatItDoes() {
        try (Program program =
                start(
                        Map.of(
                                "claims", "data",
                                "schedule", "0 3 * * *",
                                "time-zone", "Europe/Berlin",
                                "keep-last", "7"))) {
            ScheduleMXBean bean = bean("hourly");
            assertThat(bean.getCron()).isEqualTo("0 0 3 * * ?");
            assertThat(bean.getTimeZone()).isEqualTo("Europe/Berlin");
            assertThat(bean.getNextFireTimes()).hasSize(5).doesNotHaveDuplicates().isSorted();
            assertThat(bean.getPolicy())
                    .containsEntry("keep-last", "7")
                    .containsEntry("claims", "data");
            assertThat(bean.isSuspended()).isFalse();
            assertThat(program.context().isStarted()).isTrue();
        }
    }

    @Test
    void aSnapshotThatIsGoneAgainIsNoLastSuccess() {
        var snapshots =
                cluster.admin()
                        .genericKubernetesResources("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                        .inNamespace(NAMESPACE);
        try (Program program = start(Map.of("claims", "data"))) {
            ScheduleMXBean bean = bean("hourly");
            cluster.faults()
                    .hook(
                            Faults.Boundary.ARRIVED,
                            request ->
                                    request.is("list")
                                            && !request.labelSelector().contains("run=")
                                            && !snapshots.list().getItems().isEmpty(),
                            1,
                            request -> snapshots.delete());
            program.fire(TEN);
            assertThat(bean.getLastSuccess()).containsEntry("apps/data", "never");
        }
    }

    @Test
    void itShowsWhatBecameOfEachClaimInTheLastRun() {
        String words = "Failed to take snapshot: rpc error: code = InvalidArgument desc = no";
        cluster.driver().fails("logs", words);
        Instant before = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        try (Program program = start(Map.of("claims", "data,logs"))) {
            program.fire(TEN);
            ScheduleMXBean bean = bean("hourly");
            assertThat(bean.getLastRun())
                    .containsEntry("name", "hourly-20261122100000")
                    .containsEntry("outcome", "failure");
            assertThat(bean.getLastRunClaims())
                    .containsEntry("apps/data", "ready")
                    .containsEntry("apps/logs", words);
            assertThat(bean.getLastSuccess()).containsEntry("apps/logs", "never");
            assertThat(Instant.parse(bean.getLastSuccess().get("apps/data")))
                    .isAfterOrEqualTo(before);
            assertThat(bean.getRunning()).isNull();
        }
    }

    @Test
    void aRunIsStartedFromIt() {
        try (Program program = start(Map.of("claims", "data"))) {
            assertThat(bean("hourly").runNow()).matches("hourly-\\d{14} starts");
            await().until(() -> lines(program, "succeeded, 1 of 1").size() == 1);
        }
    }

    @Test
    void noSecondRunIsStartedFromItWhileOneGoesOn() {
        cluster.driver().neverReady();
        try (Program program = start(Map.of("claims", "data"))) {
            ScheduleMXBean bean = bean("hourly");
            bean.runNow();
            assertThatThrownBy(bean::runNow).hasMessageContaining("has not ended yet");
            cluster.driver().heal();
            await().until(() -> !lines(program, "succeeded, 1 of 1").isEmpty());
            await().until(() -> bean.getRunning() == null);
            await().ignoreExceptions().until(() -> bean.runNow().endsWith(" starts"));
        }
    }

    @Test
    void ofTheFiresThatASuspendedScheduleMissesOnlyTheLastIsMadeUp() {
        try (Program program = start(Map.of("claims", "data", "schedule", EVERY_TWO_SECONDS))) {
            ScheduleMXBean bean = bean("hourly");
            await().until(() -> !lines(program, "succeeded").isEmpty());
            bean.suspend();
            Instant suspended = Instant.now();
            int before = lines(program, "hourly: suspended").size();
            await().until(() -> lines(program, "hourly: suspended").size() >= before + 3);
            Instant resumed = Instant.now();
            bean.resume();
            await().until(() -> started(program).stream().anyMatch(due -> due.isAfter(resumed)));
            assertThat(started(program))
                    .filteredOn(due -> due.isAfter(suspended))
                    .filteredOn(due -> due.isBefore(resumed))
                    .hasSizeLessThanOrEqualTo(1);
        }
    }

    private static List<Instant> started(Program program) {
        return lines(program, ": starts").stream()
                .map(line -> line.replaceAll(".*-(\\d{14}): starts.*", "$1"))
                .map(time -> LocalDateTime.parse(time, TIME).toInstant(ZoneOffset.UTC))
                .toList();
    }

    @Test
    void aSuspendedScheduleIsReadyAndDoesNotRunNow() {
        try (Program program = start(Map.of("claims", "data"))) {
            ScheduleMXBean bean = bean("hourly");
            bean.suspend();
            assertThat(bean.isSuspended()).isTrue();
            assertThat(
                            HealthCheckHelper.isResultsUp(
                                    HealthCheckHelper.invokeReadiness(program.context()), true))
                    .isTrue();
            assertThatThrownBy(bean::runNow).hasMessageContaining("\"hourly\" is suspended");
            program.fire(TEN);
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
    }

    @Test
    void aFailedRunOfASuspendedScheduleIsNotReplayed() {
        cluster.driver().fails("out of order: code = InvalidArgument");
        try (Program program = start(Map.of("claims", "data"))) {
            program.fire(TEN);
            bean("hourly").suspend();
            FailuresMXBean failures =
                    JMX.newMXBeanProxy(
                            JMX_SERVER, Management.name("Failures"), FailuresMXBean.class);
            assertThatThrownBy(() -> failures.replay("hourly-20261122100000"))
                    .hasMessageContaining("\"hourly\" is suspended");
        }
    }

    @Test
    void aScheduleThatItsSettingsSuspendIsNotResumed() {
        try (Program program = start(Map.of("claims", "data", "suspend", "true"))) {
            assertThat(program.context().isStarted()).isTrue();
            assertThatThrownBy(bean("hourly")::resume).hasMessageContaining("suspend: true");
        }
    }

    @Test
    void aPlanSaysWhatARunWouldDoAndOnlyReads() {
        try (Program program = start(Map.of("claims", "data"))) {
            program.fire(TEN);
            ScheduleMXBean bean = bean("hourly");
            cluster.log().clear();
            assertThat(bean.plan().lines())
                    .hasSize(3)
                    .anyMatch(line -> line.matches("apps/data: take data-hourly-\\d{14}"))
                    .anyMatch(
                            line -> line.matches("apps/data: keep data-hourly-\\d{14}: .*newest.*"))
                    .contains("apps/data: delete data-hourly-20261122100000: no rule keeps it");
            assertThat(cluster.log().count("list")).isEqualTo(1);
            assertThat(cluster.log().count(entry -> true)).isEqualTo(1);
        }
    }

    @Test
    void itStaysWhenItsRouteIsExchangedAndGoesWithIt() throws Exception {
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(routes, "other");
        try (Program program = start(Map.of("claims", "data", "routes", routes.toString()))) {
            ScheduleMXBean bean = bean("other");
            bean.suspend();
            Path file = routes.resolve("other" + RouteFiles.SUFFIX);
            PluginHelper.getRoutesLoader(program.context())
                    .updateRoutes(
                            ResourceHelper.fromString(
                                    "file:" + file,
                                    Files.readString(file)
                                            .replace(
                                                    "{{cron:{{snapshotter.schedule}}}}",
                                                    "0 0 5 * * ?")));
            assertThat(bean.getCron()).isEqualTo("0 0 5 * * ?");
            assertThat(bean.isSuspended()).isTrue();
            program.context().getRouteController().stopRoute("other");
            program.context().removeRoute("other");
            program.pass(Duration.ofMinutes(1));
            await().until(() -> !isShown("other"));
            assertThat(isShown("hourly")).isTrue();
        }
    }
}
