package io.volumesnapshotter.testing;

import com.marcnuri.helm.Helm;
import java.nio.file.Path;

/** Packages the chart as {@code helm package} does, where no Helm is installed. */
public final class ChartPackage {

    private ChartPackage() {}

    /**
     * Packages it.
     *
     * @param args the folder for the package
     */
    public static void main(String[] args) {
        new Helm(Path.of("charts/volume-snapshotter"))
                .packageIt()
                .withDestination(Path.of(args[0]))
                .call();
    }
}
