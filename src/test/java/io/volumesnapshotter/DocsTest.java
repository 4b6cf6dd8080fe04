package io.volumesnapshotter;

import static io.volumesnapshotter.simulation.AccessRules.EVERYWHERE;
import static io.volumesnapshotter.simulation.SimulatedCluster.SNAPSHOTS;
import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.RouteSchema;
import io.volumesnapshotter.testing.TestRoutes;
import io.volumesnapshotter.testing.ToldLines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the page on schedules and the examples show is what the program does. */
class DocsTest {

    private static final Path PAGE = Path.of("docs", "schedules.md");
    private static final Path EXAMPLES = Path.of("examples");
    private static final Pattern YAML = Pattern.compile("(?ms)^```yaml\n(.*?)^```$");
    private static final Pattern TRIGGER = Pattern.compile("(?m)^( *cron: ).*$");

    /** Later than its jitter and earlier than the next fire. */
    private static final Instant DUE =
            Instant.now().truncatedTo(ChronoUnit.HOURS).minusSeconds(7200);

    private static final String OWN =
            "apps/cache,apps/carts,apps/ceph,apps/data,apps/db,apps/keen,apps/orders";
    private static final String ALL =
            OWN + ",billing/cache,billing/ledger,lab/data,shop/db,shop/media";

    /** The claims that each example takes a snapshot of. */
    private static final Map<String, String> TAKEN =
            Map.ofEntries(
                    Map.entry("weekdays", "apps/carts,apps/orders"),
                    Map.entry("selected", "apps/db"),
                    Map.entry("teams", "billing/cache,billing/ledger,shop/db,shop/media"),
                    Map.entry("everywhere", ALL),
                    Map.entry("asked-for", "apps/keen"),
                    Map.entry("labelled", OWN),
                    Map.entry("spread", "apps/data,apps/orders"),
                    Map.entry("paused", ""),
                    Map.entry("tiered", "apps/data"),
                    Map.entry("forever", "apps/data"),
                    Map.entry("adopting", "apps/data"),
                    Map.entry("velero", ""),
                    Map.entry("large", ALL),
                    Map.entry("databases", "billing/cache,shop/db"),
                    Map.entry("nightly", "billing/ledger,shop/media"));

    private static final Path DRILL = EXAMPLES.resolve("drill.camel.yaml");

    @TempDir private Path routes;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();

    /** A schedule that is shown, as a route file. */
    private record Example(String name, String text) {

