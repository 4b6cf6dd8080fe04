package io.volumesnapshotter.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.apache.camel.component.seda.SedaComponent;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Components that are not shipped, put beside the libraries. */
class MoreComponentsIT {

    private static final String ROUTE =
            """
            - route:
                id: hands-over
                from:
                  uri: timer:hands-over
                  parameters:
                    repeatCount: 1
                    delay: 0
                  steps:
                    - to:
                        uri: seda:words
            - route:
                id: tells
                from:
                  uri: seda:words
                  steps:
                    - log:
                        message: handed over
            """;

    @TempDir private Path directory;

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    private Path home;

    @BeforeEach
    void programOfOnesOwn() throws IOException {
        home = Files.createDirectory(directory.resolve("home"));
        Files.createDirectory(home.resolve("bin"));
        Files.copy(
                PackagedProgram.HOME.resolve("bin/volume-snapshotter"),
                home.resolve("bin/volume-snapshotter"),
                StandardCopyOption.COPY_ATTRIBUTES);
        for (String name : new String[] {"lib", "volume-snapshotter.jar"}) {
            Files.createSymbolicLink(
                    home.resolve(name), PackagedProgram.HOME.resolve(name).toAbsolutePath());
        }
        Path routes = Files.createDirectory(home.resolve("routes"));
        TestRoutes.copyTo(routes);
        Files.writeString(routes.resolve("hands-over" + RouteFiles.SUFFIX), ROUTE);
    }

    @Test
    void aRouteThatNeedsAMissingComponentIsToldWhichJarBringsIt() throws Exception {
        try (PackagedProgram program = start("preflight")) {
            assertThat(program.awaitExit()).isEqualTo(78);
            assertThat(program.lines())
                    .anyMatch(
                            line ->
                                    line.contains("hands-over.camel.yaml:10: uri: \"seda:words\"")
                                            && line.contains("no component seda; put camel-seda"));
        }
    }

    @Test
    void aJarInTheFolderExtBringsIt() throws Exception {
        Path jar =
                Path.of(
                        SedaComponent.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        Files.copy(jar, Files.createDirectory(home.resolve("ext")).resolve("camel-seda.jar"));

        try (PackagedProgram program = start()) {
            program.awaitLine("handed over");
            assertThat(program.terminate()).isZero();
        }
    }

    private PackagedProgram start(String... arguments) throws IOException {
        Path kubeconfig =
                cluster.kubeconfig(directory.resolve("kubeconfig"), SimulatedCluster.NAMESPACE);
        return PackagedProgram.startFrom(
                home,
                directory,
                Map.of("KUBECONFIG", kubeconfig.toString(), "SNAPSHOTTER_CLAIMS", "data"),
                arguments);
    }
}
