package io.volumesnapshotter.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The cluster of the current kubeconfig. Works in a namespace of its own, on a claim made like the
 * given one, and leaves nothing behind.
 */
final class RealClusterUnderTest implements ClusterUnderTest {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String CLAIM = "data";

    private final ApiCaller admin;
    private final String namespace;
    private final String snapshotClass = property("cluster.snapshot-class");
    private final Set<String> storageClasses = new HashSet<>();
    private ApiCaller program;
    private ApiCaller anonymous;
    private ApiCaller stranger;

    private RealClusterUnderTest(ApiCaller admin, String namespace) {
        this.admin = admin;
        this.namespace = namespace;
    }

    static RealClusterUnderTest start() {
        List.of("cluster.namespace", "cluster.claim", "cluster.snapshot-class")
                .forEach(RealClusterUnderTest::property);
        Config config =
                new ConfigBuilder(Config.autoConfigure(null))
                        .withRequestRetryBackoffLimit(0)
                        .build();
        ApiCaller admin = new ApiCaller(config);
        JsonNode made =
                made(
                        admin.post(
                                "/api/v1/namespaces",
                                """
                                {"apiVersion": "v1", "kind": "Namespace",
                                 "metadata": {"generateName": "volume-snapshotter-contract-"}}"""));
        RealClusterUnderTest cluster = new RealClusterUnderTest(admin, Json.name(made));
        try {
            cluster.makeClaim();
            cluster.makeUsers(config);
            return cluster;
        } catch (RuntimeException | AssertionError e) {
            cluster.close();
            throw e;
        }
    }

    private static String property(String name) {
        String value = System.getProperty(name, "");
        assertThat(value).as("the property " + name).isNotEmpty();
        return value;
    }

    private static JsonNode made(ApiCaller.Answer answer) {
        assertThat(answer.code()).as(answer.body()).isEqualTo(201);
        return answer.json();
    }

    private String path() {
        return "/api/v1/namespaces/" + namespace;
    }

    private void makeClaim() {
        JsonNode given =
                admin.get(
                                "/api/v1/namespaces/%s/persistentvolumeclaims/%s"
                                        .formatted(
                                                property("cluster.namespace"),
                                                property("cluster.claim")))
                        .json();
        assertThat(Json.text(given, "status", "phase")).as("phase of the claim").isEqualTo("Bound");
        ObjectNode claim = Json.object().put("apiVersion", "v1");
        claim.put("kind", "PersistentVolumeClaim").putObject("metadata").put("name", CLAIM);
        ObjectNode spec = claim.putObject("spec");
        for (String field : List.of("accessModes", "resources", "storageClassName", "volumeMode")) {
            if (given.path("spec").has(field)) {
                spec.set(field, given.path("spec").get(field));
            }
        }
        made(admin.post(path() + "/persistentvolumeclaims", claim.toString()));
        String storageClass = Json.text(spec, "storageClassName");
        JsonNode binding =
                admin.get("/apis/storage.k8s.io/v1/storageclasses/" + storageClass).json();
        if (Json.text(binding, "volumeBindingMode").equals("WaitForFirstConsumer")) {
            makeConsumer();
        }
        await().atMost(PATIENCE)
                .until(
                        () ->
                                Json.text(
                                                admin.get(
                                                                path()
                                                                        + "/persistentvolumeclaims/"
                                                                        + CLAIM)
                                                        .json(),
                                                "status",
                                                "phase")
                                        .equals("Bound"));
    }

    /** A pod whose only purpose is that the claim gets its volume. */
    private void makeConsumer() {
        made(
                admin.post(
                        path() + "/pods",
                        """
                        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "consumer"},
                         "spec": {
                          "automountServiceAccountToken": false,
                          "terminationGracePeriodSeconds": 0,
                          "securityContext": {"runAsNonRoot": true, "runAsUser": 65535,
                           "seccompProfile": {"type": "RuntimeDefault"}},
                          "containers": [{"name": "pause", "image": "registry.k8s.io/pause:3.10",
                           "securityContext": {"allowPrivilegeEscalation": false,
                            "capabilities": {"drop": ["ALL"]}},
                           "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
                          "volumes": [{"name": "data",
                           "persistentVolumeClaim": {"claimName": "data"}}]}}"""));
    }

