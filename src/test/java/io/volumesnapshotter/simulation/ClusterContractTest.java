package io.volumesnapshotter.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.volumesnapshotter.simulation.ApiCaller.Answer;
import io.volumesnapshotter.testing.Patience;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a client can rely on, and has to cope with, on a Kubernetes API server with
 * external-snapshotter. The words are those of 1.36. The ordinary tests try it on the simulation;
 * {@code mvn verify -Pcluster} tries the same on a real cluster.
 */
class ClusterContractTest {

    private static final String RESOURCE = "volumesnapshots.snapshot.storage.k8s.io";
    private static final String KIND = "VolumeSnapshot.snapshot.storage.k8s.io";
    private static final String SOURCE_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection";
    private static final String BOUND_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";
    private static final AtomicInteger NAMES = new AtomicInteger();

    private static ClusterUnderTest cluster;
    private static ApiCaller program;
    private static ApiCaller admin;
    private static String snapshots;

    private final String name = "contract-" + NAMES.incrementAndGet();

    @BeforeAll
    static void start() {
        cluster = ClusterUnderTest.start();
        program = cluster.program();
        admin = cluster.admin();
        snapshots = ApiCaller.SNAPSHOT_API + in(cluster.namespace()) + "/volumesnapshots";
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static String in(String namespace) {
        return "/namespaces/" + namespace;
    }

    private static ConditionFactory eventually() {
        boolean simulated = cluster.simulation().isPresent();
        return await().atMost(simulated ? Patience.LIMIT : Duration.ofMinutes(5))
                .pollInterval(Duration.ofMillis(simulated ? 5 : 250));
    }

    private static SimulatedCluster onlySimulated() {
        assumeThat(cluster.simulation()).as("only the simulation can do this").isPresent();
        return cluster.simulation().orElseThrow();
    }

    /** A snapshot of the claim with the class that was given. */
    private static ObjectNode snapshot(String name) {
        ObjectNode snapshot = Json.object().put("apiVersion", "snapshot.storage.k8s.io/v1");
        snapshot.put("kind", "VolumeSnapshot").putObject("metadata").put("name", name);
        snapshot.putObject("spec")
                .put("volumeSnapshotClassName", cluster.snapshotClass())
                .putObject("source")
                .put("persistentVolumeClaimName", cluster.claim());
        return snapshot;
    }

    /** A snapshot that stays in the store without work for the driver: its class is missing. */
    private static ObjectNode idle(String name) {
        ObjectNode snapshot = snapshot(name);
        spec(snapshot).put("volumeSnapshotClassName", "no-such-class");
        return snapshot;
    }

    private static ObjectNode spec(ObjectNode snapshot) {
        return snapshot.withObjectProperty("spec");
    }

    private static Answer create(ObjectNode snapshot) {
        return program.post(snapshots, snapshot.toString());
    }

    private static JsonNode created(ObjectNode snapshot) {
        Answer answer = create(snapshot);
        assertThat(answer.code()).as(answer.body()).isEqualTo(201);
        return answer.json();
    }

    private static Answer read(String name) {
        return program.get(snapshots + "/" + name);
    }

    private static JsonNode ready(String name) {
        created(snapshot(name));
        eventually().until(() -> isReady(read(name).json()));
        return read(name).json();
    }

    private static boolean isReady(JsonNode snapshot) {
        return snapshot.path("status").path("readyToUse").asBoolean();
    }

    private static String error(String name) {
        return Json.text(read(name).json(), "status", "error", "message");
    }

    private static List<String> finalizers(JsonNode object) {
        return object.path("metadata")
                .path("finalizers")
                .valueStream()
                .map(JsonNode::asText)
                .toList();
    }

    private static List<String> names(Answer list) {
        return list.json().path("items").valueStream().map(Json::name).toList();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static List<String> select(String labelSelector) {
        Answer answer = program.get(snapshots + "?labelSelector=" + encoded(labelSelector));
        assertThat(answer.code()).as(answer.body()).isEqualTo(200);
        return names(answer);
    }

    private static String cannot(String verb, String named, String where) {
        return "403 Forbidden: %s%s is forbidden: User \"%s\" cannot %s resource \"volumesnapshots\" in API group \"snapshot.storage.k8s.io\" %s"
                .formatted(RESOURCE, named, cluster.programUser(), verb, where);
    }

    private static String inNamespace() {
        return "in the namespace \"" + cluster.namespace() + "\"";
    }

    // ---- create

    @Test
    void aCreatedSnapshotHasNoStatusAndNoFinalizers() {
        JsonNode created = created(snapshot(name));

        assertThat(created.has("status")).isFalse();
        assertThat(created.path("metadata").has("finalizers")).isFalse();
        assertThat(created.path("metadata").path("generation").asInt()).isEqualTo(1);
        assertThat(Json.uid(created)).hasSize(36);
        assertThat(Json.text(created, "metadata", "creationTimestamp"))
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ");
    }

    @Test
    void theSameNameAgainAlreadyExists() {
        created(idle(name));

        assertThat(create(idle(name)).refusal())
                .isEqualTo("409 AlreadyExists: %s \"%s\" already exists".formatted(RESOURCE, name));
    }

    @Test
    void generateNameAddsFiveCharacters() {
        ObjectNode snapshot = idle(name);
        snapshot.withObjectProperty("metadata").put("generateName", "g-").remove("name");

        assertThat(Json.name(created(snapshot))).matches("g-[a-z0-9]{5}");
    }

    @Test
    void aLongGenerateNameIsCutTo63Characters() {
        ObjectNode snapshot = idle(name);
        snapshot.withObjectProperty("metadata").put("generateName", "x".repeat(70)).remove("name");

        assertThat(Json.name(created(snapshot))).matches("x{58}[a-z0-9]{5}");
    }

    @Test
    void aNameThatIsNoSubdomainIsInvalid() {
        Answer answer = create(idle("A_b"));

        assertThat(answer.refusal())
                .isEqualTo(
                        "422 Invalid: "
                                + KIND
                                + " \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a"
                                + " lowercase RFC 1123 subdomain must consist of lower case"
                                + " alphanumeric characters, '-' or '.', and must start and end"
                                + " with an alphanumeric character (e.g. 'example.com', regex used"
                                + " for validation is"
                                + " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
        assertThat(answer.field()).isEqualTo("metadata.name");
    }

    @Test
    void aNameMayHave253Characters() {
        String longest = "y".repeat(253);

        assertThat(Json.name(created(idle(longest)))).isEqualTo(longest);
        Answer answer = create(idle("x".repeat(254)));
        assertThat(answer.code()).isEqualTo(422);
        assertThat(answer.field()).isEqualTo("metadata.name");
    }

    @Test
    void aLabelValueMayHave63Characters() {
        ObjectNode snapshot = idle(name);
        String tooLong = "x".repeat(64);
        snapshot.withObjectProperty("metadata").putObject("labels").put("run", tooLong);

        Answer answer = create(snapshot);

        assertThat(answer.refusal())
                .isEqualTo(
                        "422 Invalid: %s \"%s\" is invalid: metadata.labels: Invalid value: \"%s\": must be no more than 63 bytes"
                                .formatted(KIND, name, tooLong));
        assertThat(answer.field()).isEqualTo("metadata.labels");
    }

    @Test
    void annotationsMayHave256KiB() {
        ObjectNode snapshot = idle(name);
        snapshot.withObjectProperty("metadata")
                .putObject("annotations")
                .put("big", "x".repeat(256 * 1024));

        assertThat(create(snapshot).refusal())
                .isEqualTo(
                        "422 Invalid: "
                                + KIND
                                + " \""
                                + name
                                + "\" is invalid: [metadata.annotations: Too long: may not be more"
                                + " than 262144 bytes, <nil>: Invalid value: null: some validation"
                                + " rules were not checked because the object was invalid; correct"
                                + " the existing errors to complete validation]");
    }

    @Test
    void aCreateCannotSetTheStatus() {
        ObjectNode snapshot = idle(name);
        snapshot.putObject("status").put("readyToUse", true);

        assertThat(created(snapshot).has("status")).isFalse();
    }

    @Test
    void exactlyOneSourceMustBeGiven() {
        String refusal =
                "422 Invalid: %s \"%s\" is invalid: spec.source: Invalid value: exactly one of volumeSnapshotContentName and persistentVolumeClaimName must be set"
                        .formatted(KIND, name);
        ObjectNode neither = idle(name);
        spec(neither).putObject("source");
        ObjectNode both = idle(name);
        spec(both).withObjectProperty("source").put("volumeSnapshotContentName", "content");

        assertThat(create(neither).refusal()).isEqualTo(refusal);
        assertThat(create(both).refusal()).isEqualTo(refusal);
        assertThat(create(both).field()).isEqualTo("spec.source");
    }

    @Test
    void aClassNameMustNotBeEmpty() {
        ObjectNode snapshot = snapshot(name);
        spec(snapshot).put("volumeSnapshotClassName", "");

        assertThat(create(snapshot).refusal())
                .isEqualTo(
                        "422 Invalid: %s \"%s\" is invalid: spec.volumeSnapshotClassName: Invalid value: \"\": volumeSnapshotClassName must not be the empty string when set"
                                .formatted(KIND, name));
    }

    @Test
    void anUnknownFieldIsDroppedWithAWarning() {
        ObjectNode snapshot = idle(name);
        spec(snapshot).put("bogus", 1);

        Answer answer = create(snapshot);

        assertThat(answer.code()).isEqualTo(201);
        assertThat(answer.warning()).isEqualTo("299 - \"unknown field \\\"spec.bogus\\\"\"");
        assertThat(answer.json().path("spec").has("bogus")).isFalse();
    }

    @Test
    void anUnknownFieldIsRefusedUnderStrictValidation() {
        ObjectNode snapshot = idle(name);
        spec(snapshot).put("bogus", 1);

        assertThat(
                        program.post(snapshots + "?fieldValidation=Strict", snapshot.toString())
                                .refusal())
                .isEqualTo(
                        "400 BadRequest: VolumeSnapshot in version \"v1\" cannot be handled as a"
                                + " VolumeSnapshot: strict decoding error: unknown field"
                                + " \"spec.bogus\"");
    }

    @Test
    void aDryRunStoresNothing() {
        Answer answer = program.post(snapshots + "?dryRun=All", snapshot(name).toString());

        assertThat(answer.code()).isEqualTo(201);
        assertThat(answer.json().path("metadata").has("resourceVersion")).isFalse();
        assertThat(read(name).code()).isEqualTo(404);
    }

    @Test
    void theNamespaceInTheBodyMustBeThatOfThePath() {
        ObjectNode snapshot = idle(name);
        snapshot.withObjectProperty("metadata").put("namespace", "elsewhere");

        assertThat(create(snapshot).refusal())
                .isEqualTo(
                        "400 BadRequest: the namespace of the provided object does not match the"
                                + " namespace sent on the request");
    }

    @Test
    void aBodyWithoutKindIsRefused() {
        String body =
                "{\"metadata\":{\"name\":\"z\"},\"spec\":{\"source\":{\"persistentVolumeClaimName\":\"p0\"}}}";

        assertThat(program.post(snapshots, body).refusal())
                .isEqualTo(
                        "400 BadRequest: the object provided is unrecognized (must be of type"
                                + " VolumeSnapshot): Object 'Kind' is missing in '"
                                + body
                                + "' ({\"metadata\":{\"name\":\"z\"},\"spec ...)");
    }

    @Test
    void brokenJsonIsRefused() {
        assertThat(program.post(snapshots, "{\"metadata\":").refusal())
                .isEqualTo(
                        "400 BadRequest: the object provided is unrecognized (must be of type"
                                + " VolumeSnapshot): couldn't get version/kind; json parse error:"
                                + " unexpected end of JSON input ({\"metadata\":)");
    }

    // ---- quota and namespaces

    @Test
    void anExceededQuotaIsForbidden() {
        String quotas = "/api/v1" + in(cluster.namespace()) + "/resourcequotas";
        String count = "count/" + RESOURCE;
        created(idle(name));
        admin.post(
                quotas,
                """
                {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
                 "spec": {"hard": {"%s": "1"}}}"""
                        .formatted(count));
        AtomicInteger tries = new AtomicInteger();
        try {
            eventually()
                    .until(() -> create(idle(name + "-" + tries.incrementAndGet())).code() == 403);
            String refused = name + "-refused";
            assertThat(create(idle(refused)).refusal())
                    .matches(
                            Pattern.quote(
                                            "403 Forbidden: %s \"%s\" is forbidden: exceeded quota: q, requested: %s=1, used: %s="
                                                    .formatted(RESOURCE, refused, count, count))
                                    + "\\d+"
                                    + Pattern.quote(", limited: " + count + "=1"));
        } finally {
            admin.delete(quotas + "/q");
        }
        eventually().until(() -> create(idle(name + "-" + tries.incrementAndGet())).code() == 201);
    }

    @Test
    void nothingIsCreatedInATerminatingNamespace() {
        String dying = cluster.namespace() + "-dying";
        admin.post(
                "/api/v1/namespaces",
                """
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "%s"}}"""
                        .formatted(dying));
        String maps = "/api/v1" + in(dying) + "/configmaps";
        admin.post(
                maps,
                """
                {"apiVersion": "v1", "kind": "ConfigMap",
                 "metadata": {"name": "hold", "finalizers": ["example.com/hold"]}}""");
        admin.delete("/api/v1" + in(dying));
        try {
            Answer answer =
                    admin.post(
                            ApiCaller.SNAPSHOT_API + in(dying) + "/volumesnapshots",
                            idle(name).toString());
            assertThat(answer.refusal())
                    .isEqualTo(
                            "403 Forbidden: %s \"%s\" is forbidden: unable to create new content in namespace %s because it is being terminated"
                                    .formatted(RESOURCE, name, dying));
            assertThat(answer.json().path("details").path("causes").path(0).path("reason").asText())
                    .isEqualTo("NamespaceTerminating");
        } finally {
            admin.mergePatch(maps + "/hold", "{\"metadata\":{\"finalizers\":null}}");
        }
        eventually().until(() -> admin.get("/api/v1" + in(dying)).code() == 404);
    }

    @Test
    void aMissingNamespaceIsNotFound() {
        Answer answer =
                admin.post(
                        ApiCaller.SNAPSHOT_API + in("nonsuch") + "/volumesnapshots",
                        idle(name).toString());

        assertThat(answer.refusal()).isEqualTo("404 NotFound: namespaces \"nonsuch\" not found");
    }

    // ---- who may

    @Test
    void anUnknownTokenIsUnauthorized() {
        assertThat(cluster.stranger().get(snapshots).refusal())
                .isEqualTo("401 Unauthorized: Unauthorized");
    }

    @Test
    void withoutTokenTheUserIsAnonymous() {
        assertThat(cluster.anonymous().get(snapshots).refusal())
                .isEqualTo(
                        cannot("list", "", inNamespace())
                                .replace(cluster.programUser(), "system:anonymous"));
    }

    @Test
    void whatIsNotGrantedIsForbidden() {
        created(idle(name));
        String one = snapshots + "/" + name;

        assertThat(program.get(snapshots + "?watch=true").refusal())
                .isEqualTo(cannot("watch", "", inNamespace()));
        assertThat(program.mergePatch(one, "{}").refusal())
                .isEqualTo(cannot("patch", " \"" + name + "\"", inNamespace()));
        assertThat(program.delete(snapshots).refusal())
                .isEqualTo(cannot("deletecollection", "", inNamespace()));
        assertThat(program.get(ApiCaller.SNAPSHOT_API + "/volumesnapshots").refusal())
                .isEqualTo(cannot("list", "", "at the cluster scope"));
        assertThat(
                        program.get("/api/v1" + in(cluster.namespace()) + "/persistentvolumeclaims")
                                .refusal())
                .isEqualTo(
                        "403 Forbidden: persistentvolumeclaims is forbidden: User \"%s\" cannot list resource \"persistentvolumeclaims\" in API group \"\" %s"
                                .formatted(cluster.programUser(), inNamespace()));
    }

    @Test
    void applyingANewSnapshotNeedsPatch() {
        Answer answer =
                program.call(
                        "PATCH",
                        snapshots + "/" + name + "?fieldManager=contract",
                        "application/apply-patch+yaml",
                        idle(name).toString());

        assertThat(answer.refusal()).isEqualTo(cannot("patch", " \"" + name + "\"", inNamespace()));
    }

    // ---- read

    @Test
    void aMissingSnapshotIsNotFound() {
        String refusal = "404 NotFound: %s \"missing\" not found".formatted(RESOURCE);

        assertThat(read("missing").refusal()).isEqualTo(refusal);
        assertThat(program.delete(snapshots + "/missing").refusal()).isEqualTo(refusal);
    }

    @Test
    void aVersionThatIsNotServedIsPlainText() {
        Answer answer = program.get(snapshots.replace("/v1/", "/v1beta1/"));

        assertThat(answer.code()).isEqualTo(404);
        assertThat(answer.contentType()).startsWith("text/plain");
        assertThat(answer.body()).isEqualTo("404 page not found\n");
    }

    @Test
    void aClusterWithoutTheCrdAnswersPlainText() {
        SimulatedCluster simulated = onlySimulated();
        simulated.withoutCrd();
        try {
            assertThat(program.get(snapshots).body()).isEqualTo("404 page not found\n");
            assertThat(create(idle(name)).body()).isEqualTo("404 page not found\n");
        } finally {
            simulated.installCrd();
        }
        assertThat(program.get(snapshots).code()).isEqualTo(200);
    }

    @Test
    void listsSelectByFieldName() {
        created(idle(name));

        assertThat(names(program.get(snapshots + "?fieldSelector=metadata.name%3D" + name)))
                .containsExactly(name);
        assertThat(program.get(snapshots + "?fieldSelector=status.readyToUse%3Dtrue").refusal())
                .isEqualTo("400 BadRequest: field label not supported: status.readyToUse");
    }

    @Test
    void listsSelectByLabels() {
        for (String tier : List.of("gold", "silver", "none")) {
            ObjectNode snapshot = idle(name + "-" + tier);
            ObjectNode labels =
                    snapshot.withObjectProperty("metadata").putObject("labels").put("job", name);
            if (!tier.equals("none")) {
                labels.put("tier", tier);
            }
            created(snapshot);
        }
        String job = "job=" + name;

        assertThat(select(job)).hasSize(3);
        assertThat(select("job==" + name + ",tier=gold")).containsExactly(name + "-gold");
        assertThat(select(job + ",tier!=gold")).containsExactly(name + "-none", name + "-silver");
        assertThat(select(job + ",tier in (gold, silver)"))
                .containsExactly(name + "-gold", name + "-silver");
        assertThat(select(job + ",tier notin (gold)"))
                .containsExactly(name + "-none", name + "-silver");
        assertThat(select(job + ",tier")).containsExactly(name + "-gold", name + "-silver");
        assertThat(select(job + ",!tier")).containsExactly(name + "-none");
    }

    @Test
    void listsComeInPages() {
        for (int i = 1; i <= 3; i++) {
            created(idle(name + "-" + i));
        }

        JsonNode first = program.get(snapshots + "?limit=2").json();
        String token = Json.text(first, "metadata", "continue");
        int remaining = first.path("metadata").path("remainingItemCount").asInt();
        JsonNode rest = program.get(snapshots + "?limit=500&continue=" + encoded(token)).json();

        assertThat(first.path("kind").asText()).isEqualTo("VolumeSnapshotList");
        assertThat(first.path("items")).hasSize(2);
        assertThat(first.path("items").path(0).path("kind").asText()).isEqualTo("VolumeSnapshot");
        assertThat(token).isNotEmpty();
        assertThat(rest.path("items")).hasSize(remaining);
        assertThat(Json.text(rest, "metadata", "resourceVersion"))
                .isEqualTo(Json.text(first, "metadata", "resourceVersion"));
    }

    @Test
    void aContinueTokenThatIsNoneIsRefused() {
        assertThat(program.get(snapshots + "?limit=2&continue=abc").refusal())
                .isEqualTo(
                        "400 BadRequest: invalid continue token: continue key is not valid: invalid"
                                + " character 'i' looking for beginning of value");
    }

    @Test
    void anExpiredContinueTokenIsGone() {
        SimulatedCluster simulated = onlySimulated();
        created(idle(name + "-1"));
        created(idle(name + "-2"));
        String token =
                Json.text(program.get(snapshots + "?limit=1").json(), "metadata", "continue");
        simulated.expireLists();

        Answer answer = program.get(snapshots + "?limit=500&continue=" + encoded(token));

        assertThat(answer.code()).isEqualTo(410);
        assertThat(answer.reason()).isEqualTo("Expired");
        String fresh = Json.text(answer.json(), "metadata", "continue");
        assertThat(program.get(snapshots + "?continue=" + encoded(fresh)).code()).isEqualTo(200);
    }

    // ---- change

    @Test
    void anUpdateNeedsAResourceVersion() {
        created(idle(name));

        assertThat(admin.put(snapshots + "/" + name, idle(name).toString()).refusal())
                .isEqualTo(
                        "422 Invalid: %s \"%s\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"
                                .formatted(RESOURCE, name));
    }

    @Test
    void anUpdateOfAnOldVersionIsAConflict() {
        created(idle(name));
        ObjectNode stale = (ObjectNode) read(name).json();
        stale.withObjectProperty("metadata").put("resourceVersion", "1");

        assertThat(admin.put(snapshots + "/" + name, stale.toString()).refusal())
                .isEqualTo(
                        "409 Conflict: Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply your changes to the latest version and try again"
                                .formatted(RESOURCE, name));
    }

    @Test
    void aLeaseIsCreatedOnce() {
        lease("pod-1");

        assertThat(admin.post(leases(), leaseOf("pod-2")).refusal())
                .isEqualTo(
                        "409 AlreadyExists: leases.coordination.k8s.io \"%s\" already exists"
                                .formatted(name));
    }

    @Test
    void aPatchOfAnOldVersionOfALeaseIsAConflict() {
        String version = Json.text(lease("pod-1"), "metadata", "resourceVersion");
        String patch =
                "{\"metadata\":{\"resourceVersion\":\"%s\"},\"spec\":{\"holderIdentity\":\"%s\"}}";
        assertThat(
                        admin.mergePatch(leases() + "/" + name, patch.formatted(version, "pod-2"))
                                .code())
                .isEqualTo(200);

        assertThat(
                        admin.mergePatch(leases() + "/" + name, patch.formatted(version, "pod-3"))
                                .refusal())
                .isEqualTo(
                        "409 Conflict: Operation cannot be fulfilled on leases.coordination.k8s.io \"%s\": the object has been modified; please apply your changes to the latest version and try again"
                                .formatted(name));
        assertThat(holder()).isEqualTo("pod-2");
    }

    @Test
    void aMergePatchOfALeaseKeepsWhatItDoesNotName() {
        lease("pod-1");
        admin.mergePatch(leases() + "/" + name, "{\"spec\":{\"leaseDurationSeconds\":1}}");
        assertThat(holder()).isEqualTo("pod-1");

        admin.mergePatch(leases() + "/" + name, "{\"spec\":{\"holderIdentity\":\"\"}}");
        assertThat(holder()).isEmpty();
    }

    private static String leases() {
        return "/apis/coordination.k8s.io/v1" + in(cluster.namespace()) + "/leases";
    }

    private String leaseOf(String holder) {
        ObjectNode lease = Json.object().put("apiVersion", "coordination.k8s.io/v1");
        lease.put("kind", "Lease").putObject("metadata").put("name", name);
        lease.putObject("spec").put("holderIdentity", holder).put("leaseDurationSeconds", 15);
        return lease.toString();
    }

    private JsonNode lease(String holder) {
        Answer answer = admin.post(leases(), leaseOf(holder));
        assertThat(answer.code()).as(answer.body()).isEqualTo(201);
        return answer.json();
    }

    private String holder() {
        JsonNode spec = admin.get(leases() + "/" + name).json().path("spec");
        assertThat(spec.path("holderIdentity").isTextual()).isTrue();
        return spec.path("holderIdentity").asText();
    }

    @Test
    void anUpdateCannotSetTheStatus() {
        ObjectNode ready = (ObjectNode) ready(name);
        ObjectNode changed = ready.deepCopy();
        changed.withObjectProperty("status").put("readyToUse", false);

        Answer answer = admin.put(snapshots + "/" + name, changed.toString());

        assertThat(answer.code()).isEqualTo(200);
        assertThat(isReady(answer.json())).isTrue();
        assertThat(Json.text(answer.json(), "metadata", "resourceVersion"))
                .isEqualTo(Json.text(ready, "metadata", "resourceVersion"));
    }

    @Test
    void theSourceIsImmutable() {
        ObjectNode changed = (ObjectNode) ready(name);
        spec(changed).putObject("source").put("persistentVolumeClaimName", "other");

        Answer answer = admin.put(snapshots + "/" + name, changed.toString());

        assertThat(answer.refusal())
                .isEqualTo(
                        "422 Invalid: %s \"%s\" is invalid: spec.source.persistentVolumeClaimName: Invalid value: \"other\": persistentVolumeClaimName is immutable"
                                .formatted(KIND, name));
    }

    @Test
    void anErrorCanStandBesideReady() {
        ObjectNode changed = (ObjectNode) ready(name);
        spec(changed).put("volumeSnapshotClassName", "other");
        assertThat(admin.put(snapshots + "/" + name, changed.toString()).code()).isEqualTo(200);

        eventually().until(() -> !error(name).isEmpty());

        assertThat(error(name))
                .isEqualTo(
                        "Failed to get snapshot class with error"
                                + " volumesnapshotclass.snapshot.storage.k8s.io \"other\" not"
                                + " found");
        assertThat(isReady(read(name).json())).isTrue();
    }

    // ---- the controller

    @Test
    void aSnapshotIsBoundAndThenBecomesReady() {
        created(snapshot(name));
        eventually().until(() -> read(name).json().path("status").has("readyToUse"));
        JsonNode bound = read(name).json();
        eventually().until(() -> isReady(read(name).json()));
        JsonNode ready = read(name).json();

        String content = "snapcontent-" + Json.uid(ready);
        assertThat(Json.text(bound, "status", "boundVolumeSnapshotContentName")).isEqualTo(content);
        assertThat(Json.text(ready, "status", "boundVolumeSnapshotContentName")).isEqualTo(content);
        assertThat(finalizers(ready)).containsExactly(SOURCE_FINALIZER, BOUND_FINALIZER);
        assertThat(Json.text(ready, "status", "creationTime")).isNotEmpty();
        assertThat(Json.text(ready, "status", "restoreSize")).isNotEmpty();
        assertThat(ready.path("status").has("error")).isFalse();
    }

    @Test
    void aMissingClaimIsAnErrorLater() {
        ObjectNode snapshot = snapshot(name);
        spec(snapshot).putObject("source").put("persistentVolumeClaimName", "no-such-claim");
        created(snapshot);

        eventually().until(() -> !error(name).isEmpty());

        JsonNode failed = read(name).json();
        assertThat(error(name))
                .isEqualTo(
                        "Failed to create snapshot content with error snapshot controller failed to"
                                + " update "
                                + name
                                + " on API server: cannot get claim from snapshot");
        assertThat(failed.path("status").path("readyToUse").asBoolean(true)).isFalse();
        assertThat(finalizers(failed)).containsExactly(SOURCE_FINALIZER);
    }

    @Test
    void anErrorLeavesAWarningEvent() {
        ObjectNode snapshot = snapshot(name);
        spec(snapshot).putObject("source").put("persistentVolumeClaimName", "no-such-claim");
        created(snapshot);
        String events =
                "/api/v1%s/events?fieldSelector=involvedObject.name%%3D%s"
                        .formatted(in(cluster.namespace()), name);

        eventually().until(() -> !admin.get(events).json().path("items").isEmpty());

        JsonNode event = admin.get(events).json().path("items").path(0);
        assertThat(Json.text(event, "type")).isEqualTo("Warning");
        assertThat(Json.text(event, "reason")).isEqualTo("SnapshotContentCreationFailed");
        assertThat(Json.text(event, "message")).endsWith("cannot get claim from snapshot");
    }

    @Test
    void aMissingClassIsAnErrorLater() {
        created(idle(name));

        eventually().until(() -> !error(name).isEmpty());

        assertThat(error(name))
                .isEqualTo(
                        "Failed to get snapshot class with error"
                                + " volumesnapshotclass.snapshot.storage.k8s.io \"no-such-class\""
                                + " not found");
        assertThat(finalizers(read(name).json())).isEmpty();
    }

    @Test
    void theDefaultClassIsPatchedIntoTheSpec() {
        onlySimulated();
        ObjectNode snapshot = snapshot(name);
        spec(snapshot).remove("volumeSnapshotClassName");
        created(snapshot);

        eventually().until(() -> isReady(read(name).json()));

        assertThat(Json.text(read(name).json(), "spec", "volumeSnapshotClassName"))
                .isEqualTo(cluster.snapshotClass());
    }

    @Test
    void noDefaultClassIsAnErrorLater() {
        SimulatedCluster simulated = onlySimulated();
        simulated.snapshotClass(cluster.snapshotClass(), SimulatedCluster.DRIVER, false, "Delete");
        ObjectNode snapshot = snapshot(name);
        spec(snapshot).remove("volumeSnapshotClassName");
        try {
            created(snapshot);
            eventually().until(() -> !error(name).isEmpty());
            assertThat(error(name))
                    .isEqualTo(
                            "Failed to set default snapshot class with error cannot find default"
                                    + " snapshot class");
            assertThat(finalizers(read(name).json())).isEmpty();
        } finally {
            simulated.snapshotClass(
                    cluster.snapshotClass(), SimulatedCluster.DRIVER, true, "Delete");
        }
        eventually().until(() -> isReady(read(name).json()));
    }

    @Test
    void anErrorClearsWhenTheSnapshotBecomesReady() {
        SimulatedCluster simulated = onlySimulated();
        simulated.driver().fails(cluster.claim(), "the array is busy");
        try {
            created(snapshot(name));
            eventually().until(() -> error(name).equals("the array is busy"));
        } finally {
            simulated.driver().heal();
        }
        eventually().until(() -> isReady(read(name).json()));
        assertThat(read(name).json().path("status").has("error")).isFalse();
    }

    @Test
    void theClaimIsProtectedWhileItsSnapshotIsPending() {
        SimulatedCluster simulated = onlySimulated();
        String claim =
                "/api/v1%s/persistentvolumeclaims/%s"
                        .formatted(in(cluster.namespace()), cluster.claim());
        String protection = "snapshot.storage.kubernetes.io/pvc-as-source-protection";
        simulated.driver().pause();
        try {
            created(snapshot(name));
            eventually().until(() -> finalizers(admin.get(claim).json()).contains(protection));
        } finally {
            simulated.driver().resume();
        }
        eventually().until(() -> !finalizers(admin.get(claim).json()).contains(protection));
    }

    // ---- delete

    @Test
    void aDeletedSnapshotIsStillThereInTheAnswer() {
        ready(name);

        Answer answer = program.delete(snapshots + "/" + name);

        assertThat(answer.code()).isEqualTo(200);
        assertThat(isReady(answer.json())).isTrue();
        assertThat(finalizers(answer.json())).containsExactly(SOURCE_FINALIZER, BOUND_FINALIZER);
        assertThat(Json.text(answer.json(), "metadata", "deletionTimestamp")).isNotEmpty();
        assertThat(answer.json().path("metadata").path("deletionGracePeriodSeconds").asInt(-1))
                .isZero();
        eventually().until(() -> read(name).code() == 404);
    }

    @Test
    void aTerminatingSnapshotKeepsItsName() {
        ready(name);
        String one = snapshots + "/" + name;
        String add =
                "{\"metadata\":{\"finalizers\":[\"%s\",\"%s\",\"example.com/hold\"]}}"
                        .formatted(SOURCE_FINALIZER, BOUND_FINALIZER);
        assertThat(admin.mergePatch(one, add).code()).isEqualTo(200);
        try {
            assertThat(program.delete(one).code()).isEqualTo(200);
            assertThat(program.delete(one).code()).isEqualTo(200);
            assertThat(names(program.get(snapshots))).contains(name);
            assertThat(create(snapshot(name)).refusal())
                    .isEqualTo(
                            "409 AlreadyExists: object is being deleted: %s \"%s\" already exists"
                                    .formatted(RESOURCE, name));
        } finally {
            eventually().until(() -> finalizers(read(name).json()).size() == 1);
            admin.mergePatch(one, "{\"metadata\":{\"finalizers\":null}}");
        }
        eventually().until(() -> read(name).code() == 404);
    }

    @Test
    void storageCanHoldADeletedSnapshot() {
        SimulatedCluster simulated = onlySimulated();
        ready(name);
        simulated.driver().pause();
        try {
            program.delete(snapshots + "/" + name);
            eventually()
                    .until(() -> finalizers(read(name).json()).equals(List.of(BOUND_FINALIZER)));
            assertThat(isReady(read(name).json())).isTrue();
        } finally {
            simulated.driver().resume();
        }
        eventually().until(() -> read(name).code() == 404);
    }

    @Test
    void aSnapshotCanBeDeletedBeforeItIsReady() {
        SimulatedCluster simulated = onlySimulated();
        simulated.driver().pause();
        try {
            created(snapshot(name));
            eventually().until(() -> read(name).json().path("status").has("readyToUse"));
            JsonNode deleted = program.delete(snapshots + "/" + name).json();
            assertThat(isReady(deleted)).isFalse();
            assertThat(finalizers(deleted)).containsExactly(SOURCE_FINALIZER, BOUND_FINALIZER);
        } finally {
            simulated.driver().resume();
        }
        eventually().until(() -> read(name).code() == 404);
    }

    @Test
    void aDeletionWithAnotherUidIsAConflict() {
        JsonNode found = created(idle(name));
        String other = "00000000-0000-0000-0000-000000000000";
        String options =
                "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%s\"}}";

        assertThat(program.delete(snapshots + "/" + name, options.formatted(other)).refusal())
                .isEqualTo(
                        "409 Conflict: Operation cannot be fulfilled on %s \"%s\": the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated"
                                .formatted(KIND, name, other, Json.uid(found)));
        assertThat(
                        program.delete(snapshots + "/" + name, options.formatted(Json.uid(found)))
                                .code())
                .isEqualTo(200);
    }

    // ---- what a client can ask about itself and the API

    @Test
    void aGroupTellsItsVersions() {
        Answer answer = program.get("/apis/snapshot.storage.k8s.io");

        assertThat(answer.code()).isEqualTo(200);
        assertThat(Json.text(answer.json(), "kind")).isEqualTo("APIGroup");
        assertThat(answer.json().path("versions").valueStream())
                .anyMatch(version -> Json.text(version, "version").equals("v1"));
    }

    @Test
    void aGroupThatIsNotServedIsNotFound() {
        assertThat(program.get("/apis/no-such-group.example.com").code()).isEqualTo(404);
    }

    @Test
    void anAccountCanAskForItsRightsInANamespace() {
        assertThat(may("create", cluster.namespace())).isTrue();
        assertThat(may("watch", cluster.namespace())).isFalse();
    }

    @Test
    void anAccessReviewWithoutNamespaceIsAboutAllNamespaces() {
        assertThat(may("create", "")).isFalse();
    }

    private static boolean may(String verb, String namespace) {
        ObjectNode review = Json.object().put("apiVersion", "authorization.k8s.io/v1");
        ObjectNode attributes =
                review.put("kind", "SelfSubjectAccessReview")
                        .putObject("spec")
                        .putObject("resourceAttributes");
        attributes.put("group", "snapshot.storage.k8s.io").put("resource", "volumesnapshots");
        attributes.put("verb", verb).put("namespace", namespace);
        Answer answer =
                program.post(
                        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                        review.toString());
        assertThat(answer.code()).isEqualTo(201);
        return answer.json().path("status").path("allowed").asBoolean();
    }

    // ---- outages

    @Test
    void aRestartedServerRefusesForbidsAndThrottlesBeforeItServes() {
        SimulatedCluster simulated = onlySimulated();
        Duration step = Duration.ofMillis(600);
        var restarted = simulated.restart(step, step, step);

        List<String> seen = new ArrayList<>();
        eventually()
                .until(
                        () -> {
                            String now = outcome();
                            if (seen.isEmpty() || !seen.get(seen.size() - 1).equals(now)) {
                                seen.add(now);
                            }
                            return now.equals("200");
                        });

        assertThat(restarted).succeedsWithin(Duration.ofSeconds(10));
        assertThat(seen)
                .containsExactly(
                        "refused",
                        cannot("list", "", inNamespace()),
                        "429 TooManyRequests: storage is (re)initializing, retry after 1",
                        "200");
    }

    private static String outcome() {
        try {
            Answer answer = program.get(snapshots + "?limit=1");
            if (answer.code() == 200) {
                return "200";
            }
            String retry =
                    answer.retryAfter().isEmpty() ? "" : ", retry after " + answer.retryAfter();
            return answer.refusal() + retry;
        } catch (IllegalStateException e) {
            return "refused";
        }
    }
}
