package io.volumesnapshotter.restore;

import static io.volumesnapshotter.simulation.AccessRules.EVERYWHERE;
import static io.volumesnapshotter.simulation.SimulatedCluster.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ClusterWriter;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.Scale;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Cuts a restore in place, and the way back, off at the boundaries of its requests, which to the
 * cluster is the same as a kill -9 there. Whatever was cut off, no volume is ever deleted, another
 * claim that waits for a volume never gets one of the two, and the next try leads to the end.
 */
class InPlaceCrashTest {

    private static final Claim DATA = new Claim(NAMESPACE, "data");
    private static final String WAITS = "csi-hostpath-wait";
    private static final String OLD = "as of seven";
    private static final String PRESENT = "as it is now";

    /** More than any of the ways takes. */
    private static final int REQUESTS = 60;

    /** A cluster with a claim, a snapshot of it, and one that waits for any volume of the class. */
    private static final class Lab implements AutoCloseable {

        private final SimulatedCluster cluster = SimulatedCluster.start();
        private final String original;

        private Lab(boolean waits) {
            String storageClass = waits ? WAITS : SimulatedCluster.STORAGE_CLASS;
            cluster.storage()
                    .storageClass(
                            storageClass,
                            SimulatedCluster.DRIVER,
                            waits ? "WaitForFirstConsumer" : "Immediate");
            cluster.access()
                    .grant(NAMESPACE, "persistentvolumeclaims", "get", "create", "delete")
                    .grant(EVERYWHERE, "persistentvolumes", "get", "list", "patch")
                    .grant(NAMESPACE, "pods", "get", "list", "create", "delete")
                    .grant(NAMESPACE, "statefulsets.apps", "list")
                    .grant(NAMESPACE, "deployments.apps", "list")
                    .grant(EVERYWHERE, "storageclasses.storage.k8s.io", "get")
                    .grant(EVERYWHERE, "volumesnapshotclasses.snapshot.storage.k8s.io", "get");
            cluster.claim(NAMESPACE, "data", Map.of("app", "shop"));
            if (waits) {
                cluster.storage().reclass(NAMESPACE, "data", storageClass);
            }
            original = cluster.storage().volumeOf(NAMESPACE, "data");
            SimulatedSnapshot snapshot =
                    cluster.snapshot(
                            NAMESPACE,
                            "data-seven",
                            "data",
                            Map.of(),
                            Instant.parse("2026-11-22T07:00:00Z"));
            cluster.storage().fill(snapshot, OLD);
            cluster.storage().write(NAMESPACE, "data", PRESENT);
            thief(storageClass);
        }

        private void thief(String storageClass) {
            PersistentVolumeClaim thief =
                    new PersistentVolumeClaimBuilder()
                            .withNewMetadata()
                            .withName("thief")
                            .withNamespace(NAMESPACE)
                            .addToAnnotations("volume.kubernetes.io/selected-node", "node-1")
                            .endMetadata()
                            .withNewSpec()
                            .withAccessModes("ReadWriteOnce")
                            .withStorageClassName(storageClass)
                            .withNewResources()
                            .addToRequests(
                                    "storage", new io.fabric8.kubernetes.api.model.Quantity("1Mi"))
                            .endResources()
                            .withNewDataSource("snapshot.storage.k8s.io", "VolumeSnapshot", "none")
                            .endSpec()
                            .build();
            cluster.admin().resource(thief).create();
        }

        private PersistentVolumeClaim claim(String name) {
            return cluster.admin()
                    .persistentVolumeClaims()
                    .inNamespace(NAMESPACE)
                    .withName(name)
                    .get();
        }

        private InPlaceRestores.Result run(boolean forward) {
            try (KubernetesClient client =
                    new KubernetesClientBuilder().withConfig(cluster.config(NAMESPACE)).build()) {
                InPlaceRestores restores =
                        new InPlaceRestores(
                                client,
                                new ClusterWriter(client)::send,
                                new Waiting(InstantSource.system(), Patience.LIMIT, Lab::shortly),
                                InstantSource.system(),
                                words -> {},
                                words -> {});
                return forward
                        ? restores.restore(
                                new InPlaceRestores.Wish(
                                        DATA,
                                        Optional.of(SnapshotChoice.NEWEST),
                                        Optional.empty(),
                                        Set.of()))
                        : restores.undo(DATA);
            }
        }

        /** The cluster's controllers take milliseconds. */
        private static boolean shortly(Duration time) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            return true;
        }