        static Example of(String yaml) {
            JsonNode first = RouteSchema.parse(yaml).get(0);
            if (first.has("route")) {
                return new Example(first.at("/route/id").asText(), yaml);
            }
            String name = first.at("/to/uri").asText().replace("policy:", "");
            String hourly = read(Path.of("routes", "hourly" + RouteFiles.SUFFIX));
            String step = "        - to:\n            uri: policy:hourly\n";
            assertThat(hourly).contains(step);
            return new Example(name, hourly.replace(step, yaml.indent(8)).replace("hourly", name));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Example> examples() throws IOException {
        try (Stream<Path> files = Files.list(EXAMPLES)) {
            return Stream.concat(
                            YAML.matcher(read(PAGE)).results().map(block -> block.group(1)),
                            files.filter(Files::isRegularFile)
                                    .filter(file -> !file.equals(DRILL))
                                    .sorted()
                                    .map(DocsTest::read))
                    .map(Example::of)
                    .toList();
        }
    }

    @BeforeEach
    void startCluster() throws IOException {
        TestRoutes.copyTo(routes);
        cluster.access()
                .grant(EVERYWHERE, SNAPSHOTS, "create", "get", "list", "delete")
                .grant(EVERYWHERE, "persistentvolumeclaims", "list")
                .grant(EVERYWHERE, "namespaces", "list");
        cluster.snapshotClass("rbd-default", "rbd.csi.ceph.com", true, "Delete");
        cluster.snapshotClass("rbd-snapshots", "rbd.csi.ceph.com", false, "Delete");
        for (String name : List.of("data", "orders", "carts")) {
            cluster.claim(NAMESPACE, name);
        }
        cluster.claim(NAMESPACE, "db", Map.of("app", "db"));
        cluster.claim(NAMESPACE, "cache", Map.of("app", "cache", "tier", "scratch"));
        cluster.claim(NAMESPACE, "keen", Map.of(), Map.of("volume-snapshotter/snapshot", "true"));
        cephClaim();
        namespace("shop");
        cluster.claim("shop", "db", Map.of("app", "db"));
        cluster.claim("shop", "media", Map.of("app", "web"));
        namespace("billing");
        cluster.claim("billing", "cache", Map.of("app", "cache"));
        cluster.claim("billing", "ledger");
        cluster.claim("billing", "shy", Map.of(), Map.of("volume-snapshotter/snapshot", "false"));
        cluster.namespace("lab");
        cluster.claim("lab", "data");
    }

    /** It is run by {@code DrillScheduleTest}. */
    @Test
    void theDrillOfThePageIsTheExampleAndValid() throws IOException {
        assertThat(read(Path.of("docs", "drill.md"))).contains("```yaml\n" + read(DRILL) + "```");
        assertThat(RouteSchema.violations(read(DRILL))).isEmpty();
    }

    @Test
    void eachExampleHasANameOfItsOwn() throws IOException {
        assertThat(examples())
                .extracting(Example::name)
                .containsExactlyInAnyOrderElementsOf(TAKEN.keySet());
    }

    @ParameterizedTest
    @MethodSource("examples")
    void anExampleIsValidByTheYamlDslsOwnSchema(Example example) {
        assertThat(RouteSchema.violations(example.text)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void anExampleIsLoadedBesideTheRoutesThatShip(Example example) throws Exception {
        Files.writeString(routes.resolve(example.name + RouteFiles.SUFFIX), example.text);
        Properties settings = new Properties();
        settings.put("snapshotter.claims", "data");
        settings.put("snapshotter.routes", routes.toString());
        CamelContext context = new DefaultCamelContext();
        try (ToldLines lines = new ToldLines()) {
            context.getPropertiesComponent().setLocation("classpath:application.properties");
            context.getPropertiesComponent().setOverrideProperties(settings);
            new SnapshotterConfiguration(Cluster.of(cluster.config(NAMESPACE)), Map.of())
                    .configure(context);
            assertThat(lines.atLeast(Level.WARN)).isEmpty();
        } finally {
            context.stop();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void anExampleTakesSnapshotsOfTheClaimsThatItIsMeantFor(Example example) throws IOException {
        try (Program program = run(example)) {
            assertThat(program.told(Level.WARN)).isEmpty();
        }
        assertThat(
                        snapshots()
                                .filter(SimulatedSnapshot::ready)
                                .map(snapshot -> snapshot.namespace() + "/" + snapshot.claim())
                                .sorted()
                                .collect(Collectors.joining(",")))
                .isEqualTo(TAKEN.get(example.name));
    }

    @Test
    void classLabelsAndAnnotationsAreThoseOfTheExample() throws IOException {
        run(example("labelled")).close();
        assertThat(cluster.snapshots(NAMESPACE, "ceph"))
                .singleElement()
                .satisfies(
                        snapshot -> {
                            assertThat(snapshot.className()).isEqualTo("rbd-snapshots");
                            assertThat(snapshot.labels())
                                    .containsEntry("team", "shop")
                                    .containsEntry("tier", "gold");
                        });
    }

    @Test
    void theSuspendedExampleTellsThatItIs() throws IOException {
        try (Program program = run(example("paused"))) {
            assertThat(program.told(Level.INFO))
                    .contains("paused: suspended, nothing is taken or pruned");
        }
    }

    @Test
    void theExampleThatAdoptsKeepsTwoOfBothKinds() throws IOException {
        old("original-1", Map.of("job", "volume-snapshotter"), 2);
        old("original-2", Map.of("job", "volume-snapshotter"), 1);
        run(example("adopting")).close();
        awaitNames("original-2", SnapshotNames.snapshot("data", "adopting", DUE));
    }

    @Test
    void theExampleThatPrunesThoseOfOthersKeepsTwo() throws IOException {
        for (int i = 1; i <= 4; i++) {
            old("velero-" + i, Map.of("velero.io/backup-name", "b" + i), 10 - i);
        }
        run(example("velero")).close();
        awaitNames("velero-3", "velero-4");
    }

    @Test
    void theExampleWithARuleWithoutValueKeepsEverything() throws IOException {
        String[] names = Stream.of(2, 1, 0).map(this::takenHoursBefore).toArray(String[]::new);
        run(example("forever")).close();
        awaitNames(names);
    }

    @Test
    void theExampleWithOtherKeepRulesThanTheProgramsPrunesByThem() throws IOException {
        String daily = example("nightly").text.replace("nightly", "daily");
        for (int day = 1; day <= 9; day++) {
            Instant due = DUE.minus(Duration.ofDays(day));
            String name = takenDaysBefore(day);
            Map<String, String> labels =
                    SnapshotLabels.of(
                            name, "daily", SnapshotNames.run("daily", due), Program.INSTALLATION);
            cluster.snapshot("shop", name, "media", labels, due);
        }
        run(new Example("daily", daily)).close();
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots("shop", "media"))
                                        .extracting(SimulatedSnapshot::name)
                                        .containsExactlyInAnyOrder(
                                                IntStream.range(0, 7)
                                                        .mapToObj(DocsTest::takenDaysBefore)
                                                        .toArray(String[]::new)));
    }

    private static String takenDaysBefore(int days) {
        return SnapshotNames.snapshot("media", "daily", DUE.minus(Duration.ofDays(days)));
    }

    @Test
    void aWrongFileIsToldAsThePageSays() throws IOException {
        TestRoutes.schedule(routes, "nightly", "keep-daily: 0");
        try (Program program = Program.start(cluster, "data", routes)) {
            assertThat(program.told(Level.ERROR))
                    .singleElement()
                    .satisfies(
                            line ->
                                    assertThat(read(PAGE))
                                            .contains(
                                                    "\n"
                                                            + line.replace(
                                                                    routes.toString(), "routes")
                                                            + "\n"));
        }
    }

    private Program run(Example example) throws IOException {
        Matcher trigger = TRIGGER.matcher(example.text);
        assertThat(trigger.find()).isTrue();
        Files.writeString(
                routes.resolve(example.name + RouteFiles.SUFFIX),
                trigger.replaceAll("$1\"0 0 0 1 1 ? 2099\""));
        Program program = Program.start(cluster, "data", routes);
        program.fire(example.name, DUE);
        return program;
    }

    private static Example example(String name) throws IOException {
        return examples().stream()
                .filter(example -> example.name.equals(name))
                .findAny()
                .orElseThrow();
    }

    private String takenHoursBefore(int hours) {
        Instant due = DUE.minus(Duration.ofHours(hours));
        String name = SnapshotNames.snapshot("data", "forever", due);
        if (hours > 0) {
            old(
                    name,
                    SnapshotLabels.of(
                            name,
                            "forever",
                            SnapshotNames.run("forever", due),
                            Program.INSTALLATION),
                    hours);
        }
        return name;
    }

    private void old(String name, Map<String, String> labels, int hours) {
        cluster.snapshot(NAMESPACE, name, "data", labels, DUE.minus(Duration.ofHours(hours)));
    }

    private void awaitNames(String... expected) {
        await().untilAsserted(
                        () ->
                                assertThat(snapshots().map(SimulatedSnapshot::name))
                                        .containsExactlyInAnyOrder(expected));
    }

    private Stream<SimulatedSnapshot> snapshots() {
        return Stream.of(NAMESPACE, "billing", "lab", "shop")
                .flatMap(namespace -> cluster.snapshots(namespace).stream());
    }

    private void namespace(String name) {
        cluster.put(
                new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .addToLabels("team", name)
                        .endMetadata()
                        .build());
    }

    private void cephClaim() {
        cluster.put(
                new PersistentVolumeClaimBuilder()
                        .withNewMetadata()
                        .withNamespace(NAMESPACE)
                        .withName("ceph")
                        .addToAnnotations(
                                "volume.kubernetes.io/storage-provisioner", "rbd.csi.ceph.com")
                        .endMetadata()
                        .withNewSpec()
                        .withStorageClassName("ceph")
                        .endSpec()
                        .withNewStatus()
                        .withPhase("Bound")
                        .endStatus()
                        .build());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
