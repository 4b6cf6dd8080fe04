package io.volumesnapshotter.preflight;

import static io.volumesnapshotter.simulation.AccessRules.EVERYWHERE;
import static io.volumesnapshotter.simulation.SimulatedCluster.DRIVER;
import static io.volumesnapshotter.simulation.SimulatedCluster.SNAPSHOTS;
import static io.volumesnapshotter.simulation.SimulatedCluster.SNAPSHOT_CLASS;
import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.ClusterAccess;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import io.volumesnapshotter.testing.ToldLines;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a look at the cluster finds: each finding is one line that says what to do. */
class PreflightTest {

    private static final String CLASSES = "volumesnapshotclasses.snapshot.storage.k8s.io";

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private int exitCode;

    @BeforeEach
    void startCluster() {
        cluster.access()
                .grant(NAMESPACE, "persistentvolumeclaims", "get", "list")
                .grant(EVERYWHERE, CLASSES, "list");
    }

    @Test
    void nothingIsWrongWhereRunsWork() {
        assertThat(look("claims", "data"))
                .containsExactly(
                        "INFO  API server " + cluster.url() + "/: Kubernetes v1.36.2",
                        "INFO  API snapshot.storage.k8s.io: v1 is served",
                        "INFO  rights: all 3 that are needed are granted",
                        Components.look().toString());
        assertThat(exitCode).isZero();
    }

    @Test
    void nothingIsChanged() {
        look("claims", "*");
        assertThat(cluster.log().entries())
                .allMatch(
                        entry ->
                                entry.verb().equals("get")
                                        || entry.verb().equals("list")
                                        || entry.resource().equals("selfsubjectaccessreviews"));
    }

    @Test
    void theRightsOfTheBaseAreEnoughForAGoodLook() {
        cluster.access().revokeAll().grant(NAMESPACE, SNAPSHOTS, "create", "get", "list", "delete");

        assertThat(look("claims", "data"))
                .allMatch(line -> line.startsWith("INFO "))
                .anyMatch(line -> line.startsWith("INFO  claims: those that are named are not"))
                .anyMatch(line -> line.startsWith("INFO  snapshot classes: they are not looked at"))
                .filteredOn(line -> line.contains(" -> "))
                .allMatch(line -> line.endsWith(" -> k8s/components/preflight grants it"));
        assertThat(exitCode).isZero();
    }

    @Test
    void theManagementPortOfTheProgramThatServesIsLeftAlone() throws IOException {
        try (ServerSocket serving = new ServerSocket(0);
                ToldLines told = new ToldLines()) {
            look(
                    "claims", "data",
                    "camel.management.enabled", "true",
                    "camel.management.port", String.valueOf(serving.getLocalPort()));
            assertThat(exitCode).isZero();
            assertThat(told.atLeast(Level.WARN)).isEmpty();
        }
    }

    @Test
    void anApiServerThatIsAwayIsTold() {
        cluster.goDown();

        assertThat(look("claims", "data"))
                .singleElement()
                .asString()
                .startsWith("ERROR API server " + cluster.url() + "/: it does not serve: ");
        assertThat(exitCode).isEqualTo(75);
    }

    @Test
    void whatIsNoKubernetesApiIsTold() {
        ApiAnswer page = ApiAnswer.of(200, "text/html", "<html>hello</html>");
        cluster.faults().answer(any -> true, Faults.ALWAYS, page);

        assertThat(look("claims", "data"))
                .singleElement()
                .asString()
                .contains("what answers is not a Kubernetes API -> check the server's address");
    }

    @Test
    void aTokenThatIsUnknownIsTold() {
        Cli cli = Cli.of(cluster);
        cli.run("preflight");
        cluster.rotateToken();

        assertThat(cli.with("claims", "data").run("preflight").out())
                .singleElement()
                .asString()
                .endsWith("Unauthorized -> check the token or the kubeconfig's credentials");
    }

