package io.volumesnapshotter.schedule;

import static io.volumesnapshotter.simulation.AccessRules.EVERYWHERE;
import static io.volumesnapshotter.simulation.SimulatedCluster.SNAPSHOTS;
import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.volumesnapshotter.observe.Metrics;
import io.volumesnapshotter.observe.RunHistory;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.settings.LabelSelectorSyntax;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which claims a schedule takes, with what rights, and with which class. */
class SelectionTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");

    private static final String BETA = "volume.beta.kubernetes.io/storage-provisioner";

    private static final Map<String, String> BY_DRIVER =
            Map.of("claims", "*", "snapshot-class-by-driver", SimulatedCluster.DRIVER + "=bronze");

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    @BeforeEach
    void startCluster() {
        cluster.claim(NAMESPACE, "db", Map.of("app", "db", "tier", "gold"));
        cluster.claim(NAMESPACE, "cache", Map.of("app", "cache", "tier", "scratch"));
        cluster.claim(NAMESPACE, "media", Map.of("app", "web", "skip", "yes"));
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    app=db                                    | db
                    app==db                                   | db
                    app!=db                                   | cache,media
                    app in (db,cache)                         | cache,db
                    app notin (db, cache)                     | media
                    tier                                      | cache,db
                    !skip                                     | cache,db
                    app in (db,cache),tier!=scratch,!skip     | db
                    app=none                                  | ''
                    """)
    void takesTheClaimsThatASelectorNames(String selector, String expected) {
        assertThat(taken(Map.of("claim-selector", selector))).isEqualTo(expected);
    }

    @Test
    void takesAllClaimsOfTheNamespaceWhenTold() {
        assertThat(taken(Map.of("claims", "*"))).isEqualTo("cache,db,media");
    }

    @Test
    void takesTheClaimsOfAStorageClass() {
        cluster.put(claim("fast", SimulatedCluster.DRIVER, "fast-ssd"));
        assertThat(taken(Map.of("storage-class", "fast-ssd"))).isEqualTo("fast");
    }

    @Test
    void aClaimCanOptOut() {
        cluster.claim(NAMESPACE, "shy", Map.of(), Map.of("volume-snapshotter/snapshot", "false"));
        assertThat(taken(Map.of("claims", "*"))).isEqualTo("cache,db,media");
    }

    @Test
    void withOptInOnlyThoseAreTakenThatAsk() {
        cluster.claim(NAMESPACE, "keen", Map.of(), Map.of("volume-snapshotter/snapshot", "true"));
        assertThat(taken(Map.of("opt-in", "true"))).isEqualTo("keen");
    }

    @Test
    void claimsThatCannotBeSnapshottedAreSkippedAndThatIsToldOnce() {
        cluster.pendingClaim(NAMESPACE, "unbound");
        cluster.put(claim("in-tree", "kubernetes.io/host-path", "slow"));
        try (Program program = start(Map.of("claims", "*"))) {
            program.fire(TEN);
            program.fire(ELEVEN);
            assertThat(program.told(Level.WARN))
                    .filteredOn(line -> line.startsWith("hourly "))
                    .hasSize(2)
                    .anyMatch(
                            line ->
                                    line.contains(
                                            "apps/unbound: skipped as long as it is not bound"))
                    .anyMatch(
                            line ->
                                    line.contains("apps/in-tree: skipped")
                                            && line.contains("kubernetes.io/host-path"));
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122110000: succeeded, 3 of 3 ready");
        }
    }

    @Test
    void severalNamespacesAreListedAtOnce() {
        cluster.namespace("blog");
        cluster.claim("blog", "posts");
        cluster.namespace("other");
        cluster.claim("other", "nothing");
        grantEverywhere();
        assertThat(taken(Map.of("namespace", NAMESPACE + ",blog", "claims", "*")))
                .isEqualTo("cache,db,media,posts");
        assertThat(
                        cluster.log()
                                .entries(
                                        request ->
                                                request.resource()
                                                        .equals("persistentvolumeclaims")))
                .extracting(RequestLog.Entry::namespace)
                .describedAs("all of them with one request, not one by one")
                .containsOnly("");
        assertThat(cluster.snapshots("other")).isEmpty();
    }

    @Test
    void aNamespaceThatIsNotThereIsToldOnce() {
        grantEverywhere();
        try (Program program = start(Map.of("namespace", NAMESPACE + ",blgo", "claims", "*"))) {
            program.fire(TEN);
            program.fire(ELEVEN);
            assertThat(program.told(Level.WARN))
                    .singleElement()
                    .asString()
                    .contains("hourly blgo/*", "correct namespace in the schedule");
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
    }

    @Test
    void allNamespacesAreReachedWhenTold() {
        cluster.namespace("blog");
        cluster.claim("blog", "posts");
        grantEverywhere();
        assertThat(taken(Map.of("namespace", "*", "claims", "*")))
                .isEqualTo("cache,db,media,posts");
    }

    @Test
    void namespacesCanBeSelectedByTheirLabels() {
        cluster.put(
                new NamespaceBuilder()
                        .withNewMetadata()
                        .withName("blog")
                        .withLabels(Map.of("team", "content"))
                        .endMetadata()
                        .build());
        cluster.claim("blog", "posts");
        grantEverywhere();
        cluster.access().grant(EVERYWHERE, "namespaces", "list");
        assertThat(taken(Map.of("namespace-selector", "team=content"))).isEqualTo("posts");
    }

    @Test
    void claimsOfTheSameNameInTwoNamespacesAreTwoClaims() {
        cluster.namespace("blog");
        cluster.claim("blog", "db");
        grantEverywhere();
        try (Program program = start(Map.of("namespace", NAMESPACE + ",blog", "claims", "db"))) {
            program.fire(TEN);
            program.fire(ELEVEN);
            for (String namespace : List.of(NAMESPACE, "blog")) {
                await().untilAsserted(
                                () ->
                                        assertThat(cluster.snapshots(namespace))
                                                .extracting(SimulatedSnapshot::name)
                                                .containsExactly("db-hourly-20261122110000"));
            }
        }
    }

    private static PersistentVolumeClaim claimWith(
            String name, String condition, String status, Duration ago) {
        return new PersistentVolumeClaimBuilder(claimOf(name, Map.of(), "pv-" + name))
                .editStatus()
                .addNewCondition()
                .withType("FileSystemResizePending")
                .withStatus("True")
                .withLastTransitionTime("2020-01-01T00:00:00Z")
                .endCondition()
                .addNewCondition()
                .withStatus(status)
                .withLastTransitionTime(
                        Instant.now().minus(ago).truncatedTo(ChronoUnit.SECONDS).toString())
                .withType(condition)
                .endCondition()
                .endStatus()
                .build();
    }

    @Test
    void claimsThatNoPodHasUsedForSoLongAreLeftOut() {
        cluster.put(claimWith("idle", "Unused", "True", Duration.ofDays(31)));
        cluster.put(claimWith("resting", "Unused", "True", Duration.ofDays(29)));
        cluster.put(claimWith("used", "Unused", "False", Duration.ofDays(31)));
        cluster.put(claimWith("resized", "Resizing", "True", Duration.ofDays(31)));
        try (Program program = start(Map.of("claims", "*,!d*", "skip-unused", "30d"))) {
            program.fire(TEN);
        }
        assertThat(cluster.snapshots(NAMESPACE))
                .extracting(SimulatedSnapshot::claim)
                .contains("resting", "used", "resized")
                .doesNotContain("idle");
    }

    @Test
    void theClassIsTheSchedulesElseTheClaimsElseTheDrivers() {
        Stream.of("own", "gold", "bronze")
                .forEach(
                        name ->
                                cluster.snapshotClass(
                                        name, SimulatedCluster.DRIVER, false, "Delete"));
        cluster.claim(
                NAMESPACE, "special", Map.of(), Map.of("volume-snapshotter/snapshot-class", "own"));
        Map<String, String> byDriver =
                Map.of(
                        "claims",
                        "*",
                        "snapshot-class-by-driver",
                        SimulatedCluster.DRIVER + "=bronze");
        try (Program program = start(byDriver)) {
            program.fire(TEN);
        }
        assertThat(classOf("special")).isEqualTo("own");
        assertThat(classOf("db")).isEqualTo("bronze");
        Map<String, String> named = new HashMap<>(byDriver);
        named.put("snapshot-class-name", "gold");
        try (Program program = start(named)) {
            program.fire(ELEVEN);
        }
        assertThat(classOf("special")).isEqualTo("gold");
    }

    @Test
    void theDriverIsTheProvisionersAnnotationElseItsBetaFormElseTheVolumes() {
        cluster.snapshotClass("bronze", SimulatedCluster.DRIVER, false, "Delete");
        cluster.put(claimOf("beta", Map.of(BETA, SimulatedCluster.DRIVER), "pv-1"));
        cluster.put(claimOf("bare", Map.of(), "pv-2"));
        cluster.put(volume("pv-2", SimulatedCluster.DRIVER));
        cluster.access().grant(EVERYWHERE, "persistentvolumes", "get");
        try (Program program = start(BY_DRIVER)) {
            program.fire(TEN);
            program.fire(ELEVEN);
            assertThat(program.told(Level.WARN)).isEmpty();
        }
        assertThat(classOf("beta")).isEqualTo("bronze");
        assertThat(classOf("bare")).isEqualTo("bronze");
        assertThat(cluster.log().count(entry -> entry.resource().equals("persistentvolumes")))
                .describedAs("a volume's driver never changes")
                .isOne();
    }

    @Test
    void whyADriverIsNotKnownIsToldOnceForEachClaimAndTheDefaultClassIsTaken() {
        cluster.put(claimOf("bare", Map.of(), "pv-1"));
        cluster.put(claimOf("other", Map.of(), "pv-2"));
        try (Program program = start(BY_DRIVER)) {
            program.fire(TEN);
            program.fire(ELEVEN);
            assertThat(program.told(Level.WARN))
                    .filteredOn(line -> line.contains("snapshot-class-by-driver"))
                    .hasSize(2)
                    .anyMatch(
                            line ->
                                    line.startsWith(
                                            "hourly apps/bare: snapshot-class-by-driver does not"
                                                    + " apply: the claim has no annotation "
                                                    + "volume.kubernetes.io/storage-provisioner or "
                                                    + BETA
                                                    + ", and its volume pv-1 may not be read, which"
                                                    + " k8s/components/read-volumes grants; or name"
                                                    + " its class by the annotation"
                                                    + " volume-snapshotter/snapshot-class"));
        }
        assertThat(cluster.log().count(entry -> entry.resource().equals("persistentvolumes")))
                .describedAs("a refusal is remembered")
                .isOne();
    }

    @ParameterizedTest(name = "a volume of driver {0}: {1}")
    @CsvSource({"'', is of no CSI driver", "NONE, is not there"})
    void aVolumeWithoutADriverIsTold(String driver, String words) {
        cluster.put(claimOf("bare", Map.of(), "pv-1"));
        if (driver.isEmpty()) {
            cluster.put(volume("pv-1", null));
        }
        cluster.access().grant(EVERYWHERE, "persistentvolumes", "get");
        try (Program program = start(BY_DRIVER)) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .anyMatch(line -> line.contains("and its volume pv-1 " + words));
        }
    }

    @Test
    void whatATenantWritesOnAClaimReachesTheLogInOneCleanLine() {
        cluster.put(
                claimOf(
                        "bad",
                        Map.of(
                                "volume.kubernetes.io/storage-provisioner",
                                "kubernetes.io/\u001b[2J\nERROR all is lost" + "x".repeat(100_000)),
                        "pv-1"));
        try (Program program = start(Map.of("claims", "*"))) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .filteredOn(line -> line.startsWith("hourly apps/bad"))
                    .singleElement()
                    .asString()
                    .contains("kubernetes.io/[2J ERROR all is lostxxx", "x…")
                    .hasSizeLessThan(2_000)
                    .doesNotContain("\u001b", "\n");
        }
    }

    @Test
    void aSchedulesOwnClassesReplaceTheProgramsAndNamedClaimsHaveNoneByDriver(@TempDir Path routes)
            throws IOException {
        for (String name : List.of("bronze", "silver")) {
            cluster.snapshotClass(name, SimulatedCluster.DRIVER, false, "Delete");
        }
        TestRoutes.copyTo(routes);
        TestRoutes.schedule(
                routes,
                "own",
                "claim-selector: app=db",
                "snapshot-class-by-driver: " + SimulatedCluster.DRIVER + "=silver");
        Map<String, String> settings =
                Map.of("claims", "*", "snapshot-class-name", "bronze", "routes", routes.toString());
        try (Program program = start(settings)) {
            program.fire("own", TEN);
        }
        assertThat(classOf("db")).isEqualTo("silver");
        Map<String, String> byDriver =
                Map.of(
                        "claims",
                        "*",
                        "snapshot-class-by-driver",
                        SimulatedCluster.DRIVER + "=bronze",
                        "routes",
                        routes.toString());
        TestRoutes.schedule(routes, "named", "claims: cache");
        try (Program program = start(byDriver)) {
            program.fire("named", ELEVEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        assertThat(classOf("cache")).isEqualTo(SimulatedCluster.SNAPSHOT_CLASS);
    }

    @Test
    void theLastSnapshotOfAClaimThatWasDeletedAndMadeAnewStays() {
        List<Instant> later = List.of(ELEVEN, ELEVEN.plusSeconds(3600), ELEVEN.plusSeconds(7200));
        try (Program program = start(Map.of("claim-selector", "app=db"))) {
            program.fire(TEN.minusSeconds(3600));
            program.fire(TEN);
            var claims = cluster.admin().persistentVolumeClaims().inNamespace(NAMESPACE);
            claims.withName("db").delete();
            await().until(() -> claims.withName("db").get() == null);
            cluster.claim(NAMESPACE, "db", Map.of("app", "db"));
            later.forEach(program::fire);
            assertThat(program.told(Level.INFO))
                    .contains(
                            "hourly-20261122110000 apps/db: kept db-hourly-20261122100000, it may"
                                    + " be the last of a claim of that name that was deleted; delete"
                                    + " it when its data is not needed");
        }
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(NAMESPACE))
                                        .extracting(SimulatedSnapshot::name)
                                        .containsExactlyInAnyOrder(
                                                SnapshotNames.snapshot("db", "hourly", TEN),
                                                SnapshotNames.snapshot(
                                                        "db", "hourly", later.get(2))));
    }

    @Test
    void aSelectionThatFindsNoClaimIsToldAndNoSuccess() {
        try (Program program = start(Map.of("claim-selector", "app=none"))) {
            program.fire(TEN);
            assertThat(program.told(Level.WARN))
                    .filteredOn(line -> line.startsWith("hourly-"))
                    .singleElement()
                    .asString()
                    .contains("no claim is selected");
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("succeeded"));
        }
    }

    @Test
    void aSelectionThatFindsNoClaimIsNoRecovery() {
        cluster.access().revoke(NAMESPACE, "persistentvolumeclaims", "list");
        try (Program program = start(Map.of("claim-selector", "app=none"))) {
            program.fire(TEN);
            cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
            program.fire(ELEVEN);
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("recovered"));
        }
    }

    @Test
    void aRunOverNoClaimsCountsNeitherAsSuccessNorAsFailure() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        RunHistory journal =
                new RunHistory(new Metrics(registry), InstantSource.system(), any -> true);
        try (Program program = start(Map.of("claim-selector", "app=none"))) {
            Schedule schedule =
                    PolicyComponent.scheduleOf(program.context(), "hourly").orElseThrow();
            Run run =
                    new Run(
                            new Firing(schedule, TEN, ZoneOffset.UTC, Firing.Cause.REQUEST),
                            List.of(),
                            Optional.of(NAMESPACE),
                            Program.INSTALLATION,
                            InstantSource.system(),
                            InstantSource.system());
            journal.started(run);
            journal.ended(run);
        }
        assertThat(journal.lastRun("hourly").orElseThrow().outcome()).isEqualTo("empty");
        assertThat(registry.getMeters())
                .filteredOn(Counter.class::isInstance)
                .allSatisfy(meter -> assertThat(((Counter) meter).count()).isZero());
    }

    @Test
    void claimsThatMayNotBeListedAreAFailureThatNamesTheRight() {
        cluster.access().revoke(NAMESPACE, "persistentvolumeclaims", "list");
        try (Program program = start(Map.of("claims", "*"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .anyMatch(
                            line ->
                                    line.contains(
                                                    "cannot list resource"
                                                            + " \"persistentvolumeclaims\"")
                                            && line.endsWith("k8s/components/select-claims"));
        }
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }

    @Test
    void claimsOfSeveralNamespacesThatMayNotBeListedAreAFailureThatNamesTheRight() {
        try (Program program = start(Map.of("namespace", "*", "claims", "*"))) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .anyMatch(
                            line ->
                                    line.contains("\"persistentvolumeclaims\"")
                                            && line.contains("at the cluster scope")
                                            && line.endsWith("k8s/components/cluster-wide"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "!a",
                "a=",
                "a=b",
                "a==b",
                "a != b",
                "a in (b)",
                "a in (b, c)",
                "a notin (b,c)",
                "x.io/a=b,c",
                "a,b,!c"
            })
    void knowsSelectorsThatKubectlTakes(String selector) {
        assertThat(selector.isEmpty() || LabelSelectorSyntax.isSelector(selector)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a=b=c",
                "a in",
                "a in b",
                "a in ()x",
                "in (a)",
                "a,,b",
                ",",
                "a=b,",
                "=b",
                "a>1",
                "a in (b",
                "!a=b",
                "-a=b",
                "a=b c",
                "A/b/c=d"
            })
    void refusesSelectorsThatKubectlRefuses(String selector) {
        assertThat(LabelSelectorSyntax.isSelector(selector)).isFalse();
    }

    private String classOf(String claim) {
        return cluster.snapshots(NAMESPACE, claim).stream()
                .filter(snapshot -> !snapshot.terminating())
                .reduce((first, second) -> second)
                .orElseThrow()
                .className();
    }

    private String taken(Map<String, String> settings) {
        try (Program program = start(settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR)).isEmpty();
        }
        return Stream.of(NAMESPACE, "blog", "other")
                .flatMap(namespace -> cluster.snapshots(namespace).stream())
                .map(SimulatedSnapshot::claim)
                .sorted()
                .collect(Collectors.joining(","));
    }

    private Program start(Map<String, String> settings) {
        return Program.start(cluster, settings);
    }

    private void grantEverywhere() {
        cluster.access()
                .grant(EVERYWHERE, SNAPSHOTS, "create", "get", "list", "delete")
                .grant(EVERYWHERE, "persistentvolumeclaims", "list");
    }

    private static PersistentVolumeClaim claimOf(
            String name, Map<String, String> annotations, String volume) {
        return new PersistentVolumeClaimBuilder(claim(name, "", SimulatedCluster.STORAGE_CLASS))
                .editMetadata()
                .withAnnotations(annotations)
                .endMetadata()
                .editSpec()
                .withVolumeName(volume)
                .endSpec()
                .build();
    }

    private static PersistentVolume volume(String name, String driver) {
        PersistentVolumeBuilder volume =
                new PersistentVolumeBuilder().withNewMetadata().withName(name).endMetadata();
        return driver == null
                ? volume.withNewSpec().withNewHostPath("/data", "Directory").endSpec().build()
                : volume.withNewSpec()
                        .withNewCsi()
                        .withDriver(driver)
                        .withVolumeHandle(name)
                        .endCsi()
                        .endSpec()
                        .build();
    }

    private static PersistentVolumeClaim claim(String name, String driver, String storageClass) {
        return new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withNamespace(NAMESPACE)
                .withName(name)
                .addToAnnotations("volume.kubernetes.io/storage-provisioner", driver)
                .endMetadata()
                .withNewSpec()
                .withStorageClassName(storageClass)
                .endSpec()
                .withNewStatus()
                .withPhase("Bound")
                .endStatus()
                .build();
    }
}
