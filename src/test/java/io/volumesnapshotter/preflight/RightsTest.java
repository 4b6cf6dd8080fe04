package io.volumesnapshotter.preflight;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import io.volumesnapshotter.observe.Events;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.testing.Cli;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rights of each overlay: which they are, and that schedules of its reach work with them. */
class RightsTest {

    /** The components that have rights, and the overlays of their names. */
    private static final List<String> WITH_RIGHTS =
            List.of(
                    "select-claims",
                    "cluster-wide",
                    "high-availability",
                    "events",
                    "preflight",
                    "read-volumes");

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    private static final Path K8S = Path.of("k8s");
    private static final Path OVERLAYS = Path.of("examples", "overlays");
    private static final Path SELECT_CLAIMS = OVERLAYS.resolve("select-claims");
    private static final Path CLUSTER_WIDE = OVERLAYS.resolve("cluster-wide");
    private static final Path EVENTS = OVERLAYS.resolve("events");

    private static final Path HIGH_AVAILABILITY = OVERLAYS.resolve("high-availability");
    private static final Path PREFLIGHT = OVERLAYS.resolve("preflight");

    private static final String SNAPSHOTS =
            "snapshot.storage.k8s.io/volumesnapshots: create get list delete";

    /** Tells soon that it cannot lead, and does not lose a Lease for a request that takes long. */
    private static final Map<String, String> ELECTION =
            Map.of(
                    "claims", "db",
                    "lease-duration", "30s",
                    "renew-deadline", "1500ms",
                    "retry-period", "300ms");

    private static final Map<String, String> SELECTING = Map.of("claim-selector", "app=db");
    private static final Map<String, String> EVERYWHERE = Map.of("namespace", "*", "claims", "*");
    private static final Map<String, String> BY_NAMESPACE =
            Map.of("namespace-selector", "team=shop", "claims", "*");

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    @BeforeEach
    void startCluster() {
        cluster.access().revokeAll();
        cluster.claim(NAMESPACE, "db", Map.of("app", "db"));
        cluster.claim(NAMESPACE, "web", Map.of("app", "web"));
        cluster.put(
                new NamespaceBuilder()
                        .withNewMetadata()
                        .withName("shop")
                        .addToLabels("team", "shop")
                        .endMetadata()
                        .build());
        cluster.claim("shop", "carts");
    }

    @Test
    void theBaseLetsNamedClaimsBeTaken() throws Exception {
        apply(K8S);
        assertThat(taken(Map.of("claims", "db"))).isEqualTo("apps/db");
    }

    @Test
    void theBaseDoesNotLetClaimsBeSelected() throws Exception {
        apply(K8S);
        assertRefused(
                SELECTING,
                "cannot list resource \"persistentvolumeclaims\"",
                "in the namespace \"apps\" -> grant it, as in k8s/components/select-claims");
    }

    @Test
    void selectClaimsAddsTheListOfClaimsInTheNamespace() throws Exception {
        assertThat(rules(Kustomize.build(SELECT_CLAIMS)))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-select-claims /persistentvolumeclaims: list");
    }

