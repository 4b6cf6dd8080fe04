package io.volumesnapshotter.kubernetes;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.schedule.Cron;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.camel.Route;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Several replicas in this JVM: one leads, by a Lease, and only it fires. */
class LeaderElectionTest {

    private static final String LEASES = "leases.coordination.k8s.io";
    private static final String LEASE = "volume-snapshotter";
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    private static final Map<String, String> QUICK =
            Map.of(
                    "snapshotter.claims", "data",
                    "snapshotter.lease-duration", "3s",
                    "snapshotter.renew-deadline", "1500ms",
                    "snapshotter.retry-period", "100ms");

    /** Nobody takes over in the time of a test, unless the Lease is given back. */
    private static final Map<String, String> LONG =
            Map.of(
                    "snapshotter.claims", "data",
                    "snapshotter.lease-duration", "300s",
                    "snapshotter.renew-deadline", "200s",
                    "snapshotter.retry-period", "100ms");

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @BeforeEach
    void startCluster() {
        cluster.access().grant(NAMESPACE, LEASES, "create", "get", "patch");
    }

    @Test
    void oneOfTwoLeadsAndOnlyItFires() {
        Map<String, String> often = new HashMap<>(LONG);
        often.put("snapshotter.schedule", "*/2 * * * * ?");
        try (Program one = startReplica("pod-1", often);
                Program two = startReplica("pod-2", often)) {
            await().until(() -> created().size() >= 3);
            assertThat(leads(one)).isNotEqualTo(leads(two));
            assertThat(one.told(Level.WARN)).isEmpty();
            assertThat(one.told(Level.INFO))
                    .filteredOn(line -> line.contains(": starts"))
                    .doesNotHaveDuplicates();
        }
        assertThat(created()).doesNotHaveDuplicates();
    }

    @Test
    void aFireOnAReplicaThatStandsByDoesNotStart() {
        try (Program one = startReplica("pod-1", LONG)) {
            await().until(() -> leads(one));
            try (Program two = startReplica("pod-2", LONG)) {
                two.fireByTrigger(Instant.now());
                assertThat(two.told(Level.INFO)).noneMatch(line -> line.contains(": starts"));
                assertThat(two.told(Level.WARN)).isEmpty();
            }
        }
        assertThat(created()).isEmpty();
    }

