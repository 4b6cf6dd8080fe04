package io.volumesnapshotter.hook;

import io.volumesnapshotter.VolumeSnapshotter;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The program in a process of its own, whose schedule is due each second: one that can be killed.
 */
final class ForkedProgram implements AutoCloseable {

    private final Process process;
    private final Path log;

    /**
     * @param directory has the routes in {@code routes} and the data source {@code shop} in {@code
     *     data-sources}
     * @param kind how it freezes
     */
    ForkedProgram(Path directory, SimulatedCluster cluster, String kind) throws IOException {
        log = Files.createTempFile(directory, "program", ".log");
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-XX:+UseSerialGC",
                                "-cp",
                                System.getProperty("java.class.path"),
                                VolumeSnapshotter.class.getName())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile());
        Path kubeconfig =
                cluster.kubeconfig(directory.resolve("kubeconfig"), SimulatedCluster.NAMESPACE);
        builder.environment()
                .putAll(
                        Map.of(
                                "KUBECONFIG",
                                kubeconfig.toString(),
                                "SNAPSHOTTER_ROUTES",
                                directory.resolve("routes").toString(),
                                "SNAPSHOTTER_DATA_SOURCES",
                                directory.resolve("data-sources").toString(),
                                "SNAPSHOTTER_DATA_SOURCE",
                                "shop",
                                "SNAPSHOTTER_CLAIMS",
                                "data",
                                "SNAPSHOTTER_SCHEDULE",
                                "* * * * * ?",
                                "SNAPSHOTTER_POLL_INTERVAL",
                                "50ms",
                                "SNAPSHOTTER_QUIESCE",
                                kind));
        process = builder.start();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it told. */
    String lines() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it as kill -9 does. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        kill();
    }
}
