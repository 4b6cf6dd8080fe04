package io.volumesnapshotter.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.Map;
import javax.management.JMX;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is logged, changed by JMX while the program runs. */
class LoggingTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final String OURS = "io.volumesnapshotter";

    @AutoClose private static final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    private static Program program;

    private final LoggingMXBean logging =
            JMX.newMXBeanProxy(
                    ManagementFactory.getPlatformMBeanServer(),
                    Management.name("Logging"),
                    LoggingMXBean.class);

    @BeforeAll
    static void start() {
        program = Program.of(cluster).with("claims", "data").shownByJmx().start();
    }

    @AfterAll
    static void stop() {
        program.close();
    }

    @AfterEach
    void reset() {
        logging.reset();
        program.forgetTold();
    }

    @Test
    void theLevelsOfTheStartAreShown() {
        assertThat(logging.getLevels())
                .containsEntry(OURS, "info")
                .containsEntry("ROOT", "warn")
                .containsEntry("io.fabric8.kubernetes.client", "off");
    }

    @Test
    void whatIsRaisedToWarnTellsNoSuccess() {
        logging.setLevel(OURS, "warn");
        program.fire(TEN);
        assertThat(program.told(Level.INFO)).noneMatch(line -> line.contains("succeeded"));
    }

    @Test
    void whatARouteLogsCanBeSilencedByItsName() {
        logging.setLevel("io.volumesnapshotter.delete-snapshot", "off");
        program.fire(TEN);
        program.fire(TEN.plusSeconds(3600));
        assertThat(program.told(Level.INFO))
                .noneMatch(line -> line.contains("deleted"))
                .anyMatch(line -> line.contains("20261122110000: succeeded"));
    }

    @Test
    void resetPutsBackTheLevelsOfTheStart() {
        Map<String, String> atTheStart = logging.getLevels();
        logging.setLevel(OURS, "error");
        logging.setLevel("org.apache.camel.component.kubernetes", "debug");
        logging.reset();
        assertThat(logging.getLevels()).isEqualTo(atTheStart);
        program.fire(TEN);
        assertThat(program.told(Level.INFO)).anyMatch(line -> line.contains("succeeded"));
    }

    @Test
    void aLevelCanBeGivenAsLinesShowIt() {
        logging.setLevel(OURS, "DEBUG");
        assertThat(logging.getLevels()).containsEntry(OURS, "debug");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"loud", ""})
    void aLevelThatThereIsNotIsRefused(String level) {
        assertThatThrownBy(() -> logging.setLevel(OURS, level))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("\"" + level + "\"", "debug");
    }
}
