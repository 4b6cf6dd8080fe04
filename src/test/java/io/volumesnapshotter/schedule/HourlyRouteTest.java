package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.SnapshotterConfiguration;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.testing.Program;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.FluentProducerTemplate;
import org.apache.camel.Produce;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A schedule's route from its trigger on, as Camel's own test support runs it. */
@CamelMainTest(
        configurationClasses = HourlyRouteTest.Wiring.class,
        properties = {
            "snapshotter.claims=data,db",
            "snapshotter.keep-last=2",
            "snapshotter.poll-interval=50ms"
        },
        replaceRouteFromWith = "hourly=direct:due")
class HourlyRouteTest {

    private static final Instant MIDNIGHT = Instant.parse("2026-11-22T00:00:00Z");

    @AutoClose
    private static final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db");

    @Produce("direct:due")
    private FluentProducerTemplate due;

    /** The program's wiring, on the simulated cluster. */
    public static final class Wiring implements CamelConfiguration {
        @Override
        public void configure(CamelContext context) throws Exception {
            new SnapshotterConfiguration(Cluster.of(cluster.config(Program.NAMESPACE)), Map.of())
                    .configure(context);
        }
    }

    @Test
    void keepsAsManyAsItsPolicySays() {
        for (int hour = 8; hour < 12; hour++) {
            due.withHeader("scheduledFireTime", Date.from(MIDNIGHT.plusSeconds(3600L * hour)))
                    .send();
        }
        await().untilAsserted(
                        () ->
                                assertThat(cluster.snapshots(Program.NAMESPACE))
                                        .extracting(SimulatedSnapshot::name)
                                        .containsExactlyInAnyOrder(
                                                "data-hourly-20261122100000",
                                                "data-hourly-20261122110000",
                                                "db-hourly-20261122100000",
                                                "db-hourly-20261122110000"));
    }
}
