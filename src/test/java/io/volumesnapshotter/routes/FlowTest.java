package io.volumesnapshotter.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an edit may take from the routes, and what would make them a program that takes nothing. */
@Timeout(120)
class FlowTest {

    private static final Path DIRECTORY = Path.of("routes");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private static SimulatedCluster cluster;
    private static Program program;

    private final Map<Path, String> files = new TreeMap<>();

    @BeforeAll
    static void start() {
        cluster = SimulatedCluster.start();
        program = Program.start(cluster, "data");
    }

    @AfterAll
    static void stop() {
        program.close();
        cluster.close();
    }

    @BeforeEach
    void read() throws IOException {
        try (Stream<Path> routes = Files.list(DIRECTORY)) {
            for (Path file :
                    routes.filter(f -> f.toString().endsWith(RouteFiles.SUFFIX)).toList()) {
                files.put(file, Files.readString(file));
            }
        }
        files.put(file("drill"), Files.readString(Path.of("examples", "drill.camel.yaml")));
    }

    private static Path file(String route) {
        return DIRECTORY.resolve(route + RouteFiles.SUFFIX);
    }

    private RouteSet check() {
        return RouteSet.of(program.context(), DIRECTORY, files, Set.of("hourly", "drill"));
    }

    private List<String> told() {
        RouteSet set = check();
        return Stream.of(set.wrong(), set.lacking())
                .flatMap(faults -> faults.values().stream())
                .map(Throwable::getMessage)
                .toList();
    }

    private void edit(String route, String from, String to) {
        assertThat(files.get(file(route))).contains(from);
        files.computeIfPresent(file(route), (name, text) -> text.replace(from, to));
    }

    @Test
    void theRoutesThatShipAreAll() {
        assertThat(told()).isEmpty();
    }

    /**
     * Takes each single step away in turn. What is left is refused, or is one of these, which cost
     * a part of what is told, of what is made room for, or of how gently it is asked for, but no
     * snapshot, and no deletion that nobody judged.
     */
    @Test
    void eachStepThatIsTakenAwayIsMissedOrIsOneThatMayGo() throws IOException {
        Set<String> taken = new TreeSet<>();
        for (Path file : List.copyOf(files.keySet())) {
            String text = files.get(file);
            int steps = arrays(YAML.readTree(text)).stream().mapToInt(JsonNode::size).sum();
            for (int i = 0; i < steps; i++) {
                JsonNode content = YAML.readTree(text);
                String step = remove(content, i);
                files.put(file, YAML.writeValueAsString(content));
                if (told().isEmpty()) {
                    taken.add(
                            file.getFileName().toString().replace(RouteFiles.SUFFIX, "")
                                    + ": "
                                    + step);
                }
            }
            files.put(file, text);
        }
        assertThat(taken).containsExactlyInAnyOrderElementsOf(MAY_GO);
    }

    private static final List<String> MAY_GO =
            List.of(
                    // What is missing is asked for again, and pruned early, by the look.
                    "await-ready: split",
                    "await-ready: to direct:prune-snapshots",
                    "await-ready: to direct:take-snapshot",
                    // Holds looks back where a command may watch; without it there are more.
                    "await-ready: bean signs await",
                    // How many at once, and when.
                    "create-snapshot: process creationLimiter",
                    // What these do not prove consistent, though it was to be, is no success.
                    "create-snapshot: bean freezes freeze",
                    "create-snapshot: bean freezes awaitCut",
                    "create-snapshot: bean freezes thaw",
                    "take-snapshot: bean freezes markConsistent",
                    // Commands find out by themselves.
                    "change-object: bean changes send",
                    "take-snapshot: delay",
                    // Without these a request fails, which is told.
                    "create-snapshot: bean runs manifest",
                    "create-snapshot: marshal",
                    "create-snapshot: setHeaders",
                    "delete-snapshot: setVariables",
                    "prune-snapshots: setVariable operation",
                    "run-schedule: setVariable operation",
                    "take-snapshot: setVariables",
                    // What is told of a deletion, of a recovery, and elsewhere than in the log.
                    "delete-snapshot: bean runs markDeleted",
                    "delete-snapshot: log ${variable.run.name} ${variable.claim}: deleted"
                            + " ${variable.snapshot}: ${body.reason}",
                    "handle-failure: split",
                    "handle-failure: wireTap direct:publish",
                    "handle-recovery: log ${body}",
                    "handle-recovery: split",
                    "handle-recovery: wireTap direct:publish",
                    "notify: log ${body}",
                    "publish: bean events write",
                    "publish: setVariable notification",
                    "publish: to direct:notify",
                    "run-schedule: to direct:handle-recovery",
                    "run-drill: setVariable operation",
                    "run-drill: setVariables",
                    "run-drill: bean events writeProof",
                    "run-drill: to direct:handle-recovery",
                    // The room that is made where a quota or the driver is full.
                    "await-ready: setVariable claim",
                    "await-ready: to direct:make-room",
                    "error-handling: onException",
                    "error-handling: to direct:make-room",
                    "make-room: bean snapshots factsForRoom",
                    "make-room: split",
                    "make-room: to direct:delete-snapshot");

    /** The lists of steps, the outer ones first. */
    private static List<ArrayNode> arrays(JsonNode node) {
        List<ArrayNode> all = new ArrayList<>();
        for (String name : List.of("steps", "onException")) {
            if (node.get(name) instanceof ArrayNode steps) {
                all.add(steps);
            }
        }
        node.forEach(child -> all.addAll(arrays(child)));
        return all;
    }

