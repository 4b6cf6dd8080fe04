package io.volumesnapshotter;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.Manifests;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.RouteSchema;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The Helm chart, rendered by Helm itself: it installs just what kustomize installs. */
class ChartTest {

    private static final Path CHART = Path.of("charts/volume-snapshotter");
    private static final String NAMESPACE = "default";
    private static final Set<String> HELMS_LABELS =
            Set.of(
                    "app.kubernetes.io/instance",
                    "app.kubernetes.io/version",
                    "app.kubernetes.io/managed-by",
                    "helm.sh/chart");

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir private Path directory;

    @Test
    void helmFindsNothingToSayButThatItHasNoIcon() {
        LintResult result = new Helm(CHART).lint().strict().call();

        assertThat(result.getMessages()).containsExactly("[INFO] Chart.yaml: icon is recommended");
        assertThat(result.isFailed()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "k8s,",
        "examples/overlays/select-claims, selectClaims=true",
        "examples/overlays/commands, commands=true",
        "examples/overlays/cronjob, cronJob.enabled=true",
        "examples/overlays/read-claims, readClaims=true",
        "examples/overlays/hooks, hooks=true",
        "examples/overlays/cluster-wide, clusterWide=true",
        "examples/overlays/read-volumes, selectClaims=true readVolumes=true",
        "examples/overlays/events, events=true",
        "examples/overlays/preflight, preflight=true",
        "examples/overlays/restore, restore=true",
        "examples/overlays/restore-in-place, restoreInPlace=true",
        "examples/overlays/drill, drill=true",
        "examples/overlays/high-availability, highAvailability=true",
        "examples/overlays/monitoring, monitoring.enabled=true",
        "examples/overlays/camel-monitor, camelMonitor=true",
        "examples/overlays/jolokia, jolokia.enabled=true",
        "examples/overlays/hawtio-online, hawtioOnline.enabled=true",
        "examples/overlays/network-policy, networkPolicy.enabled=true",
        "examples/overlays/protect-routes, protectRoutes=true",
    })
    void aValueInstallsWhatTheOverlayInstalls(Path overlay, String values) throws Exception {
        Map<String, JsonNode> expected = comparable(Kustomize.build(overlay));
        Map<String, JsonNode> rendered = comparable(render(values == null ? "" : values));
        assertThat(rendered).containsOnlyKeys(expected.keySet());
        expected.forEach((name, object) -> assertThat(rendered.get(name)).isEqualTo(object));
    }

    /** Else one would be missing in the test above. */
    @Test
    void everyOverlayIsCompared() throws Exception {
        CsvSource compared =
                ChartTest.class
                        .getDeclaredMethod(
                                "aValueInstallsWhatTheOverlayInstalls", Path.class, String.class)
                        .getAnnotation(CsvSource.class);
        try (Stream<Path> overlays = Files.list(Path.of("examples/overlays"))) {
            assertThat(overlays.map(Path::toString))
                    .isSubsetOf(Stream.of(compared.value()).map(row -> row.split(",")[0]).toList());
        }
    }