    private void makeUsers(Config config) {
        String account = SimulatedCluster.SERVICE_ACCOUNT;
        made(
                admin.post(
                        path() + "/serviceaccounts",
                        """
                        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "%s"}}"""
                                .formatted(account)));
        String rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace;
        made(
                admin.post(
                        rbac + "/roles",
                        """
                        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                         "metadata": {"name": "%s"},
                         "rules": [{"apiGroups": ["snapshot.storage.k8s.io"],
                          "resources": ["volumesnapshots"],
                          "verbs": ["create", "get", "list", "delete"]}]}"""
                                .formatted(account)));
        made(
                admin.post(
                        rbac + "/rolebindings",
                        """
                        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                         "metadata": {"name": "%1$s"},
                         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                          "name": "%1$s"},
                         "subjects": [{"kind": "ServiceAccount", "name": "%1$s",
                          "namespace": "%2$s"}]}"""
                                .formatted(account, namespace)));
        JsonNode token =
                made(
                        admin.post(
                                path() + "/serviceaccounts/" + account + "/token",
                                """
                                {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                                 "spec": {}}"""));
        program =
                new ApiCaller(
                        SimulatedClusterUnderTest.withToken(
                                config, Json.text(token, "status", "token")));
        anonymous = new ApiCaller(SimulatedClusterUnderTest.withToken(config, null));
        stranger = new ApiCaller(SimulatedClusterUnderTest.withToken(config, "nobody-knows-it"));
        String snapshots = ApiCaller.SNAPSHOT_API + "/namespaces/" + namespace + "/volumesnapshots";
        await().atMost(PATIENCE).until(() -> program.get(snapshots).code() == 200);
    }

    @Override
    public String namespace() {
        return namespace;
    }

    @Override
    public String claim() {
        return CLAIM;
    }

    @Override
    public String snapshotClass() {
        return snapshotClass;
    }

    @Override
    public String storageClass(String bindingMode) {
        String name = namespace + "-" + bindingMode.toLowerCase(Locale.ROOT);
        String classes = "/apis/storage.k8s.io/v1/storageclasses/";
        if (storageClasses.add(name)) {
            String given =
                    Json.text(
                            admin.get(path() + "/persistentvolumeclaims/" + CLAIM).json(),
                            "spec",
                            "storageClassName");
            ObjectNode storageClass = (ObjectNode) admin.get(classes + given).json();
            storageClass.putObject("metadata").put("name", name);
            storageClass.put("volumeBindingMode", bindingMode).put("reclaimPolicy", "Delete");
            made(admin.post("/apis/storage.k8s.io/v1/storageclasses", storageClass.toString()));
        }
        return name;
    }

    @Override
    public ApiCaller program() {
        return program;
    }

    @Override
    public ApiCaller admin() {
        return admin;
    }

    @Override
    public ApiCaller anonymous() {
        return anonymous;
    }

    @Override
    public ApiCaller stranger() {
        return stranger;
    }

    @Override
    public Optional<SimulatedCluster> simulation() {
        return Optional.empty();
    }

    /** Deletes everything, and fails if something of it is still there in the end. */
    @Override
    public void close() {
        try (admin) {
            String snapshots =
                    ApiCaller.SNAPSHOT_API + "/namespaces/" + namespace + "/volumesnapshots";
            admin.delete(snapshots);
            admin.delete(path());
            storageClasses.forEach(
                    name -> admin.delete("/apis/storage.k8s.io/v1/storageclasses/" + name));
            await("the namespace " + namespace + " is gone")
                    .atMost(PATIENCE)
                    .until(() -> admin.get(path()).code() == 404);
            await("no content of " + namespace + " is left")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(contents()).isEmpty());
        } finally {
            for (ApiCaller caller : new ApiCaller[] {program, anonymous, stranger}) {
                if (caller != null) {
                    caller.close();
                }
            }
        }
    }

    private List<String> contents() {
        ApiCaller.Answer answer = admin.get(ApiCaller.SNAPSHOT_API + "/volumesnapshotcontents");
        if (answer.code() != 200) {
            return List.of();
        }
        return answer.json()
                .path("items")
                .valueStream()
                .filter(
                        content ->
                                Json.text(content, "spec", "volumeSnapshotRef", "namespace")
                                        .equals(namespace))
                .map(Json::name)
                .toList();
    }
}
