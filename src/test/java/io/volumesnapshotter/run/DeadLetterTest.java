package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.api.model.Event;
import io.volumesnapshotter.observe.FailuresMXBean;
import io.volumesnapshotter.observe.Management;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.schedule.ScheduleRegistry;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.management.JMX;
import javax.management.MBeanServer;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a failure is told, and that it is well again: log, Event, notification. */
class DeadLetterTest {

    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");
    private static final Instant TWELVE = Instant.parse("2026-11-22T12:00:00Z");

    private static final String UNSUPPORTED = "rpc error: code = Unimplemented desc = no snapshots";

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @Test
    void aFailureIsAWarningEventOfItsClaim() {
        grantEvents();
        cluster.driver().fails("db", UNSUPPORTED);
        try (Program program = Program.start(cluster, "data,db")) {
            program.fire(TEN);
            Event event = await().until(() -> event("SnapshotFailed"), e -> e != null);
            assertThat(event.getType()).isEqualTo("Warning");
            assertThat(event.getMessage())
                    .contains("db-hourly-20261122100000", UNSUPPORTED, " -> ");
            assertThat(event.getInvolvedObject())
                    .extracting("kind", "namespace", "name", "uid")
                    .containsExactly("PersistentVolumeClaim", NAMESPACE, "db", uid("db"));
            assertThat(event.getSource().getComponent()).isEqualTo("volume-snapshotter");
            assertThat(event.getCount()).isEqualTo(1);
        }
    }

    @Test
    void aFailureThatRepeatsRaisesTheCountOfItsEvent() {
        grantEvents();
        cluster.driver().fails("db", UNSUPPORTED);
        try (Program program = Program.start(cluster, "db")) {
            program.fire(NINE);
            program.fire(TEN);
            program.fire(ELEVEN);
            await().untilAsserted(
                            () ->
                                    assertThat(events())
                                            .singleElement()
                                            .extracting(Event::getCount)
                                            .isEqualTo(3));
        }
        assertThat(events().get(0).getMessage()).contains("db-hourly-20261122110000");
    }

    @Test
    void withoutTheRightToWriteEventsItSaysSoOnceAndRunsOn() {
        cluster.driver().fails("db", UNSUPPORTED);
        try (Program program = Program.start(cluster, "data,db")) {
            program.fire(TEN);
            await().until(() -> linesWith(program, "no Events are written").size() == 1);
            program.fire(ELEVEN);
            cluster.driver().heal();
            program.fire(TWELVE);
            assertThat(linesWith(program, "no Events are written"))
                    .singleElement()
                    .asString()
                    .contains("cannot create resource \"events\"", "k8s/components/events");
            assertThat(linesWith(program, "hourly-20261122120000: succeeded")).hasSize(1);
        }
    }

    @Test
    void aRecoveryIsToldOnceInLogEventAndNotification() throws Exception {
        grantEvents();
        cluster.driver().fails("db", UNSUPPORTED);
        List<Failure> notified = new CopyOnWriteArrayList<>();
        try (Program program = startWithReceiver(notified, "data,db")) {
            program.fire(NINE);
            program.fire(TEN);
            cluster.driver().heal();
            program.fire(ELEVEN);
            program.fire(TWELVE);
            await().until(() -> notified.size() == 3);
            assertThat(linesWith(program, "recovered"))
                    .singleElement()
                    .asString()
                    .contains(
                            "hourly-20261122110000 apps/db: recovered:"
                                    + " db-hourly-20261122110000 is ready");
        }
        assertThat(notified).extracting(Failure::recovered).containsExactly(false, false, true);
        assertThat(notified)
                .extracting(Failure::failures)
                .describedAs("failures in a row")
                .containsExactly(1, 2, 2);
        assertThat(notified.get(2).firstAt()).isEqualTo(notified.get(0).lastAt());
        assertThat(event("SnapshotRecovered"))
                .extracting(Event::getType, Event::getCount)
                .containsExactly("Normal", 1);
    }

    @Test
    void aRecoveryIsToldAlsoWhenTheProgramWasStartedAnewInBetween() {
        Map<String, String> wrong =
                Map.of("snapshotter.claims", "db", "snapshotter.snapshot-class-name", "no-such");
        try (Program program = Program.start(cluster, wrong)) {
            program.fire(TEN);
        }
        try (Program program = Program.start(cluster, "db")) {
            program.fire(ELEVEN);
            assertThat(linesWith(program, "apps/db: recovered")).hasSize(1);
            program.fire(TWELVE);
            assertThat(linesWith(program, "apps/db: recovered")).hasSize(1);
        }
    }

