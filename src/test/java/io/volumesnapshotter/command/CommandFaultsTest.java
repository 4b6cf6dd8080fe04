package io.volumesnapshotter.command;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Cli;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The exit code of each command for what may become of its requests, and that it is told. */
class CommandFaultsTest {

    private static final String SNAPSHOT = "data-hourly-20261122100000";

    private static final List<String> COMMANDS =
            List.of(
                    "take data",
                    "run hourly",
                    "list",
                    "plan",
                    "hold " + SNAPSHOT,
                    "release " + SNAPSHOT,
                    "restore data --to copy",
                    "restore data --in-place",
                    "restore data --undo",
                    "drill data",
                    "browse " + SNAPSHOT,
                    "preflight");

    private static final Map<String, Consumer<SimulatedCluster>> AGAIN = new LinkedHashMap<>();
    private static final Map<String, Consumer<SimulatedCluster>> NOTHING = new LinkedHashMap<>();

    static {
        AGAIN.put("connection refused", SimulatedCluster::goDown);
        AGAIN.put("500", always(ApiAnswer.status(500, "InternalError", "etcd is away")));
        AGAIN.put("503", always(ApiAnswer.status(503, "ServiceUnavailable", "not yet")));
        AGAIN.put("429", always(ApiAnswer.status(429, "TooManyRequests", "too many")));
        AGAIN.put(
                "cut before the answer",
                cluster ->
                        cluster.faults().cut(Faults.Boundary.ARRIVED, any -> true, Faults.ALWAYS));
        AGAIN.put(
                "cut inside the answer",
                // A change that was carried out would be there.
                cluster ->
                        cluster.faults()
                                .cutInsideAnswer(
                                        request -> request.is("get") || request.is("list"),
                                        Faults.ALWAYS));
        AGAIN.put(
                "too late",
                cluster ->
                        cluster.faults()
                                .delay(
                                        Faults.Boundary.ARRIVED,
                                        any -> true,
                                        Faults.ALWAYS,
                                        Duration.ofSeconds(20)));
        NOTHING.put("401", always(ApiAnswer.status(401, "Unauthorized", "Unauthorized")));
    }

    @AutoClose private final SimulatedCluster cluster = SimulatedCluster.withClaims("data");

    private static Consumer<SimulatedCluster> always(ApiAnswer answer) {
        return cluster -> cluster.faults().answer(any -> true, Faults.ALWAYS, answer);
    }

    static Stream<Arguments> cells() {
        return COMMANDS.stream()
                .flatMap(
                        command ->
                                Stream.concat(
                                        AGAIN.keySet().stream()
                                                .map(f -> Arguments.of(command, f, ExitCode.AGAIN)),
                                        NOTHING.keySet().stream()
                                                .map(
                                                        f ->
                                                                Arguments.of(
                                                                        command,
                                                                        f,
                                                                        ExitCode.NOTHING))));
    }

    @ParameterizedTest(name = "{0}: {1} ends with {2}")
    @MethodSource("cells")
    void theExitCodeSaysWhetherToTryAgain(String command, String fault, int code) {
        cluster.snapshot(
                NAMESPACE, SNAPSHOT, "data", Map.of(), Instant.parse("2026-11-22T10:00:00Z"));
        // What is cut are answers, and not refusals.
        cluster.access()
                .grant(NAMESPACE, "persistentvolumeclaims", "get", "list")
                .grant(NAMESPACE, "namespaces", "get");
        AGAIN.getOrDefault(fault, NOTHING.get(fault)).accept(cluster);
        Cli.Answer answer =
                Cli.of(cluster)
                        .with("claims", "data")
                        .with("poll-interval", "50ms")
                        .with("ready-timeout", "2s")
                        .run((command + " --request-timeout 1s").split(" "));
        assertThat(answer.code()).as(answer.toString()).isEqualTo(code);
        assertThat(command.equals("preflight") ? answer.out() : answer.err())
                .anyMatch(line -> line.toLowerCase().startsWith("error") && line.contains(" -> "));
        assertThat(cluster.snapshots(NAMESPACE)).hasSize(1);
    }

    static Stream<Arguments> refusals() {
        Function<ApiRequest, ApiAnswer> quota = ApiAnswer::exceededQuota;
        Function<ApiRequest, ApiAnswer> policy =
                request -> ApiAnswer.deniedByPolicy(request, "it has no owner");
        return Stream.of("take data", "run hourly")
                .flatMap(
                        command ->
                                Stream.of(
                                        Arguments.of(command, quota, "exceeded quota"),
                                        Arguments.of(command, policy, "it has no owner")));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("refusals")
    void whatIsRefusedUntilSomebodyChangesSomethingIsNotToTryAgain(
            String command, Function<ApiRequest, ApiAnswer> refusal, String words) {
        cluster.faults().answer(request -> request.is("create"), Faults.ALWAYS, refusal);
        Cli.Answer answer =
                Cli.of(cluster)
                        .with("claims", "data")
                        .with("poll-interval", "50ms")
                        .with("ready-timeout", "2s")
                        .run(command.split(" "));
        assertThat(answer.code()).as(answer.toString()).isEqualTo(ExitCode.NOTHING);
        assertThat(answer.err())
                .anyMatch(
                        line ->
                                line.startsWith("error: ")
                                        && line.contains(words)
                                        && line.contains(" -> "));
        assertThat(cluster.snapshots(NAMESPACE)).isEmpty();
    }
}
