package io.volumesnapshotter.testing;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What an overlay of the examples installs beside the program itself. */
public final class Component {

    private Component() {}

    /**
     * Leaves the program's account with just the rights that the overlay of a component grants, and
     * makes the ConfigMaps that the component brings.
     *
     * @param directory where to write an overlay for the tests' namespace
     */
    public static void install(SimulatedCluster cluster, String component, Path directory)
            throws IOException, InterruptedException {
        cluster.access().revokeAll();
        Path overlay = Files.createDirectory(directory.resolve("overlay"));
        Path example = Path.of("examples", "overlays", component);
        Files.writeString(
                overlay.resolve("kustomization.yaml"),
                "namespace: %s\nresources: [%s]\n"
                        .formatted(
                                SimulatedCluster.NAMESPACE,
                                overlay.toRealPath().relativize(example.toRealPath())));
        for (HasMetadata object : Kustomize.build(overlay)) {
            boolean isOwn =
                    object.getKind().equals("ConfigMap")
                            && object.getMetadata().getName().endsWith("-proofs");
            if (isOwn || object.getApiVersion().startsWith("rbac.")) {
                cluster.admin().resource(object).create();
            }
        }
    }
}
