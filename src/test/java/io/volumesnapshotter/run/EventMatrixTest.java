package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What happens when something happens in the middle of a run: each such event, right when each of
 * the run's requests arrives. Whatever it is, no deletion takes the last good copy of a volume,
 * nothing is taken twice, a replica that has lost the lead sends nothing more, and the next run
 * puts all in order. How the run ends stands in {@code docs/fault-matrix.md}.
 */
class EventMatrixTest {

    private static final int KEEP = 2;
    private static final String DATA = "data";
    private static final String SCHEDULE = "hourly";
    private static final String LEASE = "volume-snapshotter";
    private static final Path PAGE = Path.of("docs", "fault-matrix.md");

    /** The requests of a run, in their order. */
    private enum Request {
        CLAIMS,
        CREATE,
        LOOK,
        HISTORY,
        DELETE;

        boolean isOf(ApiRequest request) {
            boolean isList = request.is("list", "volumesnapshots");
            boolean ofRun = request.labelSelector().contains(SnapshotLabels.RUN + "=");
            return switch (this) {
                case CLAIMS -> request.is("list", "persistentvolumeclaims");
                case CREATE -> request.is("create", "volumesnapshots");
                case LOOK -> isList && ofRun;
                case HISTORY -> isList && !ofRun && !request.labelSelector().isEmpty();
                case DELETE -> request.is("delete", "volumesnapshots");
            };
        }
    }

    private enum Event {
        NEWEST_VANISHES("the newest snapshot vanishes"),
        CLAIM_MADE_ANEW("the claim is made anew"),
        LEAD_LOST("the lead is lost"),
        CLOCK_BACK("the clock is set back by 2 h"),
        CLOCK_AHEAD("the clock is set ahead by 2 h");

        private final String title;

        Event(String title) {
            this.title = title;
        }
    }

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.start();
    private final Instant due =
            Instant.now().truncatedTo(ChronoUnit.MINUTES).minus(Duration.ofMinutes(5));
    private final Queue<String> lost = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean remade = new AtomicBoolean();

    static Stream<Arguments> cells() {
        return Arrays.stream(Event.values())
                .flatMap(
                        event ->
                                Arrays.stream(Request.values())
                                        .filter(
                                                request ->
                                                        Scale.WHOLE
                                                                || (event.ordinal()
                                                                                        + request
                                                                                                .ordinal())
                                                                                % 3
                                                                        == 0)
                                        .map(request -> Arguments.of(event, request)));
    }

    @ParameterizedTest
    @MethodSource("cells")
    void nothingIsLostAndNothingTakenTwice(Event event, Request when) throws Exception {
        cluster.access()
                .grant(NAMESPACE, "persistentvolumeclaims", "list")
                .grant(NAMESPACE, "leases.coordination.k8s.io", "create", "get", "patch");
        cluster.claim(NAMESPACE, DATA);
        for (int hours = 3; hours > 0; hours--) {
            seed(due.minus(Duration.ofHours(hours)));
        }
        Program.Builder builder =
                Program.of(cluster)
                        .with("claims", "*")
                        .with("keep-last", Integer.toString(KEEP))
                        .with("lease-duration", "300s")
                        .with("renew-deadline", "200s")
                        .with("retry-period", "200ms");
        try (Program program =
                (event == Event.LEAD_LOST ? builder.replica("pod-1") : builder).start()) {
            if (event == Event.LEAD_LOST) {
                await().until(() -> isLeader(program));
            }
            cluster.faults().hook(Boundary.ARRIVED, Request.DELETE::isOf, 100, this::noteDeletion);
            cluster.faults()
                    .hook(Boundary.ARRIVED, when::isOf, 1, request -> happen(event, program));
            program.fire(due);
            assertThat(documented(event, when)).isEqualTo(end(program));
            assertThat(lost).isEmpty();
            if (event == Event.LEAD_LOST) {
                assertThat(sentAfterTheLoss(when)).isEmpty();
                return;
            }
            program.setClock(Duration.ZERO);
            program.fire(due.plusSeconds(60));
            assertThat(lost).isEmpty();
            assertInOrder();
        }
    }

    private void seed(Instant time) {
        String name = SnapshotNames.snapshot(DATA, SCHEDULE, time);
        cluster.snapshot(
                NAMESPACE,
                name,
                DATA,
                SnapshotLabels.of(
                        name, SCHEDULE, SnapshotNames.run(SCHEDULE, time), Program.INSTALLATION),
                time);
    }

    private static boolean isLeader(Program program) {
        return program.told(Level.INFO).stream().anyMatch(l -> l.contains("pod-1 is the leader"));
    }