    @Test
    void aSnapshotThatWasReadyInTimeIsNotToldAsLateWhenItsRunFailedInPruning() {
        Predicate<ApiRequest> deletes = request -> request.verb().equals("delete");
        Predicate<ApiRequest> creates = request -> request.is("create", "volumesnapshots");
        ApiAnswer invalid = ApiAnswer.status(422, "Invalid", "not so");
        try (Program program = Program.start(cluster, "db")) {
            program.fire(TEN);
            cluster.faults().answer(deletes, Faults.ALWAYS, invalid);
            program.fire(TEN.plusSeconds(3600));
            assertThat(program.told(Level.ERROR)).anyMatch(line -> line.contains("1 of 1 ready"));
            cluster.faults().answer(creates, Faults.ALWAYS, invalid);
            program.fire(TEN.plusSeconds(7200));
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("recovered"));
        }
    }

    @Test
    void aFailureHasAllThatAPersonNeedsToAct() throws Exception {
        cluster.faults()
                .answer(
                        request -> request.is("create", "volumesnapshots"),
                        Faults.ALWAYS,
                        ApiAnswer.status(422, "Invalid", "name is no good"));
        List<Failure> notified = new CopyOnWriteArrayList<>();
        try (Program program = startWithReceiver(notified, "db")) {
            program.fire(TEN);
            await().until(() -> notified.size() == 1);
        }
        assertThat(notified.get(0).fields())
                .containsEntry("schedule", "hourly")
                .containsEntry("run", "hourly-20261122100000")
                .containsEntry("namespace", NAMESPACE)
                .containsEntry("claim", "db")
                .containsEntry("snapshot", "db-hourly-20261122100000")
                .containsEntry("phase", "take-snapshot")
                .containsEntry("attempts", 1)
                .containsEntry("failures", 1)
                .containsEntry("reason", "name is no good")
                .containsEntry("remedy", "correct what it names")
                .containsEntry("recovered", false)
                .containsKeys("firstAt", "lastAt", "text");
    }

    @Test
    void aSnapshotThatBecomesReadyAfterItsDeadlineCountsAndIsToldAndPruningCatchesUp() {
        cluster.snapshot(
                NAMESPACE,
                "db-hourly-20261122090000",
                "db",
                SnapshotLabels.of(
                        "db-hourly-20261122090000",
                        "hourly",
                        "hourly-20261122090000",
                        Program.INSTALLATION),
                NINE);
        cluster.driver().neverReady();
        Map<String, String> settings =
                Map.of("snapshotter.claims", "db", "snapshotter.ready-timeout", "300ms");
        try (Program program = Program.start(cluster, settings)) {
            program.fire(TEN);
            assertThat(cluster.kept(NAMESPACE)).contains("db-hourly-20261122090000");
            cluster.driver().heal();
            await().until(() -> isReady("db-hourly-20261122100000"));
            cluster.driver().neverReady();
            program.fire(ELEVEN);
            assertThat(linesWith(program, "recovered"))
                    .singleElement()
                    .asString()
                    .contains("db-hourly-20261122100000 became ready after its run had given up");
            assertThat(linesWith(program, "hourly-20261122110000: failed")).hasSize(1);
            await().until(() -> !cluster.kept(NAMESPACE).contains("db-hourly-20261122090000"));
            assertThat(cluster.kept(NAMESPACE))
                    .contains("db-hourly-20261122100000", "db-hourly-20261122110000");
        }
    }

    @Test
    void withoutALateSuccessARunThatFailsDeletesNothing() {
        Stream.of(NINE, TEN)
                .map(time -> SnapshotNames.snapshot("db", "hourly", time))
                .forEach(
                        name ->
                                cluster.snapshot(
                                        NAMESPACE,
                                        name,
                                        "db",
                                        SnapshotLabels.of(
                                                name, "hourly", "hourly-1", Program.INSTALLATION),
                                        NINE));
        cluster.driver().neverReady();
        Map<String, String> settings =
                Map.of("snapshotter.claims", "db", "snapshotter.ready-timeout", "300ms");
        try (Program program = Program.start(cluster, settings)) {
            program.fire(ELEVEN);
            program.fire(TWELVE);
        }
        assertThat(cluster.log().count("delete")).isZero();
    }

    @Test
    void anOutageIsToldOnceForAllClaimsOfARun() {
        cluster.faults()
                .answer(
                        request -> request.is("create", "volumesnapshots"),
                        Faults.ALWAYS,
                        ApiAnswer.status(503, "ServiceUnavailable", "etcd is away"));
        Map<String, String> settings =
                Map.of(
                        "snapshotter.claims", "data,db",
                        "snapshotter.routes", impatient().toString(),
                        "snapshotter.ready-timeout", "500ms");
        try (Program program = Program.start(cluster, settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .hasSize(2)
                    .anyMatch(line -> line.contains("etcd is away"))
                    .anyMatch(
                            line ->
                                    line.equals(
                                            "hourly-20261122100000: failed, 0 of 2 ready, failed:"
                                                    + " apps/data, apps/db"));
        }
    }

    @Test
    void aClaimWhoseCreationIsSentUntilTheRunIsOverIsToldOnce() {
        cluster.faults()
                .answer(
                        request -> request.is("create", "volumesnapshots"),
                        Faults.ALWAYS,
                        ApiAnswer.tooManyRequests(1));
        Map<String, String> settings =
                Map.of("snapshotter.claims", "db", "snapshotter.ready-timeout", "500ms");
        try (Program program = Program.start(cluster, settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .filteredOn(line -> line.startsWith("hourly-20261122100000 apps/db"))
                    .hasSize(1);
        }
    }

    @Test
    void aServerThatWantsALongerRestThanTheRunHasIsNotWaitedFor() {
        cluster.faults()
                .answer(
                        request -> request.is("create", "volumesnapshots"),
                        Faults.ALWAYS,
                        ApiAnswer.tooManyRequests(3600));
        try (Program program =
                Program.of(cluster).with("claims", "db").with("ready-timeout", "10s").start()) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .filteredOn(line -> line.startsWith("hourly-20261122100000 apps/db"))
                    .singleElement()
                    .asString()
                    .contains("take-snapshot failed", "Too many requests");
        }
    }

    @Test
    void aListForPruningThatFailsIsNotTheFailureOfAClaimThatIsStillAskedFor() {
        cluster.faults()
                .answer(
                        request ->
                                request.is("create", "volumesnapshots")
                                        && request.objectName().startsWith("db-"),
                        1,
                        ApiAnswer.tooManyRequests(2));
        cluster.faults()
                .answer(
                        request ->
                                request.verb().equals("list")
                                        && request.labelSelector().contains("schedule=")
                                        && !request.labelSelector().contains("run="),
                        Faults.ALWAYS,
                        ApiAnswer.status(422, "Invalid", "no such selector"));
        try (Program program = Program.start(cluster, "data,db", impatient())) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .isEqualTo(
                            "hourly-20261122100000: prune-snapshots failed: no such selector ->"
                                    + " correct what it names");
            assertThat(program.told(Level.ERROR)).noneMatch(line -> line.contains("apps/db"));
            assertThat(program.told(Level.ERROR))
                    .hasSize(2)
                    .last()
                    .asString()
                    .endsWith(": failed, 2 of 2 ready, failed: prune-snapshots");
        }
    }

    @Test
    void aNotificationThatFailsIsToldAndNothingElse() throws Exception {
        cluster.driver().fails("db", UNSUPPORTED);
        Path routes =
                routesWithNotify(
                        "- throwException: {exceptionType:"
                                + " java.lang.IllegalStateException, message: the receiver is away}");
        try (Program program = Program.start(cluster, "data,db", routes)) {
            program.fire(TEN);
            await().until(() -> linesWith(program, "notification failed").size() == 1);
            program.fire(ELEVEN);
            await().until(() -> linesWith(program, "notification failed").size() == 2);
            assertThat(linesWith(program, "notification failed"))
                    .allMatch(line -> line.endsWith(": the receiver is away"));
            assertThat(program.told(Level.ERROR)).hasSize(4);
        }
    }

    /** What a notify route of a user's own may call. */
    public record Receiver(List<Failure> notified) {

        public void add(Failure news) {
            notified.add(news);
        }
    }

    @Test
    void aClaimThatFailsInTwoPlacesAtOnceIsToldOnce() throws Exception {
        try (Program program = Program.start(cluster, "data")) {
            Schedule schedule =
                    PolicyComponent.scheduleOf(program.context(), "hourly").orElseThrow();
            Failures failures =
                    program.context().getRegistry().lookupByNameAndType("failures", Failures.class);
            Claim claim = new Claim(NAMESPACE, "data");
            ExecutorService threads = Executors.newFixedThreadPool(2);
            for (int i = 0; i < 500; i++) {
                Run run =
                        new Run(
                                new Firing(
                                        schedule,
                                        TEN.plusSeconds(i),
                                        ZoneOffset.UTC,
                                        Firing.Cause.REQUEST),
                                List.of(new Target(claim, Optional.empty(), Optional.empty())),
                                Optional.of(NAMESPACE),
                                Program.INSTALLATION,
                                InstantSource.system(),
                                InstantSource.system());
                Callable<Integer> fail =
                        () -> {
                            Exchange exchange = new DefaultExchange(program.context());
                            exchange.setVariable("run", run);
                            exchange.setException(
                                    new SnapshotFailedException(claim, "too late", "wait"));
                            return failures.report(exchange).failures().size();
                        };
                int told = 0;
                for (Future<Integer> letters : threads.invokeAll(List.of(fail, fail))) {
                    told += letters.get();
                }
                assertThat(told).isEqualTo(1);
            }
            threads.shutdown();
        }
    }

    @Test
    void aFailedRunIsReplayedFromJmxAndTakesNothingTwice() throws Exception {
        cluster.driver().fails("db", UNSUPPORTED);
        try (Program program = Program.of(cluster).with("claims", "data,db").shownByJmx().start()) {
            program.fire(TEN);
            MBeanServer jmx = ManagementFactory.getPlatformMBeanServer();
            FailuresMXBean failures =
                    JMX.newMXBeanProxy(jmx, Management.name("Failures"), FailuresMXBean.class);
            assertThat(failures.getOpen())
                    .singleElement()
                    .satisfies(
                            failure ->
                                    assertThat(failure)
                                            .containsEntry("claim", "db")
                                            .containsEntry("reason", UNSUPPORTED));
            assertThatThrownBy(() -> failures.replay("hourly-20261122090000"))
                    .hasMessageContaining("no run \"hourly-20261122090000\"");
            ScheduleRegistry schedules =
                    program.context().getComponent("policy", PolicyComponent.class).registry();
            schedules.suspend("hourly", true);
            assertThatThrownBy(() -> failures.replay("hourly-20261122100000"))
                    .hasMessageContaining("is suspended");
            schedules.suspend("hourly", false);
            cluster.driver().heal();
            cluster.log().clear();
            assertThat(failures.replay("hourly-20261122100000"))
                    .isEqualTo("hourly-20261122100000 is run again");
            await().until(() -> failures.getOpen().isEmpty());
            assertThat(failures.getRecent())
                    .extracting(failure -> failure.get("recovered"))
                    .containsExactly("false", "true");
            await().until(() -> linesWith(program, "succeeded, 2 of 2").size() == 1);
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isZero();
        assertThat(cluster.kept(NAMESPACE)).hasSize(2);
    }

    private Path impatient() {
        try {
            TestRoutes.copyTo(directory);
            Path file = directory.resolve("error-handling" + RouteFiles.SUFFIX);
            Files.writeString(
                    file,
                    Files.readString(file)
                            .replace("redeliveryDelay: \"1000\"", "redeliveryDelay: \"10\""));
            return directory;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private Path routesWithNotify(String step) throws Exception {
        Path routes = impatient();
        Files.writeString(
                routes.resolve("notify" + RouteFiles.SUFFIX),
                """
                - route:
                    id: notify
                    from:
                      uri: direct:notify
                      steps:
                        %s
                """
                        .formatted(step));
        return routes;
    }

    private Program startWithReceiver(List<Failure> notified, String claims) throws Exception {
        Path routes = routesWithNotify("- bean: {ref: receiver, method: add}");
        return Program.of(cluster)
                .with("claims", claims)
                .routes(routes)
                .bind("receiver", new Receiver(notified))
                .start();
    }

    private void grantEvents() {
        cluster.access().grant(NAMESPACE, "events", "create", "get", "update");
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get");
    }

    private List<Event> events() {
        return cluster.admin().v1().events().inNamespace(NAMESPACE).list().getItems().stream()
                .filter(event -> event.getSource().getComponent().equals("volume-snapshotter"))
                .toList();
    }

    private Event event(String reason) {
        return events().stream()
                .filter(event -> event.getReason().equals(reason))
                .findAny()
                .orElse(null);
    }

    private String uid(String claim) {
        return cluster.admin()
                .persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName(claim)
                .get()
                .getMetadata()
                .getUid();
    }

    private boolean isReady(String name) {
        return cluster.snapshots(NAMESPACE).stream()
                .anyMatch(snapshot -> snapshot.name().equals(name) && snapshot.ready());
    }

    private static List<String> linesWith(Program program, String words) {
        return program.told(Level.INFO).stream().filter(line -> line.contains(words)).toList();
    }
}
