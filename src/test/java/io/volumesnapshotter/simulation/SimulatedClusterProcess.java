package io.volumesnapshotter.simulation;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The simulated cluster in a process of its own, for whatever is to be tried from outside: give it
 * a port and a path, and point KUBECONFIG at the file that it writes there.
 */
public final class SimulatedClusterProcess {

    private SimulatedClusterProcess() {}

    /**
     * Serves a cluster with one bound claim, {@code data}, until the standard input ends.
     *
     * @param args the port (0 for a free one), the path of the kubeconfig, and {@code admin} for
     *     one with which everything is allowed
     */
    public static void main(String[] args) throws IOException {
        String namespace = SimulatedCluster.NAMESPACE;
        try (SimulatedCluster cluster = SimulatedCluster.start(Integer.parseInt(args[0]))) {
            cluster.claim(namespace, "data");
            Path file = Path.of(args[1]);
            if (args.length > 2 && args[2].equals("admin")) {
                cluster.adminKubeconfig(file, namespace);
            } else {
                cluster.kubeconfig(file, namespace);
            }
            System.out.println("ready " + cluster.url());
            System.in.transferTo(System.err);
        }
    }
}
