package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The schedule's own trigger, in real time. */
class TriggerTest {

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    @Test
    void firesWhenTheScheduleIsDueAndNamesTheRunAfterThatTime() {
        try (Program program = start("*/2 * * * * ?")) {
            await().until(() -> created().size() >= 3);
            assertThat(program.told(Level.WARN)).isEmpty();
        }
        assertThat(created())
                .doesNotHaveDuplicates()
                .allMatch(Pattern.compile("data-hourly-\\d{13}[02468]").asMatchPredicate());
    }

    @Test
    void fiveFieldsOfCronFireToo() {
        try (Program program = start("* * * * *")) {
            assertThat(program.context().getRoute("hourly").getEndpoint().getEndpointUri())
                    .contains("cron=0+*+*+*+*+%3F");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0 30 1 ? * SUN#1", "0 0 3 L * ?", "0 0 3 ? * FRIL", "0 0 3 15W * ?"})
    void whatQuartzAloneHasComesToTheTriggerAsItIs(String cron) {
        try (Program program = start(cron)) {
            assertThat(Trigger.of(program.context().getRoute("hourly")))
                    .hasValueSatisfying(trigger -> assertThat(trigger.cron()).isEqualTo(cron));
        }
    }

    @Test
    void runsOfAScheduleNeverOverlapAndMissedTimesAreMadeUpOnce() {
        Duration runTime = Duration.ofMillis(2500);
        cluster.driver().readyAfter(runTime);
        Instant start = Instant.now();
        try (Program program = start("* * * * * ?")) {
            await().until(() -> count(program, "succeeded") >= 2 && count(program, "starts") >= 3);
            List<String> story =
                    program.told(Level.INFO).stream()
                            .filter(
                                    line ->
                                            line.contains(": starts")
                                                    || line.contains(": succeeded"))
                            .map(line -> line.contains("starts") ? "starts" : "succeeded")
                            .toList();
            for (int i = 0; i < story.size(); i++) {
                assertThat(story.get(i)).isEqualTo(i % 2 == 0 ? "starts" : "succeeded");
            }
        }
        long most = Duration.between(start, Instant.now()).dividedBy(runTime) + 1;
        assertThat(created()).doesNotHaveDuplicates().hasSizeLessThanOrEqualTo((int) most);
    }

    private Program start(String schedule) {
        return Program.start(
                cluster, Map.of("snapshotter.claims", "data", "snapshotter.schedule", schedule));
    }

    private static long count(Program program, String word) {
        return program.told(Level.INFO).stream().filter(line -> line.contains(": " + word)).count();
    }

    private List<String> created() {
        return cluster
                .log()
                .entries(
                        request ->
                                request.verb().equals("create")
                                        && request.resource().equals("volumesnapshots"))
                .stream()
                .map(RequestLog.Entry::name)
                .toList();
    }
}
