package io.volumesnapshotter.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What is shown of a route is its flow. */
class FlowDumperTest {

    private static final MBeanServer JMX = ManagementFactory.getPlatformMBeanServer();

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    private static String dumped(String type, String name, String operation) throws Exception {
        ObjectName bean =
                new ObjectName(
                        "org.apache.camel:context=volume-snapshotter,type=%s,name=\"%s\""
                                .formatted(type, name));
        return (String) JMX.invoke(bean, operation, new Object[0], new String[0]);
    }

    @Test
    void theDiagramOfARouteBeginsWithItsFlow() throws Exception {
        try (Program program =
                Program.of(cluster).with(Map.of("claims", "data")).shownByJmx().start()) {
            String route = dumped("routes", "run-schedule", "dumpRouteAsXml");
            assertThat(route)
                    .contains("<from", "direct:run-schedule", "direct:await-ready")
                    .doesNotContain("onException", "retryPolicy");
            assertThat(dumped("routes", "create-snapshot", "dumpRouteAsXml"))
                    .contains("creationLimiter")
                    .doesNotContain("errorHandler", "onException");
            String all = dumped("context", "volume-snapshotter", "dumpRoutesAsXml");
            assertThat(all).doesNotContain("onException", "errorHandler");
            List<String> ids =
                    program.context().getRoutes().stream().map(r -> "id=\"" + r.getId()).toList();
            assertThat(ids).isNotEmpty().allSatisfy(id -> assertThat(all).contains(id));
        }
    }
}