    private void giveLeaseAway() {
        cluster.admin()
                .leases()
                .inNamespace(NAMESPACE)
                .withName(LEASE)
                .edit(
                        lease -> {
                            lease.getSpec().setHolderIdentity("pod-2");
                            return lease;
                        });
    }

    private static boolean hasLostTheLead(Program program) {
        return program.told(Level.WARN).stream()
                .anyMatch(line -> line.contains("pod-1 is not the leader any more"));
    }

    private void happen(Event event, Program program) {
        switch (event) {
            case NEWEST_VANISHES ->
                    good().max(Comparator.comparing(SimulatedSnapshot::createdAt))
                            .ifPresent(
                                    newest ->
                                            cluster.admin()
                                                    .genericKubernetesResources(
                                                            "snapshot.storage.k8s.io/v1",
                                                            "VolumeSnapshot")
                                                    .inNamespace(NAMESPACE)
                                                    .withName(newest.name())
                                                    .delete());
            case CLAIM_MADE_ANEW -> {
                cluster.withoutClaim(NAMESPACE, DATA);
                cluster.claim(NAMESPACE, DATA);
                remade.set(true);
            }
            case LEAD_LOST ->
                    await().ignoreExceptions()
                            .until(
                                    () -> {
                                        // A renewal may come in between.
                                        giveLeaseAway();
                                        return hasLostTheLead(program);
                                    });
            case CLOCK_BACK -> program.setClock(Duration.ofHours(-2));
            case CLOCK_AHEAD -> program.setClock(Duration.ofHours(2));
        }
    }

    private Stream<SimulatedSnapshot> good() {
        return cluster.snapshots(NAMESPACE, DATA).stream()
                .filter(snapshot -> snapshot.ready() && !snapshot.terminating());
    }

    /** A deletion needs a newer good one; and one of the former volume another of that. */
    private void noteDeletion(ApiRequest request) {
        Instant created =
                cluster.snapshots(NAMESPACE, DATA).stream()
                        .filter(snapshot -> snapshot.name().equals(request.objectName()))
                        .map(SimulatedSnapshot::createdAt)
                        .findAny()
                        .orElse(Instant.MAX);
        boolean ofFormer = remade.get() && created.isBefore(due);
        boolean isLast =
                good().filter(other -> other.createdAt().isAfter(created))
                        .noneMatch(other -> !ofFormer || other.createdAt().isBefore(due));
        if (isLast && created.isBefore(Instant.MAX)) {
            lost.add(request.objectName());
        }
    }

    /** How the run ended, in one word. */
    private String end(Program program) {
        String run = SnapshotNames.run(SCHEDULE, due) + ": ";
        return program.told(Level.INFO).stream()
                .filter(line -> line.startsWith(run))
                .reduce((first, second) -> second)
                .map(line -> line.substring(run.length()))
                .map(line -> line.startsWith("succeeded") ? "ok" : line.split("[,:]")[0])
                .orElse("none");
    }

    private String documented(Event event, Request when) throws Exception {
        return Files.readAllLines(PAGE).stream()
                .map(line -> line.split(" {2,}"))
                .filter(parts -> parts[0].equals(event.title))
                .map(parts -> parts[1 + when.ordinal()])
                .findFirst()
                .orElse("not on the page");
    }

    /** What was sent after the request at whose arrival the lead was lost. */
    private List<RequestLog.Entry> sentAfterTheLoss(Request when) {
        List<RequestLog.Entry> changes =
                cluster.log()
                        .entries(
                                entry ->
                                        entry.resource().equals("volumesnapshots")
                                                && !entry.verb().equals("list")
                                                && !entry.verb().equals("get"));
        // The request itself was on its way.
        int before = when == Request.CLAIMS ? 0 : when == Request.DELETE ? 2 : 1;
        return changes.subList(Math.min(before, changes.size()), changes.size());
    }

    private void assertInOrder() {
        await().untilAsserted(
                        () -> {
                            Map<String, Integer> byRun = new TreeMap<>();
                            cluster.snapshots(NAMESPACE, DATA)
                                    .forEach(
                                            s ->
                                                    byRun.merge(
                                                            s.labels().get(SnapshotLabels.RUN),
                                                            1,
                                                            Integer::sum));
                            assertThat(byRun.values()).allMatch(count -> count == 1);
                            assertThat(good().count())
                                    .isBetween((long) KEEP, KEEP + (remade.get() ? 2L : 0L));
                        });
    }

    @Test
    void eachEventIsOnThePage() throws Exception {
        for (Event event : Event.values()) {
            assertThat(documented(event, Request.DELETE)).isNotEqualTo("not on the page");
        }
    }
}