    /** That a drill needs no more, {@code DrillScheduleTest} shows. */
    @Test
    void drillAddsTemporaryClaimsAndPodsAndOneConfigMap() throws Exception {
        String role = "Role volume-snapshotter-drill ";
        String clusterRole = "ClusterRole volume-snapshotter-drill ";
        assertThat(rules(Kustomize.build(OVERLAYS.resolve("drill"))))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        role + "/persistentvolumeclaims: get list create delete",
                        role + "/pods: get list create delete",
                        role + "/pods/log: get",
                        role + "/events: list",
                        role + "/configmaps/volume-snapshotter-proofs: get patch",
                        clusterRole + "storage.k8s.io/storageclasses: get",
                        clusterRole + "snapshot.storage.k8s.io/volumesnapshotclasses: get",
                        clusterRole + "/persistentvolumes: get");
    }

    @Test
    void commandsAddsWhatHoldNeedsAndTheWatchOfTake() throws Exception {
        assertThat(rules(Kustomize.build(OVERLAYS.resolve("commands"))))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-commands"
                                + " snapshot.storage.k8s.io/volumesnapshots: patch watch");
    }

    @Test
    void readClaimsAddsTheRightToGetThemAndLetsThemBeWrittenDown() throws Exception {
        Path overlay = OVERLAYS.resolve("read-claims");
        assertThat(rules(Kustomize.build(overlay)))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-read-claims /persistentvolumeclaims: get");
        apply(overlay);
        assertThat(taken(Map.of("claims", "db", "read-claims", "true"))).isEqualTo("apps/db");
        assertThat(cluster.snapshots(NAMESPACE).get(0).annotations())
                .containsKey(RecordedClaim.ACCESS_MODES);
    }

    @Test
    void hooksAddsThePatchAndTheWatchOfSnapshots() throws Exception {
        assertThat(rules(Kustomize.build(OVERLAYS.resolve("hooks"))))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-hooks"
                                + " snapshot.storage.k8s.io/volumesnapshots: patch watch");
    }

    @Test
    void selectClaimsLetsClaimsOfTheNamespaceBeSelected() throws Exception {
        apply(SELECT_CLAIMS);
        assertThat(taken(SELECTING)).isEqualTo("apps/db");
    }

    @Test
    void selectClaimsDoesNotReachOtherNamespaces() throws Exception {
        apply(SELECT_CLAIMS);
        assertRefused(
                EVERYWHERE,
                "cannot list resource \"persistentvolumeclaims\"",
                "at the cluster scope -> grant it, as in k8s/components/cluster-wide");
    }

    @Test
    void clusterWideAddsTheRightsInAllNamespaces() throws Exception {
        assertThat(rules(Kustomize.build(CLUSTER_WIDE)))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "ClusterRole volume-snapshotter " + SNAPSHOTS,
                        "ClusterRole volume-snapshotter /persistentvolumeclaims: list",
                        "ClusterRole volume-snapshotter /namespaces: list");
    }

    @Test
    void clusterWideLetsClaimsOfAllNamespacesBeSelected() throws Exception {
        apply(CLUSTER_WIDE);
        assertThat(taken(EVERYWHERE)).isEqualTo("apps/db,apps/web,shop/carts");
    }

    @Test
    void clusterWideLetsNamespacesBeSelected() throws Exception {
        apply(CLUSTER_WIDE);
        assertThat(taken(BY_NAMESPACE)).isEqualTo("shop/carts");
    }

    @Test
    void eventsAddsTheRightToWriteThemAndToReadTheClaims() throws Exception {
        assertThat(rules(Kustomize.build(EVENTS)))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-events /events: create get update",
                        "Role volume-snapshotter-events /persistentvolumeclaims: get");
    }

    @Test
    void eventsLetsFailuresBeWrittenOnTheirClaimsAndCounted() throws Exception {
        apply(EVENTS);
        cluster.driver().fails("rpc error: code = Unimplemented desc = no");
        try (Program program = start(Map.of("claims", "db"))) {
            program.fire(TEN);
            program.fire(TEN.plusSeconds(3600));
            await().until(
                            () ->
                                    cluster
                                            .admin()
                                            .v1()
                                            .events()
                                            .inNamespace(NAMESPACE)
                                            .list()
                                            .getItems()
                                            .stream()
                                            .anyMatch(
                                                    event ->
                                                            event.getReason().equals(Events.FAILED)
                                                                    && event.getCount() == 2));
        }
        assertThat(cluster.log().entries(request -> request.resource().equals("events")))
                .isNotEmpty()
                .noneMatch(request -> request.code() == 403);
    }

    @Test
    void preflightAddsReadsThatRunsDoWithout() throws Exception {
        assertThat(rules(Kustomize.build(PREFLIGHT)))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-preflight /persistentvolumeclaims: get",
                        "ClusterRole volume-snapshotter-preflight"
                                + " snapshot.storage.k8s.io/volumesnapshotclasses: list");
    }

    @Test
    void preflightLetsNamedClaimsAndClassesBeLookedAt() throws Exception {
        apply(PREFLIGHT);
        List<String> lines =
                Cli.of(cluster)
                        .with("claims", "db")
                        .with("snapshot-class-name", "none")
                        .run("preflight")
                        .out();
        assertThat(lines)
                .noneMatch(line -> line.contains("not looked at"))
                .anyMatch(line -> line.startsWith("ERROR snapshot class none: there is none"));
    }

    @Test
    void withoutTheRuleForNamespacesOnlyNamespaceSelectorsFail() throws Exception {
        List<HasMetadata> objects = overlay(CLUSTER_WIDE);
        for (HasMetadata object : objects) {
            if (object instanceof ClusterRole role) {
                role.getRules().removeIf(rule -> rule.getResources().contains("namespaces"));
            }
        }
        apply(objects);
        assertRefused(
                BY_NAMESPACE,
                "cannot list resource \"namespaces\"",
                "grant it, as in k8s/components/cluster-wide");
        assertThat(taken(EVERYWHERE)).isEqualTo("apps/db,apps/web,shop/carts");
    }

    @Test
    void highAvailabilityAddsTheOneLease() throws Exception {
        assertThat(rules(Kustomize.build(HIGH_AVAILABILITY)))
                .containsExactlyInAnyOrder(
                        "Role volume-snapshotter " + SNAPSHOTS,
                        "Role volume-snapshotter-high-availability"
                                + " coordination.k8s.io/leases/volume-snapshotter: get patch",
                        "Role volume-snapshotter-high-availability"
                                + " coordination.k8s.io/leases: create");
    }

    @Test
    void highAvailabilityLetsAReplicaLeadAndGiveTheLeaseBack() throws Exception {
        apply(HIGH_AVAILABILITY);
        try (Program program = Program.of(cluster).replica("pod-1").with(ELECTION).start()) {
            awaitTold(program, Level.INFO, "pod-1 is the leader");
        }
        assertThat(
                        cluster.admin()
                                .leases()
                                .inNamespace(NAMESPACE)
                                .withName("volume-snapshotter")
                                .get()
                                .getSpec()
                                .getHolderIdentity())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"get", "patch", "create"})
    void withoutOneOfTheVerbsOnTheLeaseNoReplicaLeads(String verb) throws Exception {
        List<HasMetadata> objects = overlay(HIGH_AVAILABILITY);
        for (HasMetadata object : objects) {
            rulesOf(object).forEach(rule -> rule.getVerbs().remove(verb));
        }
        apply(objects);
        if (verb.equals("patch")) {
            cluster.admin().resource(anyLease()).create();
        }
        try (Program program = Program.of(cluster).replica("pod-1").with(ELECTION).start()) {
            awaitTold(
                    program,
                    Level.WARN,
                    "cannot %s resource \"leases\"".formatted(verb),
                    "grant it, as in k8s/components/high-availability");
            assertThat(program.told(Level.INFO)).noneMatch(l -> l.contains("pod-1 is the leader"));
        }
    }

    private static Lease anyLease() {
        return new LeaseBuilder()
                .withNewMetadata()
                .withName("volume-snapshotter")
                .withNamespace(NAMESPACE)
                .endMetadata()
                .withNewSpec()
                .endSpec()
                .build();
    }

    private static void awaitTold(Program program, Level level, String... words) {
        await().untilAsserted(
                        () ->
                                assertThat(program.told(level))
                                        .anySatisfy(line -> assertThat(line).contains(words)));
    }

    @ParameterizedTest
    @FieldSource("WITH_RIGHTS")
    void theSubjectOfEachBindingIsTheAccountWhereItIs(String overlay) throws Exception {
        for (List<HasMetadata> objects :
                List.of(
                        Kustomize.build(OVERLAYS.resolve(overlay)),
                        overlay(OVERLAYS.resolve(overlay)))) {
            HasMetadata account =
                    objects.stream()
                            .filter(object -> object.getKind().equals("ServiceAccount"))
                            .findAny()
                            .orElseThrow();
            assertThat(objects.stream().flatMap(RightsTest::subjects))
                    .hasSizeGreaterThanOrEqualTo(2)
                    .allSatisfy(
                            subject -> {
                                assertThat(subject.getKind()).isEqualTo("ServiceAccount");
                                assertThat(subject.getName())
                                        .isEqualTo(account.getMetadata().getName());
                                assertThat(subject.getNamespace())
                                        .isEqualTo(account.getMetadata().getNamespace());
                            });
        }
    }

    @ParameterizedTest
    @FieldSource("WITH_RIGHTS")
    void aComponentInAnOverlayOfOnesOwnBindsTheAccountThere(String component) throws Exception {
        Path own = Files.createDirectory(directory.resolve("own"));
        Files.writeString(
                own.resolve("kustomization.yaml"),
                "namespace: shop\nresources: [%s]\ncomponents: [%s]\n"
                        .formatted(
                                relative(own, K8S),
                                relative(own, K8S.resolve("components").resolve(component))));
        assertThat(Kustomize.build(own).stream().flatMap(RightsTest::subjects))
                .extracting(Subject::getNamespace)
                .hasSizeGreaterThanOrEqualTo(2)
                .containsOnly("shop");
    }

    private String taken(Map<String, String> settings) {
        try (Program program = start(settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .anyMatch(line -> line.startsWith("hourly-20261122100000: succeeded"));
        }
        return Stream.of(NAMESPACE, "shop")
                .flatMap(namespace -> cluster.snapshots(namespace).stream())
                .filter(SimulatedSnapshot::ready)
                .map(snapshot -> snapshot.namespace() + "/" + snapshot.claim())
                .sorted()
                .collect(joining(","));
    }

    private void assertRefused(Map<String, String> settings, String... words) {
        try (Program program = start(settings)) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .anySatisfy(
                            line ->
                                    assertThat(line)
                                            .startsWith(
                                                    "hourly-20261122100000: run-schedule failed")
                                            .contains(words));
            assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("succeeded"));
        }
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }

    private Program start(Map<String, String> settings) {
        return Program.start(cluster, settings);
    }

    private void apply(Path kustomization) throws Exception {
        apply(overlay(kustomization));
    }

    private void apply(List<HasMetadata> objects) {
        objects.stream()
                .filter(object -> object.getApiVersion().startsWith("rbac."))
                .forEach(object -> cluster.admin().resource(object).create());
    }

    /** A kustomization with another namespace. */
    private List<HasMetadata> overlay(Path kustomization) throws Exception {
        Path overlay = Files.createTempDirectory(directory, "overlay");
        Files.writeString(
                overlay.resolve("kustomization.yaml"),
                "namespace: %s\nresources: [%s]\n"
                        .formatted(NAMESPACE, relative(overlay, kustomization)));
        return Kustomize.build(overlay);
    }

    private static Path relative(Path from, Path to) throws IOException {
        return from.toRealPath().relativize(to.toRealPath());
    }

    private static List<String> rules(List<HasMetadata> objects) {
        return objects.stream()
                .flatMap(
                        object ->
                                rulesOf(object).stream()
                                        .map(
                                                rule ->
                                                        object.getKind()
                                                                + " "
                                                                + object.getMetadata().getName()
                                                                + " "
                                                                + text(rule)))
                .toList();
    }

    private static List<PolicyRule> rulesOf(HasMetadata object) {
        if (object instanceof Role role) {
            return role.getRules();
        }
        return object instanceof ClusterRole role ? role.getRules() : List.of();
    }

    private static String text(PolicyRule rule) {
        return String.join(",", rule.getApiGroups())
                + "/"
                + String.join(",", rule.getResources())
                + rule.getResourceNames().stream().map(name -> "/" + name).collect(joining())
                + ": "
                + String.join(" ", rule.getVerbs());
    }

    private static Stream<Subject> subjects(HasMetadata object) {
        if (object instanceof RoleBinding binding) {
            return binding.getSubjects().stream();
        }
        return object instanceof ClusterRoleBinding binding
                ? binding.getSubjects().stream()
                : Stream.empty();
    }
}
