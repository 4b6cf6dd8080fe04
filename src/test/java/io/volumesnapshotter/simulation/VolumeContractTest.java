package io.volumesnapshotter.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.volumesnapshotter.simulation.ApiCaller.Answer;
import io.volumesnapshotter.testing.Patience;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The part of the contract that restores rest on: claims that are filled from snapshots, and
 * volumes that pass from one claim to another. Tried as {@link ClusterContractTest} is.
 */
class VolumeContractTest {

    private static final String SOURCE_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection";
    private static final AtomicInteger NAMES = new AtomicInteger();

    private static ClusterUnderTest cluster;
    private static ApiCaller admin;
    private static String claims;
    private static String snapshots;
    private static JsonNode source;

    private final String name = "volume-" + NAMES.incrementAndGet();

    @BeforeAll
    static void start() {
        cluster = ClusterUnderTest.start();
        admin = cluster.admin();
        String in = "/namespaces/" + cluster.namespace();
        claims = "/api/v1" + in + "/persistentvolumeclaims";
        snapshots = ApiCaller.SNAPSHOT_API + in + "/volumesnapshots";
        source = admin.get(claims + "/" + cluster.claim()).json();
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static ConditionFactory eventually() {
        boolean simulated = cluster.simulation().isPresent();
        return await().atMost(simulated ? Patience.LIMIT : Duration.ofMinutes(5))
                .pollInterval(Duration.ofMillis(simulated ? 5 : 250));
    }

    private static JsonNode made(Answer answer) {
        assertThat(answer.code()).as(answer.body()).isEqualTo(201);
        return answer.json();
    }

    private static JsonNode patched(String path, String patch) {
        Answer answer = admin.mergePatch(path, patch);
        assertThat(answer.code()).as(answer.body()).isEqualTo(200);
        return answer.json();
    }

    private static String size() {
        return Json.text(source, "spec", "resources", "requests", "storage");
    }

    private static JsonNode readySnapshot(String name) {
        ObjectNode snapshot = Json.object().put("apiVersion", "snapshot.storage.k8s.io/v1");
        snapshot.put("kind", "VolumeSnapshot").putObject("metadata").put("name", name);
        snapshot.putObject("spec")
                .put("volumeSnapshotClassName", cluster.snapshotClass())
                .putObject("source")
                .put("persistentVolumeClaimName", cluster.claim());
        made(admin.post(snapshots, snapshot.toString()));
        String one = snapshots + "/" + name;
        eventually().until(() -> admin.get(one).json().at("/status/readyToUse").asBoolean());
        return admin.get(one).json();
    }

    private static ObjectNode claim(String name, String bindingMode) {
        ObjectNode claim = Json.object().put("apiVersion", "v1");
        claim.put("kind", "PersistentVolumeClaim").putObject("metadata").put("name", name);
        ObjectNode spec = claim.putObject("spec");
        spec.putArray("accessModes").add("ReadWriteOnce");
        spec.put("storageClassName", cluster.storageClass(bindingMode));
        spec.putObject("resources").putObject("requests").put("storage", size());
        return claim;
    }

    private static ObjectNode from(ObjectNode claim, String snapshot) {
        claim.withObjectProperty("spec")
                .putObject("dataSource")
                .put("apiGroup", "snapshot.storage.k8s.io")
                .put("kind", "VolumeSnapshot")
                .put("name", snapshot);
        return claim;
    }

    private static JsonNode readClaim(String name) {
        return admin.get(claims + "/" + name).json();
    }

    private static String phase(String claim) {
        return Json.text(readClaim(claim), "status", "phase");
    }

    private static JsonNode bound(ObjectNode claim) {
        made(admin.post(claims, claim.toString()));
        eventually().until(() -> phase(Json.name(claim)).equals("Bound"));
        return readClaim(Json.name(claim));
    }

    private static String volumePath(JsonNode claim) {
        return "/api/v1/persistentvolumes/" + Json.text(claim, "spec", "volumeName");
    }

    private static void awaitPhase(String volume, String phase) {
        eventually()
                .until(() -> Json.text(admin.get(volume).json(), "status", "phase").equals(phase));
    }

    private static void deleteClaim(String name) {
        assertThat(admin.delete(claims + "/" + name).code()).isEqualTo(200);
        eventually().until(() -> admin.get(claims + "/" + name).code() == 404);
    }

    private static List<String> reasons(String object) {
        return events(object).stream().map(event -> Json.text(event, "reason")).toList();
    }

    private static List<JsonNode> events(String object) {
        String path =
                "/api/v1/namespaces/%s/events?fieldSelector=involvedObject.name%%3D%s"
                        .formatted(cluster.namespace(), object);
        return admin.get(path).json().path("items").valueStream().toList();
    }

    private static String whyNotProvisioned(String claim) {
        eventually().until(() -> reasons(claim).contains("ProvisioningFailed"));
        return events(claim).stream()
                .filter(event -> Json.text(event, "reason").equals("ProvisioningFailed"))
                .map(event -> Json.text(event, "message"))
                .findFirst()
                .orElseThrow();
    }

    // ---- claims from snapshots

    @Test
    void aNewClaimIsPendingAndProtected() {
        JsonNode created = made(admin.post(claims, claim(name, "Immediate").toString()));

        assertThat(Json.text(created, "status", "phase")).isEqualTo("Pending");
        assertThat(Json.text(created, "spec", "volumeMode")).isEqualTo("Filesystem");
        assertThat(created.at("/metadata/finalizers/0").asText())
                .isEqualTo("kubernetes.io/pvc-protection");
    }

    @Test
    void aClaimFromASnapshotIsBoundToAVolumeOfItsOwn() {
        readySnapshot(name);
        ObjectNode wanted = from(claim(name, "Immediate"), name);
        JsonNode created = made(admin.post(claims, wanted.toString()));
        eventually().until(() -> phase(name).equals("Bound"));
        JsonNode claim = readClaim(name);
        JsonNode volume = admin.get(volumePath(claim)).json();

        assertThat(created.at("/spec/dataSourceRef")).isEqualTo(created.at("/spec/dataSource"));
        assertThat(Json.text(claim, "spec", "volumeName")).isEqualTo("pvc-" + Json.uid(claim));
        assertThat(claim.at("/metadata/annotations/pv.kubernetes.io~1bind-completed").asText())
                .isEqualTo("yes");
        assertThat(Json.text(volume, "spec", "claimRef", "uid")).isEqualTo(Json.uid(claim));
        assertThat(Json.text(volume, "spec", "persistentVolumeReclaimPolicy")).isEqualTo("Delete");
        assertThat(Json.text(volume, "status", "phase")).isEqualTo("Bound");
    }

    @Test
    void aClassThatWaitsForAConsumerSaysSo() {
        readySnapshot(name);
        made(admin.post(claims, from(claim(name, "WaitForFirstConsumer"), name).toString()));

        eventually().until(() -> reasons(name).contains("WaitForFirstConsumer"));

        assertThat(phase(name)).isEqualTo("Pending");
    }

    @Test
    void aSnapshotStaysAsLongAsAClaimFromItIsPending() {
        readySnapshot(name);
        made(admin.post(claims, from(claim(name, "WaitForFirstConsumer"), name).toString()));

        assertThat(admin.delete(snapshots + "/" + name).code()).isEqualTo(200);
        eventually()
                .until(
                        () ->
                                events(name).stream()
                                        .anyMatch(
                                                event ->
                                                        Json.text(event, "message")
                                                                .equals(
                                                                        "Snapshot is being used to"
                                                                                + " restore a PVC")));
        JsonNode held = admin.get(snapshots + "/" + name).json();
        assertThat(held.at("/metadata/finalizers/0").asText()).isEqualTo(SOURCE_FINALIZER);

        deleteClaim(name);
        eventually().until(() -> admin.get(snapshots + "/" + name).code() == 404);
    }

    @Test
    void aClaimSmallerThanTheSnapshotStaysPending() {
        readySnapshot(name);
        ObjectNode small = from(claim(name, "Immediate"), name);
        small.withObjectProperty("spec")
                .withObjectProperty("resources")
                .putObject("requests")
                .put("storage", "1Ki");
        made(admin.post(claims, small.toString()));

        assertThat(whyNotProvisioned(name))
                .contains("requested volume size 1024 is less than the size ")
                .endsWith(" for the source snapshot " + name);
        assertThat(phase(name)).isEqualTo("Pending");
    }

    @Test
    void aClaimOfAnotherVolumeModeStaysPending() {
        readySnapshot(name);
        ObjectNode block = from(claim(name, "Immediate"), name);
        block.withObjectProperty("spec").put("volumeMode", "Block");
        made(admin.post(claims, block.toString()));

        assertThat(whyNotProvisioned(name))
                .contains("modifies the mode of the source volume but does not have permission");
    }

    @Test
    void aClaimFromASnapshotThatIsNotThereStaysPending() {
        made(admin.post(claims, from(claim(name, "Immediate"), "no-such-one").toString()));

        assertThat(whyNotProvisioned(name))
                .endsWith("volumesnapshots.snapshot.storage.k8s.io \"no-such-one\" not found");
    }

    @Test
    void theSourceOfAClaimCannotBeTakenOff() {
        readySnapshot(name);
        bound(from(claim(name, "Immediate"), name));

        JsonNode answer = patched(claims + "/" + name, "{\"spec\":{\"dataSource\":null}}");

        assertThat(Json.text(answer, "spec", "dataSource", "name")).isEqualTo(name);
    }

    // ---- volumes and their claims

    @Test
    void aVolumeGoesWithItsClaim() {
        JsonNode claim = bound(claim(name, "Immediate"));

        deleteClaim(name);

        eventually().until(() -> admin.get(volumePath(claim)).code() == 404);
    }

    @Test
    void aRetainedVolumeIsReleasedAndKeepsItsClaimsName() {
        String volume = released(name);

        JsonNode found = admin.get(volume).json();
        assertThat(Json.text(found, "spec", "claimRef", "name")).isEqualTo(name);
        assertThat(Json.text(found, "spec", "claimRef", "uid")).isNotEmpty();
    }

    private String released(String claimName) {
        JsonNode claim = bound(claim(claimName, "Immediate"));
        String volume = volumePath(claim);
        patched(volume, "{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Retain\"}}");
        JsonNode deleted = admin.delete(claims + "/" + claimName).json();
        assertThat(Json.text(deleted, "metadata", "deletionTimestamp")).isNotEmpty();
        awaitPhase(volume, "Released");
        return volume;
    }

    @Test
    void aVolumeWhoseClaimRefIsClearedGoesToAnyPendingClaimOfItsClass() {
        String volume = released(name);
        made(admin.post(claims, from(claim(name + "-thief", "Immediate"), "nothing").toString()));
        whyNotProvisioned(name + "-thief");

        patched(volume, "{\"spec\":{\"claimRef\":null}}");

        awaitPhase(volume, "Bound");
        JsonNode taken = admin.get(volume).json();
        assertThat(Json.text(taken, "spec", "claimRef", "name")).isNotEqualTo(name);
        letGo(volume);
    }

    @Test
    void aVolumeIsHandedOverByAClaimRefWithoutUid() {
        String volume = released(name);
        made(admin.post(claims, from(claim(name + "-thief", "Immediate"), "nothing").toString()));
        whyNotProvisioned(name + "-thief");

        patched(
                volume,
                """
                {"spec": {"claimRef": {"name": "%s-new", "uid": null, "resourceVersion": null}}}"""
                        .formatted(name));
        awaitPhase(volume, "Available");
        ObjectNode heir = claim(name + "-new", "Immediate");
        heir.withObjectProperty("spec")
                .put("volumeName", volume.substring(volume.lastIndexOf('/') + 1));
        JsonNode bound = bound(heir);

        assertThat(volumePath(bound)).isEqualTo(volume);
        assertThat(bound.at("/metadata/annotations").has(VolumeController.BOUND_BY_CONTROLLER))
                .isFalse();
        assertThat(phase(name + "-thief")).isEqualTo("Pending");
        letGo(volume);
    }

    @Test
    void aReservedVolumeIsTakenByItsClaimWhateverThatSays() {
        String volume = released(name);
        patched(
                volume,
                """
                {"spec": {"claimRef": {"name": "%s-new", "uid": null, "resourceVersion": null}}}"""
                        .formatted(name));
        awaitPhase(volume, "Available");

        JsonNode bound = bound(claim(name + "-new", "Immediate"));

        assertThat(volumePath(bound)).isEqualTo(volume);
        letGo(volume);
    }

    /** So that nothing is left on a real cluster. */
    private static void letGo(String volume) {
        patched(volume, "{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Delete\"}}");
    }

    @Test
    void aClaimWhoseVolumeIsGoneIsLost() {
        SimulatedCluster simulated = onlySimulated();
        simulated.claim(cluster.namespace(), name);
        simulated.storage().lose(simulated.storage().volumeOf(cluster.namespace(), name));

        eventually().until(() -> phase(name).equals("Lost"));

        assertThat(reasons(name)).contains("ClaimLost");
    }

    @Test
    void theSpecOfAClaimIsFixed() {
        bound(claim(name, "Immediate"));

        Answer answer =
                admin.mergePatch(
                        claims + "/" + name, "{\"spec\":{\"storageClassName\":\"other\"}}");

        assertThat(answer.code()).isEqualTo(422);
        assertThat(answer.message()).contains("spec is immutable after creation except");
    }

    // ---- pods

    @Test
    void aPodHasTheVolumeMadeThatWaitsForItAndHoldsTheClaim() {
        SimulatedCluster simulated = onlySimulated();
        simulated.storage().node("node-a", "zone-a");
        made(admin.post(claims, claim(name, "WaitForFirstConsumer").toString()));
        String pods = claims.replace("persistentvolumeclaims", "pods");
        made(
                admin.post(
                        pods,
                        """
                        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%1$s"},
                         "spec": {"containers": [{"name": "c", "image": "pause"}], "volumes":
                          [{"name": "v", "persistentVolumeClaim": {"claimName": "%1$s"}}]}}"""
                                .formatted(name)));

        eventually().until(() -> phase(name).equals("Bound"));
        eventually()
                .until(
                        () ->
                                Json.text(admin.get(pods + "/" + name).json(), "status", "phase")
                                        .equals("Running"));
        JsonNode volume = admin.get(volumePath(readClaim(name))).json();
        assertThat(volume.path("spec").path("nodeAffinity").toString()).contains("zone-a");

        assertThat(admin.delete(claims + "/" + name).code()).isEqualTo(200);
        assertThat(admin.delete(pods + "/" + name).code()).isEqualTo(200);
        eventually().until(() -> admin.get(claims + "/" + name).code() == 404);
    }

    private static SimulatedCluster onlySimulated() {
        assumeThat(cluster.simulation()).as("only the simulation can do this").isPresent();
        return cluster.simulation().orElseThrow();
    }
}
