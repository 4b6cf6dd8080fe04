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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The part of the contract that consistent snapshots rest on: when storage cuts, as a watch shows
 * it, and group snapshots. Tried as {@link ClusterContractTest} is; a real cluster without group
 * snapshots leaves those out.
 */
class ConsistencyContractTest {

    private static final String GROUP_API = "/apis/groupsnapshot.storage.k8s.io/v1";
    private static final String GROUP_FINALIZER =
            "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-bound-protection";
    private static final String MEMBER_FINALIZER =
            "snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection";
    private static final AtomicInteger NAMES = new AtomicInteger();

    private static ClusterUnderTest cluster;
    private static ApiCaller admin;
    private static String snapshots;
    private static String claims;
    private static String groups;

    private final String name = "consistency-" + NAMES.incrementAndGet();

    @BeforeAll
    static void start() {
        cluster = ClusterUnderTest.start();
        admin = cluster.admin();
        String in = "/namespaces/" + cluster.namespace();
        claims = "/api/v1" + in + "/persistentvolumeclaims";
        snapshots = ApiCaller.SNAPSHOT_API + in + "/volumesnapshots";
        groups = GROUP_API + in + "/volumegroupsnapshots";
        cluster.simulation().ifPresent(simulated -> simulated.servesGroupSnapshotsAs("v1"));
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void label() {
        String labels = "{\"metadata\":{\"labels\":{\"app\":\"%s\"}}}".formatted(name);
        assertThat(admin.mergePatch(claims + "/" + cluster.claim(), labels).code()).isEqualTo(200);
    }

    private static ConditionFactory eventually() {
        boolean simulated = cluster.simulation().isPresent();
        return await().atMost(simulated ? Patience.LIMIT : Duration.ofMinutes(5))
                .pollInterval(Duration.ofMillis(simulated ? 5 : 250));
    }

    private JsonNode createdSnapshot() {
        ObjectNode snapshot = Json.object().put("apiVersion", "snapshot.storage.k8s.io/v1");
        snapshot.put("kind", "VolumeSnapshot").putObject("metadata").put("name", name);
        snapshot.putObject("spec")
                .put("volumeSnapshotClassName", cluster.snapshotClass())
                .putObject("source")
                .put("persistentVolumeClaimName", cluster.claim());
        return made(admin.post(snapshots, snapshot.toString()));
    }

    private static JsonNode made(Answer answer) {
        assertThat(answer.code()).as(answer.body()).isEqualTo(201);
        return answer.json();
    }

    /** What a watch over one snapshot shows in some seconds. */
    private List<JsonNode> watched(int seconds) {
        Answer answer =
                admin.get(
                        snapshots
                                + "?watch=1&timeoutSeconds="
                                + seconds
                                + "&fieldSelector=metadata.name%3D"
                                + name);
        assertThat(answer.code()).isEqualTo(200);
        return answer.body().lines().map(line -> new Answer(200, "", "", "", line).json()).toList();
    }

    // ---- the cut

    @Test
    void aWatchOverOneSnapshotBeginsWithItAndShowsWhenItIsReady() {
        createdSnapshot();

        List<JsonNode> events = watched(3);

        assertThat(Json.text(events.get(0), "type")).isEqualTo("ADDED");
        assertThat(events.subList(1, events.size()))
                .allSatisfy(event -> assertThat(Json.text(event, "type")).isEqualTo("MODIFIED"));
        assertThat(events)
                .allSatisfy(event -> assertThat(Json.name(event.path("object"))).isEqualTo(name));
        JsonNode last = events.get(events.size() - 1).path("object").path("status");
        assertThat(last.path("readyToUse").asBoolean()).isTrue();
        assertThat(Json.text(last, "creationTime")).isNotEmpty();
    }

    @Test
    void theCutIsSeenBeforeTheSnapshotIsReady() {
        assumeThat(cluster.simulation()).as("a driver that takes its time").isPresent();
        SimulatedDriver driver = cluster.simulation().orElseThrow().driver();
        driver.cutsAfter(cluster.claim(), Duration.ofMillis(50))
                .readyAfter(cluster.claim(), Duration.ofMillis(500));
        createdSnapshot();

        List<JsonNode> statuses =
                watched(2).stream().map(event -> event.path("object").path("status")).toList();

        int cut = 0;
        while (!statuses.get(cut).has("creationTime")) {
            cut++;
        }
        assertThat(statuses.get(cut).path("readyToUse").asBoolean(true)).isFalse();
        assertThat(Json.text(statuses.get(cut), "restoreSize")).isNotEmpty();
        JsonNode last = statuses.get(statuses.size() - 1);
        assertThat(last.path("readyToUse").asBoolean()).isTrue();
        assertThat(last.path("creationTime")).isEqualTo(statuses.get(cut).path("creationTime"));
    }

    // ---- group snapshots

    private static void onlyWithGroups() {
        assumeThat(admin.get(groups).code()).as("group snapshots are served").isEqualTo(200);
    }

    private JsonNode createdGroup() {
        onlyWithGroups();
        JsonNode classes = admin.get(GROUP_API + "/volumegroupsnapshotclasses").json();
        ObjectNode group = Json.object().put("apiVersion", "groupsnapshot.storage.k8s.io/v1");
        group.put("kind", "VolumeGroupSnapshot")
                .putObject("metadata")
                .put("name", name)
                .putObject("labels")
                .put("volume-snapshotter/schedule", "shop");
        ObjectNode spec = group.putObject("spec");
        spec.put("volumeGroupSnapshotClassName", Json.name(classes.path("items").path(0)));
        spec.putObject("source").putObject("selector").putObject("matchLabels").put("app", name);
        return made(admin.post(groups, group.toString()));
    }

    private JsonNode group() {
        return admin.get(groups + "/" + name).json();
    }

    private JsonNode readyGroup() {
        createdGroup();
        eventually().until(() -> group().at("/status/readyToUse").asBoolean());
        return group();
    }

    private List<JsonNode> members() {
        return admin.get(snapshots)
                .json()
                .path("items")
                .valueStream()
                .filter(s -> Json.text(s, "status", "volumeGroupSnapshotName").equals(name))
                .toList();
    }

    private static List<String> finalizers(JsonNode object) {
        return object.path("metadata")
                .path("finalizers")
                .valueStream()
                .map(JsonNode::asText)
                .toList();
    }

    @Test
    void aCreatedGroupHasNoStatusAndNoFinalizers() {
        JsonNode created = createdGroup();

        assertThat(created.has("status")).isFalse();
        assertThat(created.path("metadata").has("finalizers")).isFalse();
    }

    @Test
    void aReadyGroupHasTheTimeOfItsCutButDoesNotNameItsMembers() {
        JsonNode ready = readyGroup();

        assertThat(finalizers(ready)).containsExactly(GROUP_FINALIZER);
        assertThat(Json.text(ready, "status", "boundVolumeGroupSnapshotContentName"))
                .isEqualTo("groupsnapcontent-" + Json.uid(ready));
        assertThat(Json.strings(ready.path("status")).keySet())
                .containsExactlyInAnyOrder(
                        "boundVolumeGroupSnapshotContentName", "creationTime", "readyToUse");
    }

    @Test
    void aMemberHasAGeneratedNameAnOwnerAndNoLabelsOfTheGroup() {
        JsonNode group = readyGroup();

        assertThat(members()).hasSize(1);
        JsonNode member = members().get(0);
        assertThat(Json.name(member)).matches("snapshot-[0-9a-f]{64}");
        assertThat(member.path("metadata").has("labels")).isFalse();
        JsonNode owner = member.path("metadata").path("ownerReferences").path(0);
        assertThat(Json.text(owner, "kind")).isEqualTo("VolumeGroupSnapshot");
        assertThat(Json.text(owner, "uid")).isEqualTo(Json.uid(group));
        assertThat(finalizers(member)).contains(MEMBER_FINALIZER);
        assertThat(Json.text(member, "spec", "source", "persistentVolumeClaimName"))
                .isEqualTo(cluster.claim());
        assertThat(member.path("spec").has("volumeSnapshotClassName")).isFalse();
        assertThat(member.path("status").path("readyToUse").asBoolean()).isTrue();
        assertThat(Json.text(member, "status", "creationTime")).isNotEmpty();
    }

    @Test
    void aDeletedMemberStaysUntilItsGroupGoes() {
        readyGroup();
        String member = snapshots + "/" + Json.name(members().get(0));

        Answer answer = admin.delete(member);

        assertThat(answer.code()).isEqualTo(200);
        assertThat(Json.terminating(answer.json())).isTrue();
        await().during(Duration.ofMillis(cluster.simulation().isPresent() ? 200 : 5000))
                .atMost(Duration.ofMinutes(1))
                .until(() -> admin.get(member).code() == 200);
        assertThat(finalizers(admin.get(member).json())).contains(MEMBER_FINALIZER);

        assertThat(admin.delete(groups + "/" + name).code()).isEqualTo(200);

        eventually().until(() -> admin.get(member).code() == 404);
    }

    @Test
    void aDeletedGroupIsStillThereInTheAnswerAndTakesItsMembersWithIt() {
        readyGroup();

        Answer answer = admin.delete(groups + "/" + name);

        assertThat(answer.code()).isEqualTo(200);
        assertThat(Json.terminating(answer.json())).isTrue();
        assertThat(finalizers(answer.json())).containsExactly(GROUP_FINALIZER);
        eventually().until(() -> admin.get(groups + "/" + name).code() == 404);
        eventually().until(() -> members().isEmpty());
    }

    @Test
    void aClusterWithoutGroupSnapshotsAnswersPlainText() {
        try (SimulatedCluster without = SimulatedCluster.start();
                ApiCaller caller = new ApiCaller(without.admin().getConfiguration())) {
            Answer answer = caller.get(groups);

            assertThat(answer.code()).isEqualTo(404);
            assertThat(answer.body()).isEqualTo("404 page not found\n");
        }
    }
}