    @Test
    void aClusterWithoutTheCrdIsTold() {
        cluster.withoutCrd();

        assertThat(look("claims", "data"))
                .contains(
                        "ERROR API snapshot.storage.k8s.io: the cluster has none -> install the"
                                + " VolumeSnapshot CRDs and the snapshot controller of"
                                + " external-snapshotter");
        assertThat(exitCode).isEqualTo(1);
    }

    @Test
    void aClusterWithOldCrdsAloneIsTold() {
        cluster.servesSnapshotsAs("v1beta1");

        assertThat(look("claims", "data"))
                .anyMatch(
                        line ->
                                line.startsWith(
                                        "ERROR API snapshot.storage.k8s.io: v1 is not served, only"
                                                + " v1beta1 -> install"));
    }

    @Test
    void eachMissingRightIsTold() {
        cluster.access().revoke(NAMESPACE, SNAPSHOTS, "create", "delete");

        assertThat(problems("claims", "data"))
                .containsExactly(
                        "ERROR rights: the program's account may not create volumesnapshots in"
                                + " namespace apps -> grant it, as in k8s/role.yaml",
                        "ERROR rights: the program's account may not delete volumesnapshots in"
                                + " namespace apps -> grant it, as in k8s/role.yaml");
    }

    @Test
    void schedulesThatFreezeNeedToWriteOnSnapshots(@TempDir Path routes) throws IOException {
        TestRoutes.copyTo(routes);
        for (String step : List.of("freeze", "thaw")) {
            String file = step + "-postgresql" + RouteFiles.SUFFIX;
            Files.copy(Path.of("examples", "hooks", file), routes.resolve(file));
        }
        String[] freezing = {
            "claims", "data", "quiesce", "postgresql", "routes", routes.toString()
        };
        assertThat(problems(freezing))
                .contains(
                        "ERROR rights: the program's account may not patch volumesnapshots in"
                                + " namespace apps -> grant it, as in k8s/components/hooks");
        cluster.access().grant(NAMESPACE, SNAPSHOTS, "patch");
        assertThat(problems(freezing)).noneMatch(line -> line.contains("patch volumesnapshots"));
    }

    @Test
    void schedulesThatSelectClaimsNeedToListThem() {
        cluster.access().revoke(NAMESPACE, "persistentvolumeclaims", "list");

        assertThat(problems("claims", "*"))
                .containsExactly(
                        "ERROR rights: the program's account may not list persistentvolumeclaims in"
                                + " namespace apps -> grant it, as in k8s/components/select-claims");
    }

    @Test
    void schedulesOfAllNamespacesNeedTheRightsThere() {
        assertThat(problems("claims", "*", "namespace-selector", "team=a"))
                .hasSize(5)
                .allMatch(line -> line.contains(" -> grant it, as in "))
                .allMatch(line -> line.endsWith("k8s/components/cluster-wide"))
                .anyMatch(line -> line.contains("may not list namespaces"));
    }

    @Test
    void whereReviewsAreRefusedListsAreTried() {
        cluster.access().withoutReviews().revoke(NAMESPACE, SNAPSHOTS, "list");

        assertThat(look("claims", "data"))
                .anyMatch(
                        line -> line.startsWith("ERROR rights: the program's account may not list"))
                .anyMatch(line -> line.startsWith("INFO  rights: whether volumesnapshots may be"));
    }

    @Test
    void aNamespaceThatIsMissingIsTold() {
        cluster.access()
                .grant(EVERYWHERE, "namespaces", "list")
                .grant(EVERYWHERE, SNAPSHOTS, "create", "list", "delete");

        assertThat(problems("claims", "data", "namespace", "apps,nowhere"))
                .anyMatch(line -> line.startsWith("ERROR namespace nowhere: there is none -> "));
    }

    @Test
    void aNamespaceThatIsBeingDeletedIsTold() {
        cluster.access().grant(EVERYWHERE, "namespaces", "get");
        cluster.terminate(NAMESPACE);

        assertThat(problems("claims", "data"))
                .anyMatch(line -> line.startsWith("ERROR namespace apps: it is being deleted"));
    }

