package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.SeccompProfile;
import io.fabric8.kubernetes.api.model.SecretEnvSource;
import io.fabric8.kubernetes.api.model.SecretVolumeSource;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import io.volumesnapshotter.command.ExitCode;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.testing.Kustomize;
import io.volumesnapshotter.testing.Manifests;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the manifests promise to the one who applies them. */
class ManifestsTest {

    private static final Path K8S = Path.of("k8s");
    private static final Path ROUTES = Path.of("routes");

    private final Deployment deployment = object("deployment.yaml", Deployment.class);
    private final PodSpec pod = deployment.getSpec().getTemplate().getSpec();
    private final Container container = pod.getContainers().get(0);
    private final Properties properties = properties();
    private final JsonNode kustomization = yaml(K8S.resolve("kustomization.yaml"));

    static Stream<Path> manifests() throws IOException {
        try (Stream<Path> files = Files.walk(K8S)) {
            return files
                    .filter(file -> file.toString().endsWith(".yaml"))
                    .filter(file -> !file.endsWith("kustomization.yaml"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    static Stream<Path> kustomizations() throws IOException {
        try (Stream<Path> files = Files.walk(K8S)) {
            return files.filter(file -> file.endsWith("kustomization.yaml")).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void aFileHoldsOneObjectAndHasItsKindAsName(Path file) throws IOException {
        assertThat(Manifests.read(Files.readString(file)))
                .singleElement()
                .extracting(object -> object.getKind().toLowerCase(Locale.ROOT) + ".yaml")
                .isEqualTo(file.getFileName().toString());
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void anUnknownFieldIsNoticed(Path file) throws IOException {
        String misspelt = Files.readString(file).replace("\n  name:", "\n  nmae: x\n  name:");

        assertThatThrownBy(() -> Manifests.read(misspelt)).hasMessageContaining("nmae");
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void onlyTheKustomizationNamesTheNamespace(Path file) throws IOException {
        assertThat(Files.readString(file)).doesNotContainPattern("(?m)^\\s*namespace:");
    }

    @ParameterizedTest
    @MethodSource("kustomizations")
    void aKustomizationTakesInEveryFileBesideIt(Path file) throws IOException {
        assertThat(texts(yaml(file).path("resources")))
                .filteredOn(resource -> !resource.equals("../routes"))
                .containsExactlyInAnyOrderElementsOf(
                        manifests()
                                .filter(manifest -> manifest.getParent().equals(file.getParent()))
                                .map(manifest -> manifest.getFileName().toString())
                                .toList());
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void everyRuleHasItsReasonAboveIt(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("  - apiGroups:")) {
                assertThat(lines.get(i - 1)).startsWith("  # ");
            }
        }
    }

    @Test
    void theRoleAllowsFourVerbsOnSnapshotsAndNothingElse() {
        PolicyRule rule = new PolicyRule();
        rule.setApiGroups(List.of("snapshot.storage.k8s.io"));
        rule.setResources(List.of("volumesnapshots"));
        rule.setVerbs(List.of("create", "get", "list", "delete"));

        assertThat(object("role.yaml", Role.class).getRules()).containsExactly(rule);
    }

    @Test
    void theRoleIsBoundToTheProgramsAccountAlone() {
        RoleBinding binding = object("rolebinding.yaml", RoleBinding.class);

        assertThat(binding.getRoleRef().getName())
                .isEqualTo(object("role.yaml", Role.class).getMetadata().getName());
        assertThat(binding.getSubjects())
                .extracting(Subject::getKind, Subject::getName)
                .containsExactly(tuple("ServiceAccount", pod.getServiceAccountName()));
    }

    @Test
    void onlyThePodThatAsksForTheTokenGetsIt() {
        ServiceAccount account = object("serviceaccount.yaml", ServiceAccount.class);

        assertThat(account.getMetadata().getName()).isEqualTo(pod.getServiceAccountName());
        assertThat(account.getAutomountServiceAccountToken()).isFalse();
        assertThat(pod.getAutomountServiceAccountToken()).isTrue();
    }

    @Test
    void theRestrictedProfileAdmitsThePod() {
        assertThat(pod.getContainers()).hasSize(1);
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getSecurityContext().getSeccompProfile().getType())
                .isEqualTo("RuntimeDefault");
        assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
        assertThat(container.getSecurityContext().getCapabilities().getDrop())
                .containsExactly("ALL");
        assertThat(container.getSecurityContext().getCapabilities().getAdd()).isEmpty();
        assertThat(pod.getVolumes())
                .allMatch(volume -> volume.getConfigMap() != null || volume.getEmptyDir() != null);
    }

    /** Else {@code runAsNonRoot} alone would not admit the image. */
    @Test
    void theImagesUserIsANumberAndNotRoot() throws IOException {
        assertThat(Files.readString(Path.of("Dockerfile")))
                .containsPattern("\nUSER [1-9]\\d*:[1-9]\\d*\n");
    }

    static Stream<Path> everythingToApply() throws IOException {
        try (Stream<Path> overlays = Files.list(Path.of("examples/overlays"))) {
            return Stream.concat(Stream.of(K8S), overlays.sorted().toList().stream());
        }
    }

    /** It gives a namespace one user and one group, and admits no pod that names others. */
    @ParameterizedTest
    @MethodSource("everythingToApply")
    void openShiftsRestrictedProfileAdmitsThePod(Path directory) throws Exception {
        PodSpec spec = pods(Kustomize.build(directory)).findFirst().orElseThrow();
        PodSecurityContext own = new PodSecurityContext();
        own.setRunAsNonRoot(true);
        own.setSeccompProfile(new SeccompProfile(null, "RuntimeDefault"));
        assertThat(spec.getSecurityContext()).isEqualTo(own);
        assertThat(spec.getInitContainers()).isEmpty();
        assertThat(spec.getContainers())
                .singleElement()
                .extracting(Container::getSecurityContext)
                .isEqualTo(container.getSecurityContext());
        assertThat(container.getSecurityContext().getRunAsUser()).isNull();
        assertThat(container.getSecurityContext().getRunAsGroup()).isNull();
        assertThat(spec.getHostNetwork()).isNull();
        assertThat(spec.getHostPID()).isNull();
        assertThat(spec.getVolumes()).allMatch(volume -> volume.getHostPath() == null);
    }

    /** The user that OpenShift gives is not that of the image. */
    @ParameterizedTest
    @MethodSource("everythingToApply")
    void whoeverThePodRunsAsReadsItsSecrets(Path directory) throws Exception {
        assertThat(
                        pods(Kustomize.build(directory))
                                .flatMap(spec -> spec.getVolumes().stream())
                                .filter(volume -> volume.getSecret() != null))
                .allSatisfy(
                        volume -> assertThat(volume.getSecret().getDefaultMode()).isEqualTo(0444));
    }

    @Test
    void theRootFileSystemIsReadOnly() {
        assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
    }

    @Test
    void servicesSetNoVariables() {
        assertThat(pod.getEnableServiceLinks()).isFalse();
    }

    @Test
    void onePodRunsAtATime() {
        assertThat(deployment.getSpec().getReplicas()).isEqualTo(1);
        assertThat(deployment.getSpec().getStrategy().getType()).isEqualTo("Recreate");
    }

    @Test
    void theSelectorFindsThePod() {
        assertThat(deployment.getSpec().getSelector().getMatchLabels())
                .containsExactlyEntriesOf(Map.of("app.kubernetes.io/name", "volume-snapshotter"))
                .isEqualTo(deployment.getSpec().getTemplate().getMetadata().getLabels());
    }

    @Test
    void startAndLifeAreProbedWithoutLookingAtTheRoutes() {
        HTTPGetAction live = probe("/observe/health/live");

        assertThat(container.getStartupProbe().getHttpGet()).isEqualTo(live);
        assertThat(container.getLivenessProbe().getHttpGet()).isEqualTo(live);
    }

    /** With a tenth of a CPU the start was measured to take 68 s. */
    @Test
    void aStartMayTakeSeveralMinutes() {
        Probe probe = container.getStartupProbe();
        assertThat(probe.getPeriodSeconds() * probe.getFailureThreshold())
                .isGreaterThanOrEqualTo(180);
    }

    @Test
    void readinessLooksAtTheRoutes() {
        assertThat(container.getReadinessProbe().getHttpGet())
                .isEqualTo(probe("/observe/health/ready"));
    }

    @Test
    void theProbedPortIsTheOneThatTheProgramServes() {
        assertThat(container.getPorts())
                .singleElement()
                .satisfies(
                        port -> {
                            assertThat(port.getName()).isEqualTo("management");
                            assertThat(port.getContainerPort())
                                    .hasToString(properties.getProperty("camel.management.port"));
                        });
        assertThat(environment()).containsEntry("CAMEL_MANAGEMENT_ENABLED", "true");
    }

    @Test
    void requestsAndLimitsAreSet() {
        assertThat(container.getResources().getRequests()).containsOnlyKeys("cpu", "memory");
        assertThat(container.getResources().getLimits()).containsOnlyKeys("cpu", "memory");
    }

    @Test
    void theMemoryLimitLeavesAsMuchBesidesTheHeap() throws IOException {
        Matcher heap =
                Pattern.compile("-Xmx(\\d+)m")
                        .matcher(Files.readString(Path.of("src/main/scripts/volume-snapshotter")));
        assertThat(heap.find()).isTrue();

        assertThat(
                        Quantity.getAmountInBytes(
                                        container.getResources().getLimits().get("memory"))
                                .longValueExact())
                .isGreaterThanOrEqualTo(2 * Long.parseLong(heap.group(1)) << 20);
    }

    @Test
    void theImageIsPinnedToTheVersionThatIsBuilt() throws IOException {
        Matcher version =
                Pattern.compile("<artifactId>volume-snapshotter</artifactId>\\s*<version>([^<]*)<")
                        .matcher(Files.readString(Path.of("pom.xml")));
        assertThat(version.find()).isTrue();

        assertThat(kustomization.path("images"))
                .singleElement()
                .satisfies(
                        image -> {
                            assertThat(image.path("name").asText()).isEqualTo(container.getImage());
                            assertThat(image.path("newTag").asText())
                                    .isEqualTo(version.group(1).replace("-SNAPSHOT", ""));
                        });
    }

    @Test
    void aPodMayTakeLongerToStopThanTheProgramDoes() {
        assertThat(pod.getTerminationGracePeriodSeconds())
                .isGreaterThan(
                        Long.parseLong(properties.getProperty("camel.main.shutdown-timeout")));
    }

    @Test
    void theRoutesConfigMapHoldsTheRouteFilesAndKeepsItsName() throws IOException {
        JsonNode generator = yaml(ROUTES.resolve("kustomization.yaml")).path("configMapGenerator");

        assertThat(texts(generator.path(0).path("files"))).isEqualTo(routeFiles());
        assertThat(generator.path(0).at("/options/disableNameSuffixHash").asBoolean()).isTrue();
    }

    @Test
    void theProgramReadsTheRoutesConfigMap() {
        Volume volume =
                pod.getVolumes().stream()
                        .filter(candidate -> candidate.getConfigMap() != null)
                        .findFirst()
                        .orElseThrow();
        VolumeMount mount =
                container.getVolumeMounts().stream()
                        .filter(candidate -> candidate.getName().equals(volume.getName()))
                        .findFirst()
                        .orElseThrow();

        assertThat(volume.getConfigMap().getName())
                .isEqualTo(
                        yaml(ROUTES.resolve("kustomization.yaml"))
                                .at("/configMapGenerator/0/name")
                                .asText());
        assertThat(environment()).containsEntry("SNAPSHOTTER_ROUTES", mount.getMountPath());
        assertThat(mount.getReadOnly()).isTrue();
        assertThat(mount.getSubPath()).as("a subPath would not follow edits").isNull();
    }

    @Test
    void theProgramGetsTheSettings() {
        assertThat(container.getEnvFrom().get(0).getConfigMapRef().getName())
                .isEqualTo(kustomization.at("/configMapGenerator/0/name").asText());
    }

    @Test
    void theProgramGetsWhatNotificationsNeedWhereThereIsAny() {
        assertThat(container.getEnvFrom().get(1).getSecretRef())
                .extracting(SecretEnvSource::getName, SecretEnvSource::getOptional)
                .containsExactly("volume-snapshotter-notify", true);
    }

    @Test
    void theSettingsAreSomeOfTheProgramsWithTheirDefaultsAndAClaim() throws IOException {
        Map<String, String> defaults = new TreeMap<>();
        for (String name : properties.stringPropertyNames()) {
            if (name.startsWith(Settings.PREFIX)) {
                String variable = name.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
                defaults.put(variable, properties.getProperty(name));
            }
        }
        defaults.remove("SNAPSHOTTER_NAMESPACE");
        defaults.remove("SNAPSHOTTER_ROUTES");
        defaults.put("SNAPSHOTTER_CLAIMS", "data");

        assertThat(defaults).containsAllEntriesOf(settings());
        assertThat(settings()).containsKey("SNAPSHOTTER_CLAIMS");
    }

    /** It cannot name the settings, whose name has a hash; what it takes needs none of them. */
    @Test
    void theJobThatTakesHasThePodOfTheDeployment() throws IOException {
        Job take =
                (Job) Manifests.read(Files.readString(Path.of("examples/jobs/take.yaml"))).get(0);
        PodSpec spec = podOf(take.getSpec());
        Container job = spec.getContainers().get(0);

        assertThat(job.getArgs()).startsWith("take", "data", "--run");
        assertThat(spec.getServiceAccountName()).isEqualTo(pod.getServiceAccountName());
        assertThat(spec.getSecurityContext()).isEqualTo(pod.getSecurityContext());
        assertThat(job.getSecurityContext()).isEqualTo(container.getSecurityContext());
        assertThat(job.getResources()).isEqualTo(container.getResources());
        assertThat(job.getVolumeMounts()).isEqualTo(container.getVolumeMounts());
        assertThat(job.getImage()).endsWith(":" + kustomization.at("/images/0/newTag").asText());
    }

    /** What kustomize makes of the files; only where kubectl is installed. */
    @Nested
    class Kustomized {

        @TempDir private Path directory;
        private List<HasMetadata> objects;

        @BeforeEach
        void kustomize() throws Exception {
            Path overlay = Files.createDirectory(directory.resolve("overlay"));
            Path base = overlay.toRealPath().relativize(K8S.toRealPath());
            Files.writeString(
                    overlay.resolve("kustomization.yaml"),
                    "namespace: shop\nresources:\n  - " + base + "\n");
            objects = Kustomize.build(overlay);
        }

        @Test
        void theNamespaceOfAnOverlayReachesEveryObject() {
            assertThat(objects)
                    .hasSize(6)
                    .allMatch(object -> object.getMetadata().getNamespace().equals("shop"));
        }

        @Test
        void theNamespaceOfAnOverlayReachesTheBinding() {
            assertThat(only(RoleBinding.class).getSubjects())
                    .extracting(Subject::getNamespace)
                    .containsExactly("shop");
        }

        @Test
        void everyObjectHasTheRecommendedName() {
            assertThat(objects)
                    .allMatch(
                            object ->
                                    "volume-snapshotter"
                                            .equals(
                                                    object.getMetadata()
                                                            .getLabels()
                                                            .get("app.kubernetes.io/name")));
        }

        @Test
        void theSelectorStaysAsItIs() {
            assertThat(only(Deployment.class).getSpec().getSelector())
                    .isEqualTo(deployment.getSpec().getSelector());
        }

        @Test
        void theRoutesArriveUnchanged() throws IOException {
            Map<String, String> files = new HashMap<>();
            for (String file : routeFiles()) {
                files.put(file, Files.readString(ROUTES.resolve(file)));
            }

            assertThat(configMap("volume-snapshotter-routes").getData()).isEqualTo(files);
        }

        @Test
        void changedSettingsRestartTheProgram() throws IOException {
            String name =
                    only(Deployment.class)
                            .getSpec()
                            .getTemplate()
                            .getSpec()
                            .getContainers()
                            .get(0)
                            .getEnvFrom()
                            .get(0)
                            .getConfigMapRef()
                            .getName();

            assertThat(name).matches("volume-snapshotter-settings-\\w+");
            assertThat(configMap(name).getData()).isEqualTo(settings());
        }

        @Test
        void theImageHasATag() {
            assertThat(
                            only(Deployment.class)
                                    .getSpec()
                                    .getTemplate()
                                    .getSpec()
                                    .getContainers()
                                    .get(0)
                                    .getImage())
                    .matches("[^:]+:\\d+\\.\\d+\\.\\d+");
        }

        @Test
        void highAvailabilityRunsTwoReplicasThatElectALeader() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "high-availability"));
            DeploymentSpec spec = only(Deployment.class).getSpec();

            assertThat(spec.getReplicas()).isEqualTo(2);
            assertThat(spec.getStrategy().getType()).isEqualTo("RollingUpdate");
            assertThat(spec.getTemplate().getSpec().getContainers().get(0).getEnv())
                    .extracting(EnvVar::getName, EnvVar::getValue)
                    .contains(tuple("SNAPSHOTTER_LEADER_ELECTION", "true"))
                    .contains(tuple("CAMEL_MANAGEMENT_ENABLED", "true"));
            assertThat(spec.getTemplate().getSpec().getTopologySpreadConstraints())
                    .singleElement()
                    .satisfies(
                            spread -> {
                                assertThat(spread.getWhenUnsatisfiable())
                                        .isEqualTo("ScheduleAnyway");
                                assertThat(spread.getLabelSelector()).isEqualTo(spec.getSelector());
                            });
        }

        @Test
        void highAvailabilityLetsOneReplicaBeDisruptedAtATime() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "high-availability"));
            PodDisruptionBudget budget = only(PodDisruptionBudget.class);

            assertThat(budget.getSpec().getMaxUnavailable()).isEqualTo(new IntOrString(1));
            assertThat(budget.getSpec().getSelector())
                    .isEqualTo(only(Deployment.class).getSpec().getSelector());
            assertThat(budget.getMetadata().getNamespace())
                    .isEqualTo(only(Deployment.class).getMetadata().getNamespace());
        }

        @Test
        void jolokiaTakesItsUsersFromASecretThatHasToBeThere() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "jolokia"));
            PodSpec spec = only(Deployment.class).getSpec().getTemplate().getSpec();

            assertThat(spec.getContainers().get(0).getEnv())
                    .extracting(EnvVar::getName, EnvVar::getValue)
                    .contains(
                            tuple("CAMEL_MANAGEMENT_JOLOKIA_ENABLED", "true"),
                            tuple(
                                    "CAMEL_MANAGEMENT_BASIC_PROPERTIES_FILE",
                                    "/etc/volume-snapshotter/jolokia/users.properties"));
            assertThat(spec.getContainers().get(0).getVolumeMounts())
                    .extracting(VolumeMount::getName, VolumeMount::getMountPath)
                    .contains(tuple("jolokia", "/etc/volume-snapshotter/jolokia"));
            assertThat(spec.getVolumes())
                    .filteredOn(volume -> volume.getName().equals("jolokia"))
                    .extracting(Volume::getSecret)
                    .extracting(SecretVolumeSource::getSecretName, SecretVolumeSource::getOptional)
                    .containsExactly(tuple("volume-snapshotter-jolokia", null));
        }

        @Test
        void hawtioOnlineFindsThePodByItsPortAndAnnotations() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "hawtio-online"));
            PodTemplateSpec template = only(Deployment.class).getSpec().getTemplate();

            assertThat(template.getSpec().getContainers().get(0).getPorts())
                    .extracting(ContainerPort::getName, ContainerPort::getContainerPort)
                    .containsExactlyInAnyOrder(
                            tuple("management", 9876),
                            tuple(
                                    "jolokia",
                                    Integer.valueOf(
                                            properties.getProperty(
                                                    "snapshotter.jolokia-tls-listen"))));
            assertThat(template.getMetadata().getAnnotations())
                    .containsExactlyInAnyOrderEntriesOf(
                            Map.of(
                                    "hawt.io/protocol", "https",
                                    "hawt.io/jolokiaPath", "/jolokia/"));
        }

        @Test
        void hawtioOnlineIsKnownByCertificatesInASecretThatHasToBeThere() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "hawtio-online"));
            PodSpec spec = only(Deployment.class).getSpec().getTemplate().getSpec();
            String directory = "/etc/volume-snapshotter/jolokia-tls";

            assertThat(spec.getContainers().get(0).getEnv())
                    .extracting(EnvVar::getName, EnvVar::getValue)
                    .contains(
                            tuple("SNAPSHOTTER_JOLOKIA_TLS", directory),
                            tuple("SNAPSHOTTER_JOLOKIA_TLS_CLIENT", "CN=hawtio-online.hawtio.svc"));
            assertThat(spec.getContainers().get(0).getVolumeMounts())
                    .extracting(VolumeMount::getName, VolumeMount::getMountPath)
                    .contains(tuple("jolokia-tls", directory));
            assertThat(spec.getVolumes())
                    .filteredOn(volume -> volume.getName().equals("jolokia-tls"))
                    .extracting(Volume::getSecret)
                    .extracting(SecretVolumeSource::getSecretName, SecretVolumeSource::getOptional)
                    .containsExactly(tuple("volume-snapshotter-jolokia-tls", null));
            assertThat(spec.getSecurityContext().getFsGroup())
                    .isEqualTo(spec.getSecurityContext().getRunAsGroup());
        }

        @Test
        void theCronJobStandsInForTheDeploymentWithTheSamePod() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "cronjob"));
            assertThat(objects).noneMatch(Deployment.class::isInstance);
            CronJobSpec spec = only(CronJob.class).getSpec();
            Container job = podOf(spec.getJobTemplate().getSpec()).getContainers().get(0);

            assertThat(spec.getConcurrencyPolicy()).isEqualTo("Forbid");
            assertThat(spec.getStartingDeadlineSeconds() / 60 + "m")
                    .isEqualTo(properties.getProperty("snapshotter.starting-deadline"));
            assertThat(job.getResources()).isEqualTo(container.getResources());
            assertThat(job.getSecurityContext()).isEqualTo(container.getSecurityContext());
            assertThat(job.getVolumeMounts()).isEqualTo(container.getVolumeMounts());
            assertThat(job.getImage()).matches("[^:]+:\\d+\\.\\d+\\.\\d+");
            assertThat(job.getEnvFrom().get(0).getConfigMapRef().getName())
                    .matches("volume-snapshotter-settings-\\w+");
        }

        @Test
        void aPodOfTheCronJobKnowsItsJobAndIsTriedAgainOnlyWhereThatHelps() throws Exception {
            objects = Kustomize.build(Path.of("examples", "overlays", "cronjob"));
            JobSpec job = only(CronJob.class).getSpec().getJobTemplate().getSpec();

            assertThat(podOf(job).getContainers().get(0).getArgs())
                    .containsExactly("run", "hourly", "--job", "$(JOB_NAME)");
            assertThat(podOf(job).getContainers().get(0).getEnv())
                    .filteredOn(variable -> variable.getName().equals("JOB_NAME"))
                    .singleElement()
                    .extracting(variable -> variable.getValueFrom().getFieldRef().getFieldPath())
                    .isEqualTo("metadata.labels['batch.kubernetes.io/job-name']");
            assertThat(podOf(job).getRestartPolicy()).isEqualTo("Never");
            assertThat(job.getPodFailurePolicy().getRules().get(1).getOnExitCodes().getValues())
                    .containsExactly(
                            ExitCode.NOTHING, ExitCode.USAGE, ExitCode.SOME, ExitCode.CONFIG);
        }

        /** Each of them adds a variable to the pod, whoever makes it. */
        @Test
        void componentsAfterItReachTheCronJob() throws Exception {
            Path own = Files.createDirectory(directory.resolve("own"));
            Path root = own.toRealPath().relativize(Path.of(".").toRealPath());
            Files.writeString(
                    own.resolve("kustomization.yaml"),
                    """
                    resources: [ROOT/k8s]
                    components:
                      - ROOT/k8s/components/cronjob
                      - ROOT/k8s/components/events
                      - ROOT/k8s/components/read-claims
                    """
                            .replace("ROOT", root.toString()));
            objects = Kustomize.build(own);

            assertThat(
                            podOf(only(CronJob.class).getSpec().getJobTemplate().getSpec())
                                    .getContainers()
                                    .get(0)
                                    .getEnv())
                    .extracting(EnvVar::getName)
                    .contains("POD_UID", "SNAPSHOTTER_READ_CLAIMS");
        }

        private <T> T only(Class<T> type) {
            List<T> found = objects.stream().filter(type::isInstance).map(type::cast).toList();
            assertThat(found).hasSize(1);
            return found.get(0);
        }

        private ConfigMap configMap(String name) {
            return objects.stream()
                    .filter(ConfigMap.class::isInstance)
                    .map(ConfigMap.class::cast)
                    .filter(configMap -> configMap.getMetadata().getName().equals(name))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static Stream<PodSpec> pods(List<HasMetadata> objects) {
        return objects.stream()
                .flatMap(
                        object -> {
                            if (object instanceof Deployment one) {
                                return Stream.of(one.getSpec().getTemplate().getSpec());
                            }
                            return object instanceof CronJob one
                                    ? Stream.of(podOf(one.getSpec().getJobTemplate().getSpec()))
                                    : Stream.empty();
                        });
    }

    private static PodSpec podOf(JobSpec job) {
        return job.getTemplate().getSpec();
    }

    private static HTTPGetAction probe(String path) {
        HTTPGetAction action = new HTTPGetAction();
        action.setPath(path);
        action.setPort(new IntOrString("management"));
        return action;
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        container.getEnv().forEach(env -> environment.put(env.getName(), env.getValue()));
        return environment;
    }

    private static List<String> routeFiles() throws IOException {
        try (Stream<Path> files = Files.list(ROUTES)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(RouteFiles.SUFFIX))
                    .sorted()
                    .toList();
        }
    }

    private static Map<String, String> settings() throws IOException {
        Map<String, String> settings = new TreeMap<>();
        for (String line : Files.readAllLines(K8S.resolve("settings.env"))) {
            if (!line.startsWith("#")) {
                String[] setting = line.split("=", 2);
                settings.put(setting[0], setting[1]);
            }
        }
        return settings;
    }

    private static List<String> texts(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
    }

    private static <T extends HasMetadata> T object(String file, Class<T> type) {
        try {
            return type.cast(Manifests.read(Files.readString(K8S.resolve(file))).get(0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode yaml(Path file) {
        try {
            return new ObjectMapper(new YAMLFactory()).readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Properties properties() {
        Properties properties = new Properties();
        try (Reader reader =
                Files.newBufferedReader(
                        Path.of("src/main/resources/application.properties"),
                        StandardCharsets.UTF_8)) {
            properties.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }
}