    @Test
    void theSettingsAreThoseOfKustomizeOrTheProgramsDefaults() throws Exception {
        Map<String, String> environment = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("k8s/settings.env"))) {
            if (!line.startsWith("#")) {
                environment.put(line.split("=", 2)[0], line.split("=", 2)[1]);
            }
        }

        assertThat(environment).containsAllEntriesOf(settings(render("")));
    }

    @Test
    void everySettingOfTheProgramCanBeSetAndNothingElse() throws Exception {
        Properties properties = new Properties();
        try (Reader reader =
                Files.newBufferedReader(Path.of("src/main/resources/application.properties"))) {
            properties.load(reader);
        }
        Set<String> names = new TreeSet<>();
        for (String name : properties.stringPropertyNames()) {
            if (name.startsWith(Settings.PREFIX)) {
                names.add(name.substring(Settings.PREFIX.length()));
            }
        }
        // The chart sets them itself.
        names.remove("routes");
        names.remove("leader-election");
        names.removeIf(name -> name.startsWith("jolokia-tls"));

        List<String> allowed = new ArrayList<>();
        JSON.readTree(CHART.resolve("values.schema.json").toFile())
                .at("/properties/settings/propertyNames/enum")
                .forEach(name -> allowed.add(name.asText()));
        assertThat(allowed).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void aSettingIsAVariable() throws Exception {
        assertThat(settings(render("settings.keep-last=7 settings.opt-in=true")))
                .containsEntry("SNAPSHOTTER_KEEP_LAST", "7")
                .containsEntry("SNAPSHOTTER_OPT_IN", "true");
    }

    @Test
    void aBigNumberIsWrittenAsOne() throws Exception {
        assertThat(settings(render("settings.metrics-claims=12000000")))
                .containsEntry("SNAPSHOTTER_METRICS_CLAIMS", "12000000");
    }

    @Test
    void aRouteJoinsOrStandsInForTheProgramsOrLeavesOneOut() throws Exception {
        Path values = directory.resolve("values.yaml");
        Files.writeString(
                values,
                """
                routes:
                  hourly: ""
                  notify: "- route: mine\\n"
                  nightly: |
                    - route:
                        from: "{{cron:0 3 * * *}}"
                """);

        Map<String, String> routes =
                data(Manifests.read(template("").withValuesFile(values).call()), "routes");

        assertThat(routes)
                .doesNotContainKey("hourly.camel.yaml")
                .containsEntry("notify.camel.yaml", "- route: mine\n")
                .containsEntry("nightly.camel.yaml", "- route:\n    from: \"{{cron:0 3 * * *}}\"\n")
                .containsEntry(
                        "run-schedule.camel.yaml",
                        Files.readString(Path.of("routes/run-schedule.camel.yaml")));
    }

    @Test
    void theExampleOfTheDocsIsAProgram() throws Exception {
        Path values = directory.resolve("values.yaml");
        Matcher example =
                Pattern.compile("(?ms)^```yaml\n(image:\n.*?)^```$")
                        .matcher(Files.readString(Path.of("docs/deploy.md")));
        assertThat(example.find()).isTrue();
        Files.writeString(values, example.group(1));
        Path routes = Files.createDirectory(directory.resolve("routes"));
        for (Map.Entry<String, String> file :
                data(Manifests.read(template("").withValuesFile(values).call()), "routes")
                        .entrySet()) {
            assertThat(RouteSchema.violations(file.getValue())).isEmpty();
            Files.writeString(routes.resolve(file.getKey()), file.getValue());
        }

        try (SimulatedCluster cluster = SimulatedCluster.withClaims("orders", "carts");
                Program program = Program.of(cluster).routes(routes).start()) {
            assertThat(program.told(Level.WARN)).isEmpty();
            assertThat(program.context().getRoute("nightly")).isNotNull();
            assertThat(program.context().getRoute("hourly")).isNull();
        }
    }

    @Test
    void aChangeOfTheSettingsRestartsThePodAndOneOfTheRoutesDoesNot() throws Exception {
        assertThat(deployment(render("settings.keep-last=2"))).isNotEqualTo(deployment(render("")));
        assertThat(deployment(render("routes.notify=x"))).isEqualTo(deployment(render("")));
    }

    @Test
    void twoReleasesInOneNamespaceShareNothing() throws Exception {
        String values =
                "selectClaims=true clusterWide=true readVolumes=true events=true preflight=true"
                        + " highAvailability=true monitoring.enabled=true"
                        + " networkPolicy.enabled=true protectRoutes=true";

        List<HasMetadata> one = Manifests.read(template(values).withName("one").call());
        List<HasMetadata> other = Manifests.read(template(values).withName("other").call());

        assertThat(names(one)).hasSameSizeAs(one).doesNotContainAnyElementsOf(names(other));
        assertThat(Serialization.asYaml(deployment(one)))
                .contains("SNAPSHOTTER_LEASE_NAME", "one-volume-snapshotter-routes");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "settings.keep-lats=3 | keep-lats",
                "keepLast=3 | keepLast",
                "replicas=two | replicas",
                "image.pullPolicy=Sometimes | pullPolicy",
                "routes.Not_A_Name=x | Not_A_Name",
                "cronJob.enabled=true highAvailability=true | leave out one of them",
                "cronJob.enabled=true monitoring.enabled=true | leave out one of them",
                "image.repository= | image.repository is empty; set it to where your cluster pulls",
            })
    void aWrongValueIsRefusedByItsName(String value, String words) {
        assertThatThrownBy(() -> render(value)).hasMessageContaining(words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.26.9", "1.20.0"})
    void aClusterThatIsTooOldIsRefused(String version) {
        assertThatThrownBy(() -> template("").withKubeVersion(version).call())
                .hasMessageContaining("1.27");
    }

    /** What is published holds the files and no links. */
    @Test
    void thePackageRendersAsTheDirectoryDoes() throws Exception {
        new Helm(CHART).packageIt().withDestination(directory).call();

        Path packaged = directory.resolve("volume-snapshotter-0.1.0.tgz");
        assertThat(template(packaged, "monitoring.enabled=true").call())
                .isEqualTo(template("monitoring.enabled=true").call());
    }

    @Test
    void theChartIsOfTheVersionThatIsBuilt() throws Exception {
        JsonNode chart = yaml(CHART.resolve("Chart.yaml"));
        String version =
                Serialization.unmarshal(
                                Files.readString(Path.of("k8s/kustomization.yaml")),
                                ObjectNode.class)
                        .at("/images/0/newTag")
                        .asText();

        assertThat(chart.path("version").asText()).isEqualTo(version);
        assertThat(chart.path("appVersion").asText()).isEqualTo(version);
    }

    private List<HasMetadata> render(String values) throws IOException {
        return Manifests.read(template(values).call());
    }

    private static TemplateCommand template(String values) {
        return template(CHART, values);
    }

    private static TemplateCommand template(Path chart, String values) {
        TemplateCommand command =
                new Helm(chart)
                        .template()
                        .withName("volume-snapshotter")
                        .withNamespace(NAMESPACE)
                        .withKubeVersion("1.36.0")
                        .set("image.repository", "volume-snapshotter");
        for (String value : values.isEmpty() ? new String[0] : values.trim().split(" ")) {
            String[] parts = value.split("=", 2);
            command.set(parts[0], parts[1]);
        }
        return command;
    }

    private static Map<String, String> settings(List<HasMetadata> objects) {
        return data(objects, "settings");
    }

    private static Map<String, String> data(List<HasMetadata> objects, String suffix) {
        return objects.stream()
                .filter(ConfigMap.class::isInstance)
                .map(ConfigMap.class::cast)
                .filter(map -> map.getMetadata().getName().equals("volume-snapshotter-" + suffix))
                .findFirst()
                .orElseThrow()
                .getData();
    }

    private static Deployment deployment(List<HasMetadata> objects) {
        return objects.stream()
                .filter(Deployment.class::isInstance)
                .map(Deployment.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static Set<String> names(List<HasMetadata> objects) {
        Set<String> names = new TreeSet<>();
        objects.forEach(
                object -> names.add(object.getKind() + " " + object.getMetadata().getName()));
        return names;
    }

    private static JsonNode yaml(Path file) throws IOException {
        return new ObjectMapper(new YAMLFactory()).readTree(file.toFile());
    }

    /**
     * What has to be equal. What each way adds of its own is left out: Helm's labels and pull
     * policy, the namespace in the names of a cluster's objects, the hash in the name of the
     * settings, and the settings themselves.
     */
    private static Map<String, JsonNode> comparable(List<HasMetadata> objects) {
        return objects.stream()
                .map(object -> (ObjectNode) JSON.valueToTree(object))
                .filter(object -> !isSettings(object))
                .map(ChartTest::plain)
                .collect(
                        toMap(
                                object -> object.path("kind") + " " + object.at("/metadata/name"),
                                object -> object,
                                (one, other) -> {
                                    throw new IllegalStateException("twice: " + one);
                                },
                                TreeMap::new));
    }

    private static boolean isSettings(ObjectNode object) {
        return object.at("/metadata/name").asText().startsWith("volume-snapshotter-settings");
    }

    private static ObjectNode plain(ObjectNode object) {
        ObjectNode plain = (ObjectNode) withoutHelms(object);
        for (String template : List.of("/spec/template", "/spec/jobTemplate/spec/template")) {
            if (plain.at(template + "/spec/containers/0") instanceof ObjectNode container) {
                container.remove("imagePullPolicy");
            }
        }
        return plain;
    }

    private static JsonNode withoutHelms(JsonNode node) {
        if (node instanceof ObjectNode object) {
            ObjectNode plain = object.objectNode();
            object.properties().stream()
                    .filter(field -> !HELMS_LABELS.contains(field.getKey()))
                    .filter(field -> !field.getKey().equals("volume-snapshotter/settings"))
                    .map(field -> Map.entry(field.getKey(), withoutHelms(field.getValue())))
                    .filter(
                            field ->
                                    !field.getKey().equals("annotations")
                                            || !field.getValue().isEmpty())
                    .forEach(field -> plain.set(field.getKey(), field.getValue()));
            return plain;
        }
        if (node instanceof ArrayNode array) {
            ArrayNode plain = array.arrayNode();
            List<JsonNode> elements = new ArrayList<>();
            array.forEach(element -> elements.add(withoutHelms(element)));
            // Variables, ports and volumes go by their names; their order means nothing.
            if (elements.stream().allMatch(element -> element.has("name"))) {
                elements.sort(Comparator.comparing(element -> element.path("name").asText()));
            }
            return plain.addAll(elements);
        }
        if (node.isTextual()) {
            return JSON.valueToTree(
                    node.asText()
                            .replaceFirst("^" + NAMESPACE + "-", "")
                            .replaceFirst(
                                    "^volume-snapshotter-settings-\\w+$",
                                    "volume-snapshotter-settings"));
        }
        return node;
    }
}