        /** Kills it at a request's boundary; false when it was over before. */
        private boolean killed(boolean forward, int request, Boundary boundary) {
            Faults.Fault kill =
                    cluster.faults()
                            .hook(
                                    boundary,
                                    Faults.nth(request, any -> true),
                                    1,
                                    any -> cluster.rotateToken());
            try {
                run(forward);
                return kill.hits() > 0;
            } catch (KubernetesClientException e) {
                assertThat(e.getCode()).isEqualTo(401);
                return true;
            } catch (RefusedException e) {
                // There is nothing to undo yet, or not any more.
                assertThat(forward).as(e.getMessage()).isFalse();
                return kill.hits() > 0;
            } finally {
                kill.cancel();
                nothingIsLost();
            }
        }

        private void nothingIsLost() {
            assertThat(cluster.storage().gone()).isEmpty();
            assertThat(cluster.storage().content(original)).isEqualTo(PRESENT);
            assertThat(claim("thief").getStatus().getPhase()).isEqualTo("Pending");
        }

        private void isRestored() {
            nothingIsLost();
            assertThat(cluster.storage().content(NAMESPACE, "data")).isEqualTo(OLD);
            PersistentVolumeClaim claim = claim("data");
            assertThat(claim.getStatus().getPhase()).isEqualTo("Bound");
            assertThat(claim.getMetadata().getLabels()).containsEntry("app", "shop");
            assertThat(claim.getSpec().getDataSource()).isNull();
        }

        private void isAsBefore() {
            nothingIsLost();
            assertThat(cluster.storage().volumeOf(NAMESPACE, "data")).isEqualTo(original);
            assertThat(claim("data").getStatus().getPhase()).isEqualTo("Bound");
            assertThat(claim("data").getMetadata().getLabels()).containsEntry("app", "shop");
        }

        @Override
        public void close() {
            cluster.close();
        }
    }

    static Stream<Arguments> boundaries() {
        int step = Scale.of(3, 1);
        return Stream.of(false, true)
                .flatMap(
                        waits ->
                                IntStream.rangeClosed(1, REQUESTS)
                                        .filter(n -> n % step == 0)
                                        .boxed()
                                        .map(
                                                n ->
                                                        Arguments.of(
                                                                waits,
                                                                n,
                                                                Boundary.values()[
                                                                        n
                                                                                / step
                                                                                % Boundary.values()
                                                                                        .length])));
    }

    @ParameterizedTest(name = "waits for a pod: {0}, request {1}, {2}")
    @MethodSource("boundaries")
    void aRestoreThatWasKilledIsEndedByTheNextAndCanBeUndone(
            boolean waits, int request, Boundary boundary) {
        try (Lab lab = new Lab(waits)) {
            lab.killed(true, request, boundary);

            assertThat(lab.run(true).isOver()).isTrue();
            lab.isRestored();
            lab.killed(false, request, boundary);

            try {
                assertThat(lab.run(false).isOver()).isTrue();
            } catch (RefusedException e) {
                assertThat(e).hasMessageStartingWith("nothing is known of a restore in place");
            }
            lab.isAsBefore();
        }
    }

    @ParameterizedTest(name = "waits for a pod: {0}, request {1}, {2}")
    @MethodSource("boundaries")
    void aRestoreThatWasKilledCanBeUndoneAtOnce(boolean waits, int request, Boundary boundary) {
        try (Lab lab = new Lab(waits)) {
            lab.killed(true, request, boundary);
            try {
                assertThat(lab.run(false).isOver()).isTrue();
            } catch (RefusedException e) {
                assertThat(e).hasMessageStartingWith("nothing is known of a restore in place");
            }
            lab.isAsBefore();
        }
    }

    static IntStream seeds() {
        return IntStream.rangeClosed(1, Scale.of(6, 50));
    }

    /** Ten kills for each seed, of restores and ways back in any order. */
    @ParameterizedTest
    @MethodSource("seeds")
    void killsAtAnyMomentsLoseNothing(int seed) {
        Random random = new Random(seed);
        try (Lab lab = new Lab(seed % 2 == 0)) {
            for (int kills = 0; kills < 10; ) {
                boolean forward = random.nextInt(3) > 0;
                Boundary boundary = Boundary.values()[random.nextInt(Boundary.values().length)];
                if (lab.killed(forward, 1 + random.nextInt(REQUESTS), boundary)) {
                    kills++;
                }
            }
            if (seed % 3 == 0) {
                lab.run(true);
                lab.isRestored();
            }
            try {
                lab.run(false);
            } catch (RefusedException e) {
                assertThat(e).hasMessageStartingWith("nothing is known of a restore in place");
            }
            assertThat(lab.claim("data").getStatus().getPhase()).isEqualTo("Bound");
            lab.nothingIsLost();
        }
    }
}
