package io.volumesnapshotter;

import static io.volumesnapshotter.simulation.SimulatedCluster.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.ConfigMapMount;
import io.volumesnapshotter.testing.Kept;
import io.volumesnapshotter.testing.Program;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.engine.AbstractCamelContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of a schedule that is gone the program holds nothing any more, whatever befell its runs. */
class GoneScheduleTest {

    private static final String LEAVING = "leaving";
    private static final Instant TEN = Instant.parse("2026-11-23T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-23T11:00:00Z");

    /** When a schedule that was removed is forgotten. */
    private static final Duration GONE = Duration.ofSeconds(11);

    @TempDir private Path directory;
    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");
    private final Map<String, String> files = new HashMap<>();

    @BeforeEach
    void addASchedule() throws IOException {
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path file :
                    routes.filter(f -> f.toString().endsWith(RouteFiles.SUFFIX)).toList()) {
                files.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        files.put(
                LEAVING + RouteFiles.SUFFIX,
                files.get("hourly.camel.yaml").replace("hourly", LEAVING));
        ConfigMapMount.write(directory, files);
        cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
        cluster.pendingClaim(NAMESPACE, "pending");
    }

    private Program start() {
        return Program.of(cluster)
                .with("claims", "*")
                .with("ready-timeout", "1s")
                .routes(directory)
                .with("routes-poll-interval", "50ms")
                .shownByJmx()
                .managed()
                .start();
    }

    private void remove(Program program) throws IOException {
        files.remove(LEAVING + RouteFiles.SUFFIX);
        ConfigMapMount.write(directory, files);
        await().until(() -> program.context().getRoute(LEAVING) == null);
        program.pass(GONE);
    }

    @Test
    void whatIsKnownOfItsRunsIsForgotten() throws Exception {
        cluster.driver().neverReady();
        try (Program program = start()) {
            program.fire(LEAVING, TEN);
            assertThat(places(program)).isNotEmpty();
            assertThat(program.told(Level.WARN)).anyMatch(line -> line.contains("skipped"));
            remove(program);
            await().untilAsserted(() -> assertThat(places(program)).isEmpty());
        }
    }

    @Test
    void whatARunAddsThatStillEndsIsForgotten() throws Exception {
        cluster.driver().neverReady();
        try (Program program = start()) {
            CompletableFuture<Void> run = Program.later(() -> program.fire(LEAVING, ELEVEN));
            await().until(() -> cluster.snapshots(NAMESPACE).size() == 1);
            remove(program);
            run.join();
            await().untilAsserted(() -> assertThat(places(program)).isEmpty());
        }
    }

    /**
     * Where the schedule is named, but for the last failures, which stay to be looked at, and what
     * the last look at the cluster found.
     */
    private static List<String> places(Program program) throws ReflectiveOperationException {
        return Kept.places(roots(program.context()), text -> text.contains(LEAVING)).stream()
                .filter(place -> !place.contains(".history") && !place.contains(".told[].what"))
                .toList();
    }

    private static List<Object> roots(CamelContext context) throws ReflectiveOperationException {
        List<Object> roots = new ArrayList<>(context.getLifecycleStrategies());
        for (String bean :
                List.of(
                        "runs",
                        "snapshots",
                        "retryPolicy",
                        "deletionGate",
                        "creationLimiter",
                        "failures",
                        "events",
                        "livenessCheck",
                        "schedulesCheck",
                        "routeFilesCheck")) {
            roots.add(context.getRegistry().lookupByName(bean));
        }
        Field listeners = AbstractCamelContext.class.getDeclaredField("startupListeners");
        listeners.setAccessible(true);
        roots.add(listeners.get(context));
        roots.add(context);
        return roots;
    }
}