    @Test
    void namedClaimsThatCannotBeTakenAreTold() {
        cluster.pendingClaim(NAMESPACE, "new");

        assertThat(problems("claims", "data,gone,new"))
                .containsExactlyInAnyOrder(
                        "ERROR claim apps/gone: there is none -> create it or correct claims and"
                                + " namespace",
                        "ERROR claim apps/new: it is not bound to a volume (phase Pending) -> no"
                                + " snapshot can be taken of it: mend it or remove it from the"
                                + " schedule");
    }

    @Test
    void ofManyNamedClaimsOnlySomeAreLookedAt() {
        String names =
                IntStream.range(0, 150).mapToObj(i -> "c" + i).collect(Collectors.joining(","));

        assertThat(look("claims", names))
                .contains("INFO  claims: of 150 that are named the first 100 are looked at");
        assertThat(cluster.log().count("get", "persistentvolumeclaims")).isEqualTo(100);
    }

    @Test
    void aClassThatIsMissingIsTold() {
        assertThat(problems("claims", "data", "snapshot-class-name", "gold"))
                .containsExactly(
                        "ERROR snapshot class gold: there is none -> create it or name another;"
                                + " there are "
                                + SNAPSHOT_CLASS);
    }

    @Test
    void aClassOfAnotherDriverIsTold() {
        cluster.snapshotClass("ceph", "rbd.csi.ceph.com", false, "Delete");

        assertThat(problems("claims", "data", "snapshot-class-name", "ceph"))
                .containsExactly(
                        "ERROR snapshot class ceph: it is of rbd.csi.ceph.com, and the driver of"
                                + " apps/data is "
                                + DRIVER
                                + " -> name one of "
                                + DRIVER
                                + ": "
                                + SNAPSHOT_CLASS);
    }

    @Test
    void theClassThatAClaimAsksForIsLookedAt() {
        cluster.claim(
                NAMESPACE, "own", Map.of(), Map.of("volume-snapshotter/snapshot-class", "silver"));

        assertThat(problems("claims", "*"))
                .singleElement()
                .asString()
                .startsWith("ERROR snapshot class silver: there is none");
    }

    @Test
    void withoutADefaultClassOneHasToBeNamed() {
        cluster.snapshotClass(SNAPSHOT_CLASS, DRIVER, false, "Delete");

        assertThat(problems("claims", "data"))
                .singleElement()
                .asString()
                .startsWith(
                        "ERROR snapshot classes of "
                                + DRIVER
                                + ": none is the default, and none is named for apps/data -> ");
    }

    @Test
    void severalDefaultClassesAreTold() {
        cluster.snapshotClass("other", DRIVER, true, "Delete");

        assertThat(problems("claims", "data"))
                .singleElement()
                .asString()
                .contains("several are the default, " + SNAPSHOT_CLASS + ", other");
    }

    @Test
    void aClassThatRetainsIsAWarning() {
        cluster.snapshotClass(SNAPSHOT_CLASS, DRIVER, true, "Retain");

        assertThat(problems("claims", "data"))
                .singleElement()
                .asString()
                .startsWith(
                        "WARN  snapshot class "
                                + SNAPSHOT_CLASS
                                + ": its deletionPolicy is Retain");
        assertThat(exitCode).isZero();
    }

    @Test
    void aScheduleThatSelectsNothingIsAWarning() {
        assertThat(problems("claim-selector", "app=nothing"))
                .singleElement()
                .asString()
                .startsWith("WARN  schedule hourly: it selects no claim");
    }

    @Test
    void aScheduleTellsHowManyClaimsItSelects() {
        cluster.claim(NAMESPACE, "more");
        cluster.pendingClaim(NAMESPACE, "new");

        assertThat(look("claims", "*"))
                .contains("INFO  schedule hourly: claims that it takes now: 2")
                .anyMatch(
                        line ->
                                line.startsWith(
                                        "WARN  schedule hourly: claims that it selects and skips: 1; of apps/new it is not bound"));
    }