    private static String remove(JsonNode content, int index) {
        int left = index;
        for (ArrayNode steps : arrays(content)) {
            if (left < steps.size()) {
                JsonNode step = steps.remove(left);
                String kind = step.fieldNames().next();
                JsonNode what = step.get(kind);
                String name =
                        Stream.of("uri", "ref", "name", "message")
                                .map(what::path)
                                .filter(JsonNode::isTextual)
                                .map(JsonNode::asText)
                                .findFirst()
                                .orElse("");
                return (kind + " " + name + " " + what.path("method").asText()).trim();
            }
            left -= steps.size();
        }
        throw new IllegalArgumentException("no step " + index);
    }

    static Stream<Arguments> careless() {
        return Stream.of(
                Arguments.of(
                        "hourly",
                        "        - to:\n            uri: direct:run-schedule\n",
                        "",
                        "hourly.camel.yaml:1: route: \"hourly\"",
                        "last step to direct:run-schedule"),
                Arguments.of(
                        "hourly",
                        "            uri: direct:run-schedule",
                        "            uri: direct:run-schedule\n            disabled: true",
                        "hourly.camel.yaml:1: route: \"hourly\"",
                        "no run begins"),
                Arguments.of(
                        "hourly",
                        "        - to:\n            uri: direct:run-schedule\n",
                        "        - stop: {}\n        - to:\n            uri: direct:run-schedule\n",
                        "hourly.camel.yaml:1: route: \"hourly\"",
                        "no run begins"),
                Arguments.of(
                        "hourly",
                        "uri: direct:run-schedule",
                        "uri: direct:notify",
                        "hourly.camel.yaml:1: route: \"hourly\"",
                        "nothing is taken or told"),
                Arguments.of(
                        "hourly",
                        "        - to:\n            uri: policy:hourly\n",
                        "",
                        "hourly.camel.yaml:1: route: \"hourly\"",
                        "it was a schedule"),
                Arguments.of(
                        "hourly",
                        "      uri: quartz:volume-snapshotter/hourly",
                        "      uri: direct:hourly",
                        "hourly.camel.yaml",
                        "cron"),
                Arguments.of(
                        "hourly",
                        "        cron: \"{{cron:{{snapshotter.schedule}}}}\"\n",
                        "",
                        "hourly.camel.yaml:5: cron",
                        "fires each second"),
                Arguments.of(
                        "hourly",
                        "        trigger.timeZone:",
                        "        trigger.timezone:",
                        "hourly.camel.yaml:8: quartz: trigger.timezone",
                        "trigger.timeZone"),
                Arguments.of(
                        "hourly",
                        "        trigger.timeZone:",
                        "        timeZone:",
                        "hourly.camel.yaml:8: quartz: timeZone",
                        "there is no such option"),
                Arguments.of(
                        "hourly",
                        "        stateful: true",
                        "        autoStartScheduler: false",
                        "hourly.camel.yaml:9: autoStartScheduler",
                        "no schedule would ever be due"),
                Arguments.of(
                        "run-schedule",
                        "        - bean:\n            ref: runs\n            method: start\n",
                        "",
                        "hourly.camel.yaml:1: route: \"hourly\"",
                        "bean runs, method start"),
                Arguments.of(
                        "take-snapshot",
                        "        - to:\n            uri: direct:create-snapshot\n",
                        "",
                        "take-snapshot.camel.yaml:1: route: \"take-snapshot\"",
                        "no snapshot is created"),
                Arguments.of(
                        "remove-snapshot",
                        "        - bean:\n            ref: deletionGate\n            method: check\n",
                        "",
                        "remove-snapshot.camel.yaml:1: route: \"remove-snapshot\"",
                        "nobody has judged again"),
                Arguments.of(
                        "handle-failure",
                        "method: report",
                        "method: open",
                        "handle-failure.camel.yaml",
                        "bean has"),
                Arguments.of(
                        "error-handling",
                        "uri: direct:handle-failure",
                        "uri: direct:notify",
                        "error-handling.camel.yaml",
                        "this onException ends a failure that nobody is told"));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("careless")
    void aCarelessEditIsToldWithTheRouteThatLostSomething(
            String route, String from, String to, String place, String words) {
        edit(route, from, to);
        assertThat(told()).anySatisfy(line -> assertThat(line).contains(place).contains(words));
    }

    /** It goes by what is reached, not by names, and follows every way that leads there. */
    @Test
    void routesOfOtherNamesAndShapesAreTaken() {
        files.put(
                file("my-run"),
                files.remove(file("run-schedule")).replace("run-schedule", "my-run"));
        edit("my-run", "direct:prune-snapshots", "direct://my-prune?timeout=1000");
        files.put(
                file("my-prune"),
                files.get(file("prune-snapshots")).replace("prune-snapshots", "my-prune"));
        edit(
                "hourly",
                "        - to:\n            uri: direct:run-schedule\n",
                """
                        - choice:
                            when:
                              - expression:
                                  simple:
                                    expression: "${header.some} == 'thing'"
                                steps:
                                  - log:
                                      message: a thing
                            otherwise:
                              steps:
                                - doTry:
                                    steps:
                                      - recipientList:
                                          expression:
                                            constant:
                                              expression: direct:my-run
                                    doCatch:
                                      - exception: [java.io.IOException]
                                        steps:
                                          - log:
                                              message: oh
                """);
        assertThat(told()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "quartz://volume-snapshotter/hourly",
                "master:any:quartz:volume-snapshotter/hourly",
                "master:any:quartz://volume-snapshotter/hourly"
            })
    void oneTriggerIsOneHoweverItIsWritten(String uri) {
        files.put(
                file("nightly"),
                files.get(file("hourly"))
                        .replace("hourly", "nightly")
                        .replace("quartz:volume-snapshotter/nightly", uri));
        assertThat(told())
                .singleElement()
                .asString()
                .contains("nightly.camel.yaml:5: from: ", "another route starts there too");
    }
}
