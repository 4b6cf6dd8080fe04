package io.volumesnapshotter.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.openshift.api.model.monitoring.v1.PodMetricsEndpoint;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.Rule;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The alerts, their runbook and the dashboard fit together and to the program. What the alerts do
 * is tested by {@code promtool test rules}, and by {@link AlertingIT} with a real Prometheus.
 */
class MonitoringTest {

    private static final Path COMPONENT = Path.of("k8s", "components", "monitoring");
    private static final Path DASHBOARD = COMPONENT.resolve("volume-snapshotter.json");
    private static final Path RUNBOOK = Path.of("docs", "alerts.md");
    private static final Path METRICS = Path.of("docs", "monitoring.md");
    private static final Pattern METRIC =
            Pattern.compile("(?<![\\w:/-])volume_snapshotter_[a-z_]+(?<!_)");
    private static final Pattern PART = Pattern.compile("_(bucket|count|sum|max)$");

    static Stream<Rule> alerts() throws IOException {
        return rules().filter(rule -> rule.getAlert() != null);
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void anAlertSaysHowBadItIsAndWhatItIsAbout(Rule alert) {
        assertThat(alert.getAlert()).startsWith("VolumeSnapshotter");
        assertThat(alert.getLabels().get("severity")).isIn("warning", "critical");
        assertThat(alert.getAnnotations())
                .containsOnlyKeys("summary", "description", "runbook_url");
        assertThat(alert.getAnnotations().get("description")).contains("$labels.namespace");
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void anAlertLinksItsSectionOfTheRunbook(Rule alert) {
        assertThat(alert.getAnnotations().get("runbook_url"))
                .endsWith("/docs/alerts.md#" + alert.getAlert().toLowerCase(Locale.ROOT));
    }

    @Test
    void theRunbookHasASectionForEachAlertAndNoOther() throws IOException {
        assertThat(
                        Files.readAllLines(RUNBOOK).stream()
                                .filter(line -> line.startsWith("## VolumeSnapshotter"))
                                .map(line -> line.substring(3)))
                .containsExactlyElementsOf(alerts().map(Rule::getAlert).toList());
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void anAlertIsSeenToFireByPromtool(Rule alert) throws IOException {
        assertThat(Files.readString(Path.of("src", "test", "alerts", "alerts.test.yaml")))
                .containsPattern(
                        "alertname: " + alert.getAlert() + "\n +exp_alerts:\n +- exp_labels");
    }

    @Test
    void theRulesAndTheDashboardUseMetricsThatTheProgramHas() throws IOException {
        String rules = Files.readString(COMPONENT.resolve("prometheusrule.yaml"));

        assertThat(metrics(METRICS)).containsAll(metrics(rules));
        assertThat(metrics(METRICS)).containsAll(metrics(Files.readString(DASHBOARD)));
    }

    @Test
    void theDashboardLeavesItsSourceAndItsIdentityToGrafana() throws IOException {
        JsonNode dashboard = new ObjectMapper().readTree(DASHBOARD.toFile());

        assertThat(dashboard.path("id").isNull()).isTrue();
        assertThat(dashboard.has("uid")).isFalse();
        assertThat(dashboard.findValuesAsText("uid")).isNotEmpty().containsOnly("${datasource}");
        assertThat(dashboard.at("/templating/list").findValuesAsText("name"))
                .containsExactly("datasource", "namespace", "schedule");
    }

    @Test
    void eachPanelOfTheDashboardIsOne() throws IOException {
        JsonNode panels = new ObjectMapper().readTree(DASHBOARD.toFile()).path("panels");

        assertThat(panels).isNotEmpty();
        assertThat(panels).extracting(panel -> panel.path("id").asInt()).doesNotHaveDuplicates();
        assertThat(panels)
                .allSatisfy(
                        panel -> {
                            assertThat(panel.path("description").asText()).isNotEmpty();
                            assertThat(panel.path("targets")).isNotEmpty();
                        });
    }

    @Test
    void theDashboardShowsAClaimThatNeverSucceededToo() throws IOException {
        JsonNode dashboard = new ObjectMapper().readTree(DASHBOARD.toFile());

        assertThat(dashboard.path("panels").findValuesAsText("expr"))
                .filteredOn(expression -> expression.contains("last_success"))
                .hasSize(2)
                .noneMatch(expression -> expression.contains("> 0"));
    }

    @Test
    void prometheusScrapesThePortThatTheProgramServes() throws IOException {
        PodMonitor monitor =
                (PodMonitor)
                        Manifests.read(Files.readString(COMPONENT.resolve("podmonitor.yaml")))
                                .get(0);

        assertThat(monitor.getSpec().getSelector().getMatchLabels())
                .containsOnlyKeys(monitor.getSpec().getJobLabel());
        assertThat(monitor.getSpec().getPodMetricsEndpoints())
                .singleElement()
                .extracting(PodMetricsEndpoint::getPort, PodMetricsEndpoint::getPath)
                .containsExactly("management", "/observe/metrics");
        assertThat(Files.readString(Path.of("k8s", "deployment.yaml")))
                .contains("- name: management\n");
    }

    /** Only where kubectl is installed. */
    @Test
    void inAnOverlayOfOnesOwnAllIsInItsNamespace(@TempDir Path directory) throws Exception {
        Path own = Files.createDirectory(directory.resolve("own"));
        Files.writeString(
                own.resolve("kustomization.yaml"),
                "namespace: shop\nresources: [%s]\ncomponents: [%s]\n"
                        .formatted(
                                own.toRealPath().relativize(Path.of("k8s").toRealPath()),
                                own.toRealPath().relativize(COMPONENT.toRealPath())));

        assertThat(Kustomize.build(own))
                .allMatch(object -> "shop".equals(object.getMetadata().getNamespace()));
    }

    /** Only where kubectl is installed. */
    @Test
    void theOverlayHasTheRulesAndTheDashboardUnchanged() throws Exception {
        List<HasMetadata> objects = Kustomize.build(Path.of("examples/overlays/monitoring"));

        assertThat(
                        objects.stream()
                                .filter(PrometheusRule.class::isInstance)
                                .map(object -> ((PrometheusRule) object).getSpec()))
                .containsExactly(rule().getSpec());
        assertThat(
                        objects.stream()
                                .filter(object -> isDashboard(object))
                                .map(object -> ((ConfigMap) object).getData().values())
                                .toList())
                .singleElement()
                .satisfies(files -> assertThat(files).containsExactly(Files.readString(DASHBOARD)));
    }

    /** Only where kubectl is installed. */
    @Test
    void withTheOverlayThereAreMetrics() throws Exception {
        assertThat(
                        Kustomize.build(Path.of("examples/overlays/monitoring")).stream()
                                .filter(Deployment.class::isInstance)
                                .map(object -> ((Deployment) object).getSpec().getTemplate())
                                .flatMap(pod -> pod.getSpec().getContainers().stream())
                                .flatMap(container -> container.getEnv().stream()))
                .filteredOn(env -> env.getName().equals("CAMEL_METRICS_ENABLED"))
                .singleElement()
                .extracting(EnvVar::getValue)
                .isEqualTo("true");
    }

    private static boolean isDashboard(HasMetadata object) {
        return "1".equals(object.getMetadata().getLabels().get("grafana_dashboard"));
    }

    private static Set<String> metrics(Path page) throws IOException {
        return metrics(Files.readString(page));
    }

    private static Set<String> metrics(String text) {
        return METRIC.matcher(text)
                .results()
                .map(match -> PART.matcher(match.group()).replaceFirst(""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Stream<Rule> rules() throws IOException {
        return rule().getSpec().getGroups().stream().flatMap(group -> group.getRules().stream());
    }

    private static PrometheusRule rule() throws IOException {
        return (PrometheusRule)
                Manifests.read(Files.readString(COMPONENT.resolve("prometheusrule.yaml"))).get(0);
    }
}
