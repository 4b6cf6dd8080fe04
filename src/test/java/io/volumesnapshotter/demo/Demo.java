package io.volumesnapshotter.demo;

import io.volumesnapshotter.SnapshotterConfiguration;
import io.volumesnapshotter.VolumeSnapshotter;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The program against a simulated cluster, with nothing to set up: three claims, a run every ten
 * seconds, a driver that is quick or slow by turns, and one claim whose volume it cannot snapshot.
 */
public final class Demo {

    private static final String NAMESPACE = "shop";
    private static final int PERIOD = 10;

    private Demo() {}

    /** Runs until it is interrupted. */
    public static void main(String[] args) {
        ScheduledExecutorService moods =
                Executors.newSingleThreadScheduledExecutor(
                        task -> {
                            Thread thread = new Thread(task, "driver's moods");
                            thread.setDaemon(true);
                            return thread;
                        });
        try (SimulatedCluster cluster = SimulatedCluster.start(NAMESPACE)) {
            cluster.claim(NAMESPACE, "database");
            cluster.claim(NAMESPACE, "uploads");
            cluster.claim(NAMESPACE, "legacy");
            cluster.access().grant(NAMESPACE, "events", "create", "get", "update");
            cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "get");
            cluster.driver()
                    .readyAfter(Duration.ofMillis(1500))
                    .fails(
                            "legacy",
                            "Failed to take snapshot: rpc error: code = InvalidArgument desc ="
                                    + " volume legacy is of a type without snapshots");
            // Slow for so long that at least one whole run is, then quick again.
            moods.scheduleAtFixedRate(
                    () -> cluster.driver().readyAfter("uploads", Duration.ofSeconds(5)),
                    PERIOD,
                    3 * PERIOD,
                    TimeUnit.SECONDS);
            moods.scheduleAtFixedRate(
                    () -> cluster.driver().readyAfter("uploads", Duration.ofMillis(1500)),
                    PERIOD + 3 * PERIOD / 2,
                    3 * PERIOD,
                    TimeUnit.SECONDS);
            Path kubeconfig =
                    cluster.kubectlConfig(
                            Path.of("target", "demo.kubeconfig").toAbsolutePath(), NAMESPACE);
            System.out.printf(
                    """
                    A simulated cluster runs at %1$s. Namespace %2$s has three claims: database, uploads,
                    legacy; legacy's volume cannot be snapshotted. Every %3$d s a run is due. Ctrl-C ends it.
                    Look at the snapshots, and at what fails, with
                      kubectl --kubeconfig %4$s get volumesnapshots
                      kubectl --kubeconfig %4$s describe pvc legacy
                    For a real cluster, after mvn package:
                      KUBECONFIG=$HOME/.kube/config SNAPSHOTTER_CLAIMS=data target/volume-snapshotter/bin/volume-snapshotter

                    """,
                    cluster.url(),
                    NAMESPACE,
                    PERIOD,
                    Path.of("").toAbsolutePath().relativize(kubeconfig));
            VolumeSnapshotter.run(
                    () ->
                            new SnapshotterConfiguration(
                                    Cluster.of(cluster.config(NAMESPACE)), Map.of()),
                    Map.of(
                            "snapshotter.claims",
                            "database,uploads,legacy",
                            "snapshotter.schedule",
                            "*/" + PERIOD + " * * * * ?"));
        }
    }
}
