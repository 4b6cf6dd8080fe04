package io.volumesnapshotter.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import io.volumesnapshotter.testing.ToldLines;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a line concerns stands beside it as it stands in it. */
class LogKeysTest {

    /** Three fire times, none too late to be made up. */
    private static final Instant THIRD = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    private static final Instant SECOND = THIRD.minusSeconds(60);
    private static final Instant FIRST = THIRD.minusSeconds(120);

    private static final Pattern OF_RUN =
            Pattern.compile("(?s)([a-z]+)-\\d{14}( (\\S+)/(\\S+))?: (.*)");

    @TempDir private Path routes;

    @AutoClose
    private final SimulatedCluster cluster = SimulatedCluster.withClaims("data", "db", "web");

    @BeforeEach
    void startCluster() throws Exception {
        TestRoutes.copyTo(routes);
        TestRoutes.retryQuickly(routes);
        TestRoutes.schedule(routes, "nightly", "claims: db,web", "keep-last: 1");
    }

    @Test
    void eachLineOfARunHasItsScheduleRunAndClaim() {
        cluster.driver().fails("db", "rpc error: code = Unimplemented desc = no snapshots");
        cluster.faults()
                .answer(
                        request -> request.verb().equals("create"),
                        3,
                        ApiAnswer.status(503, "ServiceUnavailable", "etcd is away"));
        try (ToldLines told = new ToldLines();
                Program program = Program.start(cluster, "data,db", routes)) {
            cluster.driver().fails("web", "rpc error: try again");
            CompletableFuture<Void> first = Program.later(() -> runBoth(program, FIRST));
            await().until(
                            () ->
                                    told.atLeast(Level.INFO).stream()
                                            .anyMatch(line -> line.contains(": not yet: ")));
            cluster.driver().failsFor("web", "rpc error: try again", Duration.ZERO);
            first.join();
            runBoth(program, SECOND);
            cluster.driver().heal();
            program.makeUp(THIRD);
            program.fire("nightly", THIRD);
            assertThat(told.atLeast(Level.INFO))
                    .describedAs("kinds of lines that this is about")
                    .anyMatch(line -> line.contains(": starts, "))
                    .anyMatch(line -> line.contains(": created "))
                    .anyMatch(line -> line.contains(": ready"))
                    .anyMatch(line -> line.contains(": not yet: "))
                    .anyMatch(line -> line.contains(": deleted "))
                    .anyMatch(line -> line.contains(": await-ready failed for "))
                    .anyMatch(line -> line.contains(": failed, "))
                    .anyMatch(line -> line.contains(": recovered: "))
                    .anyMatch(line -> line.contains(": succeeded, "));
            List<ILoggingEvent> ofRuns =
                    told.all()
                            .filter(line -> OF_RUN.matcher(line.getFormattedMessage()).matches())
                            .toList();
            assertThat(ofRuns)
                    .hasSizeGreaterThan(20)
                    .allSatisfy(
                            line ->
                                    assertThat(line.getMDCPropertyMap())
                                            .describedAs(line.getFormattedMessage())
                                            .isEqualTo(keysIn(line.getFormattedMessage())));
        }
    }

    @Test
    void whatARunFailsOfBeforeItHasClaimsHasItsScheduleAndRun() {
        cluster.access().revokeAll();
        try (ToldLines told = new ToldLines();
                Program program = Program.start(cluster, "*", routes)) {
            program.fire(SECOND);
            assertThat(
                            told.all()
                                    .filter(
                                            line ->
                                                    line.getFormattedMessage()
                                                            .contains("run-schedule failed")))
                    .singleElement()
                    .satisfies(
                            line ->
                                    assertThat(line.getMDCPropertyMap())
                                            .isEqualTo(keysIn(line.getFormattedMessage())));
        }
    }

    @Test
    void nothingIsLeftBesideLinesThatAreOfNoRun() {
        try (ToldLines told = new ToldLines()) {
            try (Program program = Program.start(cluster, "data,db", routes)) {
                runBoth(program, SECOND);
            }
            assertThat(
                            told.all()
                                    .filter(
                                            line ->
                                                    !OF_RUN.matcher(line.getFormattedMessage())
                                                            .matches()))
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(line.getMDCPropertyMap()).isEmpty());
        }
    }

    private static void runBoth(Program program, Instant due) {
        CompletableFuture<Void> hourly = program.fireLater(due);
        program.fire("nightly", due);
        hourly.join();
    }

    private static Map<String, String> keysIn(String line) {
        Matcher parts = OF_RUN.matcher(line);
        assertThat(parts.matches()).isTrue();
        Map<String, String> keys = new TreeMap<>();
        keys.put("schedule", parts.group(1));
        keys.put("run", line.split("[: ]", 2)[0]);
        if (parts.group(2) != null) {
            keys.put("namespace", parts.group(3));
            keys.put("claim", parts.group(4));
        }
        return keys;
    }
}