    @Test
    void aSuspendedScheduleNeedsNothing() {
        cluster.access().revokeAll();

        assertThat(problems("claims", "data", "suspend", "true")).isEmpty();
    }

    @Test
    void theStartWithTheRightsOfTheBaseTellsNoProblemAndSendsFewRequests() {
        cluster.access().revokeAll().grant(NAMESPACE, SNAPSHOTS, "create", "get", "list", "delete");
        try (Program program = Program.start(cluster, "data")) {
            awaitTold(program, Level.INFO, "ready: VolumeSnapshots of namespace apps");
            assertThat(program.told(Level.WARN)).isEmpty();
            assertThat(cluster.log().total()).isEqualTo(10);
        }
    }

    @Test
    void theStartTellsAFindingOnceAndThatItHasHealed() {
        cluster.access().revoke(NAMESPACE, SNAPSHOTS, "delete");
        try (Program program = Program.start(cluster, "data")) {
            awaitTold(program, Level.ERROR, "rights: the program's account may not delete");
            int requests = cluster.log().total();
            await().until(() -> cluster.log().total() >= requests + 10);
            cluster.access().grant(NAMESPACE, SNAPSHOTS, "delete");
            awaitTold(
                    program, Level.INFO, "rights: no longer: the program's account may not delete");
            awaitTold(program, Level.INFO, "ready: ");
            assertThat(program.told(Level.WARN)).hasSize(1);
        }
    }

    @Test
    void aClaimThatIsMissingDoesNotKeepTheStartFromBeingReady() {
        try (Program program = Program.start(cluster, "gone")) {
            awaitTold(program, Level.INFO, "ready: ");
            assertThat(program.told(Level.ERROR))
                    .singleElement()
                    .asString()
                    .startsWith("claim apps/gone: there is none");
            cluster.claim(NAMESPACE, "gone");
            awaitTold(program, Level.INFO, "claim apps/gone: no longer: there is none");
        }
    }

    private static void awaitTold(Program program, Level level, String words) {
        await().until(() -> program.told(level).stream().anyMatch(l -> l.startsWith(words)));
    }

    private List<String> problems(String... settings) {
        return look(settings).stream().filter(line -> !line.startsWith("INFO ")).toList();
    }

    private List<String> look(String... settings) {
        Cli cli = Cli.of(cluster);
        for (int i = 0; i < settings.length; i += 2) {
            cli.with(settings[i], settings[i + 1]);
        }
        Cli.Answer answer = cli.run("preflight");
        exitCode = answer.code();
        return answer.out();
    }

    /** Between the runs of a daily schedule nobody else would ask. */
    @Test
    void aServerThatWasAwayIsAskedUntilItIsBack() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        ApiServerMonitor apiServer = new ApiServerMonitor(cluster.url(), now::get);
        ScheduledExecutorService hurried =
                new ScheduledThreadPoolExecutor(1) {
                    @Override
                    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
                        return super.schedule(task, 10, TimeUnit.MILLISECONDS);
                    }
                };
        CamelContext context = new DefaultCamelContext();
        try (KubernetesClient client =
                ClusterAccess.connect(cluster.config(NAMESPACE), apiServer)) {
            context.start();
            new Preflight(client, apiServer, new Claims(client, now::get), hurried)
                    .onCamelContextFullyStarted(context, false);
            await().until(() -> cluster.log().total() > 0);
            apiServer.unreachable(new IOException("gone"));
            assertThat(apiServer.isToldAway()).isTrue();
            await().until(
                            () -> {
                                now.updateAndGet(time -> time.plusSeconds(1));
                                return !apiServer.isToldAway();
                            });
        } finally {
            hurried.shutdownNow();
            context.stop();
        }
    }
}