    @Test
    void aCleanStopHandsOverAtOnce() {
        Program one = startReplica("pod-1", LONG);
        try (Program two = startReplicaAfter(one, "pod-2", LONG)) {
            assertThat(leads(two)).isFalse();
            one.close();
            await().until(() -> leads(two));
            assertThat(two.told(Level.INFO))
                    .contains(
                            "Lease apps/volume-snapshotter is free for another replica",
                            "pod-2 is the leader, by Lease apps/volume-snapshotter");
            assertThat(two.told(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aStopThatCutsARunOffHandsOverToo() {
        cluster.driver().neverReady();
        Map<String, String> hasty = new HashMap<>(LONG);
        hasty.put("camel.main.shutdown-timeout", "1");
        hasty.put("snapshotter.ready-timeout", "10m");
        Program one = startReplica("pod-1", hasty);
        await().until(() -> leads(one));
        CompletableFuture<Void> run = one.fireLater(TEN);
        await().until(() -> !created().isEmpty());
        assertThat(run).isNotDone();
        one.close();
        assertThat(holder()).isEmpty();
    }

    @Test
    void aLeaderThatIsCutOffIsReplacedAndNeverDoTwoLeadAtATime() {
        try (Program one = startReplica("pod-1", QUICK)) {
            await().until(() -> leads(one));
            cluster.rotateToken();
            try (Program two = startReplica("pod-2", QUICK)) {
                await().pollInterval(Duration.ofMillis(10))
                        .until(
                                () -> {
                                    // In this order: one that is asked first may have just lost it.
                                    boolean second = leads(two);
                                    assertThat(second && leads(one)).isFalse();
                                    return second;
                                });
                assertThat(one.told(Level.WARN))
                        .anyMatch(line -> line.startsWith("pod-1 is not the leader any more: "));
            }
        }
    }

    static Stream<Named<BiFunction<Faults, Boundary, Faults.Fault>>> troubles() {
        return Stream.of(
                answer(403, "Forbidden"),
                answer(409, "Conflict"),
                answer(500, "InternalError"),
                answer(503, "ServiceUnavailable"),
                Named.of(
                        "hang",
                        (faults, at) ->
                                faults.hold(at, LeaderElectionTest::isLease, Faults.ALWAYS)),
                Named.of(
                        "cut",
                        (faults, at) ->
                                faults.cut(at, LeaderElectionTest::isLease, Faults.ALWAYS)));
    }

    private static Named<BiFunction<Faults, Boundary, Faults.Fault>> answer(
            int code, String reason) {
        return Named.of(
                Integer.toString(code),
                (faults, at) ->
                        faults.answer(
                                LeaderElectionTest::isLease,
                                Faults.ALWAYS,
                                ApiAnswer.status(code, reason, "a trouble")));
    }

    @ParameterizedTest
    @MethodSource("troubles")
    void aLeaderThatCannotRenewStepsDownInTimeAndSomebodyLeadsAfterwards(
            BiFunction<Faults, Boundary, Faults.Fault> trouble) {
        try (Program one = startReplica("pod-1", QUICK);
                Program two = startReplica("pod-2", QUICK)) {
            await().until(() -> leads(one) || leads(two));
            Faults.Fault fault = trouble.apply(cluster.faults(), Boundary.ARRIVED);
            await().until(() -> !leads(one) && !leads(two));
            Instant over = renewed().plusSeconds(3);
            assertThat(Instant.now()).isBefore(over.plus(Patience.scaled(Duration.ofSeconds(5))));
            await().until(
                            () ->
                                    one.told(Level.WARN).stream()
                                            .anyMatch(l -> l.contains("not the leader any more")));
            await().until(() -> fault.hits() >= 8);
            fault.cancel();
            await().until(() -> leads(one) || leads(two));
        }
    }

    @Test
    void aLeaderThatComesBackMakesUpTheFireTimeThatPassedMeanwhile() {
        String every10Seconds = "*/10 * * * * ?";
        try (Program one = startReplica("pod-1", with(QUICK, "schedule", every10Seconds))) {
            await().until(() -> leads(one));
            Faults.Fault fault =
                    cluster.faults().hold(Boundary.ARRIVED, LeaderElectionTest::isLease, 1000);
            await().until(() -> !leads(one));
            Instant due = Cron.nextDue(every10Seconds, ZoneOffset.UTC, Instant.now()).orElseThrow();
            await().until(() -> Instant.now().isAfter(due.plusMillis(2500)));
            fault.cancel();
            await().until(() -> created().contains(SnapshotNames.snapshot("data", "hourly", due)));
            assertThat(one.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void withoutTheRightItSaysOnceWhatIsMissingAndLeadsWhenItIsThere() {
        cluster.access().revoke(NAMESPACE, LEASES, "create", "get", "patch");
        // Nobody takes over; so a request may take long.
        try (Program one = startReplica("pod-1", with(QUICK, "lease-duration", "6s"))) {
            await().until(() -> !one.told(Level.WARN).isEmpty());
            int requests = cluster.log().total();
            await().until(() -> cluster.log().total() > requests + 5);
            assertThat(one.told(Level.WARN))
                    .singleElement()
                    .asString()
                    .contains("leases", "cannot get", "k8s/components/high-availability");
            cluster.access().grant(NAMESPACE, LEASES, "create", "get", "patch");
            await().until(() -> leads(one));
            await().until(
                            () ->
                                    one.told(Level.INFO)
                                            .contains(
                                                    "Lease apps/volume-snapshotter can be read and"
                                                            + " written again"));
        }
    }

    @Test
    void aPassingTroubleIsNotTold() {
        try (Program one = startReplica("pod-1", LONG)) {
            await().until(() -> leads(one));
            Faults.Fault fault =
                    cluster.faults()
                            .answer(
                                    LeaderElectionTest::isLease,
                                    2,
                                    ApiAnswer.status(500, "InternalError", "a trouble"));
            await().until(() -> fault.hits() == 2);
            int requests = cluster.log().total();
            await().until(() -> cluster.log().total() > requests + 5);
            assertThat(one.told(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aLeaseThatNoElectorWroteIsTaken() {
        cluster.admin()
                .resource(
                        new LeaseBuilder()
                                .withNewMetadata()
                                .withName(LEASE)
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .withNewSpec()
                                .withHolderIdentity("somebody")
                                .endSpec()
                                .build())
                .create();
        try (Program one = startReplica("pod-1", LONG)) {
            await().until(() -> leads(one));
            assertThat(holder()).isEqualTo("pod-1");
        }
    }

    @ParameterizedTest
    @CsvSource({"100", "-100"})
    void theLeaseOfADeadLeaderIsTakenWhenItsDurationHasPassedWhateverItsClockSaid(int ahead) {
        ZonedDateTime wrong = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(ahead);
        cluster.admin()
                .resource(
                        new LeaseBuilder()
                                .withNewMetadata()
                                .withName(LEASE)
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .withNewSpec()
                                .withHolderIdentity("pod-0")
                                .withLeaseDurationSeconds(3)
                                .withAcquireTime(wrong)
                                .withRenewTime(wrong)
                                .endSpec()
                                .build())
                .create();
        long start = System.nanoTime();
        try (Program one = startReplica("pod-1", QUICK)) {
            await().until(() -> leads(one));
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isGreaterThanOrEqualTo(Duration.ofSeconds(3));
            assertThat(lease().getSpec().getLeaseTransitions()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"100, 0", "-100, 0", "0, 100", "0, -100"})
    void clocksThatDifferMakeNoTwoLeaders(int first, int second) throws Exception {
        try (LeaderElection one = election("pod-1", ahead(first), System::nanoTime)) {
            one.start();
            await().until(one::isLeader);
            try (LeaderElection two = election("pod-2", ahead(second), System::nanoTime)) {
                two.start();
                int renewals = renewals() + 15;
                await().pollInterval(Duration.ofMillis(10))
                        .until(
                                () -> {
                                    boolean takenOver = two.isLeader();
                                    assertThat(takenOver && one.isLeader()).isFalse();
                                    return renewals() >= renewals;
                                });
                one.stop();
                await().until(two::isLeader);
            }
        }
    }

    @Test
    void aLeaderThatWasFrozenKnowsItBeforeItDoesAnything() throws Exception {
        AtomicLong frozen = new AtomicLong();
        try (LeaderElection one =
                election("pod-1", ahead(0), () -> System.nanoTime() + frozen.get())) {
            one.start();
            await().until(one::isLeader);
            Faults.Fault fault =
                    cluster.faults()
                            .hold(Boundary.ARRIVED, LeaderElectionTest::isLease, Faults.ALWAYS);
            frozen.set(Duration.ofSeconds(45).toNanos());
            assertThat(one.isLeader()).isFalse();
            fault.cancel();
            await().until(one::isLeader);
        }
    }

    @Test
    void aRenewalOfWhichNobodyKnowsIsGivenBackToo() throws Exception {
        try (LeaderElection one = election("pod-1", ahead(0), System::nanoTime)) {
            one.start();
            await().until(one::isLeader);
            Faults.Fault fault =
                    cluster.faults().hold(Boundary.CARRIED_OUT, LeaderElectionTest::isLease, 1);
            await().until(() -> fault.hits() > 0);
            one.stop();
            fault.cancel();
            assertThat(holder()).isEmpty();
            assertThat(one.isLeader()).isFalse();
        }
    }

    private LeaderElection election(String pod, InstantSource clock, LongSupplier nanoTime) {
        LeaseTerms terms =
                new LeaseTerms(
                        LEASE,
                        Duration.ofSeconds(3),
                        Duration.ofMillis(1500),
                        Duration.ofMillis(100));
        LeaderElection election =
                new LeaderElection(
                        ClusterAccess.connect(cluster.config(NAMESPACE), terms.longestRequest()),
                        terms,
                        pod,
                        Executors.newScheduledThreadPool(2),
                        clock,
                        nanoTime);
        election.setCamelContext(new DefaultCamelContext());
        return election;
    }

    private static InstantSource ahead(int seconds) {
        return InstantSource.offset(InstantSource.system(), Duration.ofSeconds(seconds));
    }

    private int renewals() {
        return cluster.log()
                .entries(e -> e.verb().equals("patch") && e.resource().startsWith("leases"))
                .size();
    }

    @Test
    void aLeaseThatIsDeletedIsWrittenAgain() {
        try (Program one = startReplica("pod-1", LONG)) {
            await().until(() -> leads(one));
            cluster.admin().leases().inNamespace(NAMESPACE).withName(LEASE).delete();
            await().ignoreExceptions().untilAsserted(() -> assertThat(holder()).isEqualTo("pod-1"));
            assertThat(leads(one)).isTrue();
        }
    }

    @Test
    void leadershipOutlivesTheRoutes() throws Exception {
        try (Program one = startReplica("pod-1", LONG)) {
            await().until(() -> leads(one));
            one.context().getRouteController().stopRoute("hourly");
            one.context().removeRoute("hourly");
            int requests = cluster.log().total();
            await().until(() -> cluster.log().total() > requests + 5);
            assertThat(holder()).isEqualTo("pod-1");
        }
    }

    @Test
    void aScheduleThatIsLoadedLaterFiresOnTheLeader() throws Exception {
        TestRoutes.copyTo(directory);
        try (Program one = startReplica("pod-1", with(LONG, "routes", directory.toString()))) {
            await().until(() -> leads(one));
            TestRoutes.schedule(directory, "often");
            Path file = directory.resolve("often" + RouteFiles.SUFFIX);
            PluginHelper.getRoutesLoader(one.context())
                    .updateRoutes(
                            ResourceHelper.fromString(
                                    "file:" + file,
                                    Files.readString(file)
                                            .replace(
                                                    "{{cron:{{snapshotter.schedule}}}}",
                                                    "* * * * * ?")));
            assertThat(uri(one, "often")).startsWith("master:volume-snapshotter:quartz:");
            await().until(() -> !created().isEmpty());
        }
    }

    @ParameterizedTest
    @CsvSource({"true, master:mine:quartz:volume-snapshotter/hourly", "false, quartz:"})
    void aUsersOwnMasterWorksWithAndWithoutElection(String election, String start)
            throws Exception {
        TestRoutes.copyTo(directory);
        Path file = directory.resolve("hourly" + RouteFiles.SUFFIX);
        Files.writeString(file, Files.readString(file).replace("quartz:", "master:mine:quartz:"));
        Map<String, String> settings =
                with(with(LONG, "routes", directory.toString()), "schedule", "* * * * * ?");
        try (Program one =
                election.equals("true")
                        ? startReplica("pod-1", settings)
                        : Program.start(cluster, settings)) {
            assertThat(uri(one, "hourly")).startsWith(start);
            await().until(() -> !created().isEmpty());
            assertThat(one.told(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aRouteThatIsStoppedAndStartedFiresAgain() throws Exception {
        try (Program one = startReplica("pod-1", with(LONG, "schedule", "* * * * * ?"))) {
            await().until(() -> !created().isEmpty());
            one.context().getRouteController().stopRoute("hourly");
            one.context().getRouteController().startRoute("hourly");
            int before = created().size();
            await().until(() -> created().size() > before + 1);
        }
    }

    @Test
    void twoReplicasInTheSameRunLeaveWhatOneWould() {
        cluster.claim(NAMESPACE, "db");
        Map<String, String> both = with(LONG, "claims", "data,db");
        try (Program one = startReplica("pod-1", both);
                Program two = startReplica("pod-2", both)) {
            one.fire(TEN.minusSeconds(3600));
            CompletableFuture<Void> first = one.fireLater(TEN);
            CompletableFuture<Void> second = two.fireLater(TEN);
            first.join();
            second.join();
            assertThat(one.told(Level.ERROR)).isEmpty();
        }
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(NAMESPACE))
                                        .allMatch(SimulatedSnapshot::ready)
                                        .extracting(SimulatedSnapshot::name)
                                        .containsExactly(
                                                SnapshotNames.snapshot("data", "hourly", TEN),
                                                SnapshotNames.snapshot("db", "hourly", TEN)));
    }

    @ParameterizedTest
    @CsvSource({
        "lease-duration, 1500ms, whole seconds",
        "lease-duration, 10s, longer than renew-deadline",
        "renew-deadline, 4400ms, 2.2 times retry-period",
        "lease-name, Not_A_Name, lower case",
        "lease-name, '', give a name",
        "leader-election, yes, true or false"
    })
    void termsThatDoNotFitAreRefused(String setting, String value, String remedy) {
        assertThatThrownBy(() -> Program.start(cluster, with(Map.of(), setting, value)).close())
                .hasStackTraceContaining(Settings.PREFIX + setting)
                .hasStackTraceContaining(remedy);
    }

    private static Map<String, String> with(
            Map<String, String> settings, String name, String value) {
        Map<String, String> all = new HashMap<>(settings);
        all.putIfAbsent("snapshotter.claims", "data");
        all.put(Settings.PREFIX + name, value);
        return all;
    }

    private Program startReplica(String pod, Map<String, String> settings) {
        return Program.of(cluster).replica(pod).with(settings).start();
    }

    private Program startReplicaAfter(Program first, String pod, Map<String, String> settings) {
        await().until(() -> leads(first));
        return startReplica(pod, settings);
    }

    private static boolean leads(Program program) {
        return program.context().hasService(LeaderElection.class).isLeader();
    }

    private static String uri(Program program, String routeId) {
        Route route = program.context().getRoute(routeId);
        return route.getEndpoint().getEndpointUri();
    }

    private static boolean isLease(ApiRequest request) {
        return request.resource().equals("leases");
    }

    private Lease lease() {
        return cluster.admin().leases().inNamespace(NAMESPACE).withName(LEASE).get();
    }

    private String holder() {
        return lease().getSpec().getHolderIdentity();
    }

    private Instant renewed() {
        return lease().getSpec().getRenewTime().toInstant();
    }

    private List<String> created() {
        return cluster
                .log()
                .entries(
                        entry ->
                                entry.verb().equals("create")
                                        && entry.resource().startsWith("volumesnapshots"))
                .stream()
                .map(RequestLog.Entry::name)
                .toList();
    }
}
