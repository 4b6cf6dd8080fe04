package io.volumesnapshotter.routes;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.ConfigMapMount;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.JMX;
import javax.management.ObjectName;
import org.apache.camel.Route;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Edits route files at random, rightly and wrongly, while schedules fire: in the end exactly the
 * last right version of each file runs, and no fire time was lost or run twice.
 */
class RandomEditsTest {

    private static final int EDITS = Scale.of(60, 200);

    /** Schedules that are always there, and fire every ten seconds, two seconds apart. */
    private static final List<String> STEADY = List.of("t0", "t2", "t4", "t6", "t8");

    private static final int PERIOD = 10;
    private static final String SHARED = "error-handling.camel.yaml";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");

    private static final List<String> FLOW =
            List.of("run-schedule", "take-snapshot", "await-ready", "prune-snapshots");

    /** Each makes a schedule's file wrong in another way. */
    private static final List<String[]> MISTAKES =
            List.of(
                    new String[] {"steps:", "stepz:"},
                    new String[] {"      steps:", "     steps:"},
                    new String[] {"direct:run-schedule", "direct:nowhere"},
                    new String[] {"direct:run-schedule", "drect:run-schedule"},
                    new String[] {"/10 * * * * ?", "/10 * 25 * * ?"},
                    new String[] {"    id: ", "    id: run-schedule #"},
                    new String[] {
                        "stateful: true", "stateful: true\n        trigger.timeZone: Moon"
                    },
                    new String[] {"keep-last: ", "keep-lost: "});

    @TempDir private Path directory;
    private final Random random = new Random();
    private final Map<String, String> files = new TreeMap<>();
    private final Map<String, String> expected = new TreeMap<>();
    private final Set<String> right = new HashSet<>();
    private int edits;

    @Test
    void theLastRightVersionOfEachFileRunsAndNoFireTimeIsLostOrDoubled() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime() % 1_000_000);
        System.out.println("RandomEditsTest: -Dseed=" + seed);
        random.setSeed(seed);
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path file :
                    routes.filter(f -> f.toString().endsWith(RouteFiles.SUFFIX)).toList()) {
                files.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        for (String name : STEADY) {
            files.put(name + RouteFiles.SUFFIX, schedule(name));
        }
        files.put("s0.camel.yaml", schedule("s0"));
        right.addAll(files.values());
        settle();
        ConfigMapMount.write(directory, files);
        try (SimulatedCluster cluster = SimulatedCluster.start()) {
            cluster.claim(NAMESPACE, "data");
            cluster.driver().readyAfter(Duration.ofMillis(150));
            try (Program program = start(cluster)) {
                awaitEachFired(program, 0);
                edit(program);
                awaitEachFired(program, program.told(Level.INFO).size());
                assertThat(shown(program)).describedAs("seed %d", seed).isEqualTo(described());
                assertThat(program.told(Level.ERROR))
                        .describedAs("seed %d: failed runs", seed)
                        .allMatch(line -> line.contains(RouteFiles.SUFFIX));
                for (String name : STEADY) {
                    assertFireTimes(starts(program, name, 0), seed);
                }
            }
        }
    }

    private Program start(SimulatedCluster cluster) {
        return Program.of(cluster)
                .with("claims", "data")
                .routes(directory)
                .with("routes-poll-interval", "1h")
                .with("max-poll-interval", "50ms")
                .shownByJmx()
                .start();
    }

    private void edit(Program program) throws Exception {
        RouteFilesMXBean reload =
                JMX.newMXBeanProxy(
                        ManagementFactory.getPlatformMBeanServer(),
                        new ObjectName("io.volumesnapshotter:type=RouteFiles"),
                        RouteFilesMXBean.class);
        while (edits < EDITS) {
            int atOnce = 1 + random.nextInt(3);
            for (int i = 0; i < atOnce; i++) {
                edits++;
                change();
            }
            settle();
            ConfigMapMount.write(directory, files);
            reload.reload();
        }
    }

    private void change() throws IOException {
        List<String> schedules =
                files.keySet().stream().filter(name -> name.matches("[st]\\d.*")).toList();
        String some = schedules.get(random.nextInt(schedules.size()));
        boolean steady = STEADY.contains(id(some));
        switch (random.nextInt(10)) {
            case 0, 1 -> put(some, schedule(id(some)));
            case 2 -> put("s" + edits + RouteFiles.SUFFIX, schedule("s" + edits));
            case 3, 4 -> {
                if (!steady) {
                    files.remove(some);
                }
            }
            case 5 -> {
                if (!steady) {
                    files.put(id(some) + "-" + edits + RouteFiles.SUFFIX, files.remove(some));
                }
            }
            case 6, 7 -> {
                String[] mistake = MISTAKES.get(random.nextInt(MISTAKES.size()));
                String good = schedule(id(some));
                String wrong = good.replace(mistake[0], mistake[1]);
                assertThat(wrong).isNotEqualTo(good);
                files.put(some, wrong);
            }
            case 8 -> {
                String route = FLOW.get(random.nextInt(FLOW.size())) + RouteFiles.SUFFIX;
                put(route, describe(Files.readString(Path.of("routes", route))));
            }
            default -> {
                if (files.containsKey(SHARED) && random.nextBoolean()) {
                    files.remove(SHARED);
                } else {
                    put(SHARED, describe(Files.readString(Path.of("routes", SHARED))));
                }
            }
        }
    }

    private void put(String name, String text) {
        files.put(name, text);
        right.add(text);
    }

    /** What is on the disk now is expected, where it is right; versions in between never were. */
    private void settle() {
        expected.keySet().removeIf(name -> !name.equals(SHARED) && !files.containsKey(name));
        files.forEach(
                (name, text) -> {
                    if (right.contains(text)) {
                        expected.put(name, text);
                    }
                });
    }

    private static String id(String file) {
        return file.replace(RouteFiles.SUFFIX, "").replaceAll("-.*", "");
    }

    private String describe(String text) {
        return text.replaceFirst("description: .*", "description: Edit " + edits + ".");
    }

    private String schedule(String name) throws IOException {
        int second = Integer.parseInt(name.substring(1)) % PERIOD;
        return describe(Files.readString(Path.of("routes/hourly.camel.yaml")))
                .replace("hourly", name)
                .replace("{{cron:{{snapshotter.schedule}}}}", second + "/" + PERIOD + " * * * * ?")
                .replace("        trigger.timeZone: \"{{snapshotter.time-zone}}\"\n", "")
                .replace(
                        "uri: policy:" + name,
                        "uri: policy:"
                                + name
                                + "\n            parameters:\n              keep-last: "
                                + (1 + edits % 3));
    }

    private static Map<String, String> shown(Program program) {
        return program.context().getRoutes().stream()
                .collect(Collectors.toMap(Route::getId, Route::getDescription));
    }

    /** The routes by what the right files say. */
    private Map<String, String> described() {
        Map<String, String> all = new TreeMap<>();
        expected.forEach(
                (name, text) -> {
                    if (!name.equals(SHARED)) {
                        all.put(field(text, "    id: "), field(text, "description: "));
                    }
                });
        return all;
    }

    private static String field(String text, String name) {
        return text.lines()
                .filter(line -> line.contains(name))
                .map(line -> line.substring(line.indexOf(name) + name.length()))
                .findFirst()
                .orElseThrow();
    }

    private static List<LocalDateTime> starts(Program program, String schedule, int from) {
        List<LocalDateTime> times = new ArrayList<>();
        List<String> told = program.told(Level.INFO);
        for (String line : told.subList(from, told.size())) {
            if (line.startsWith(schedule + "-") && line.contains(": starts")) {
                times.add(
                        LocalDateTime.parse(
                                line.substring(schedule.length() + 1, line.indexOf(':')), TIME));
            }
        }
        return times;
    }

    private static void awaitEachFired(Program program, int from) {
        await().until(
                        () ->
                                STEADY.stream()
                                        .noneMatch(name -> starts(program, name, from).isEmpty()));
    }

    private static void assertFireTimes(List<LocalDateTime> times, long seed) {
        assertThat(times).describedAs("seed %d: run twice", seed).doesNotHaveDuplicates();
        List<LocalDateTime> due =
                Stream.iterate(
                                times.get(0),
                                time -> !time.isAfter(times.get(times.size() - 1)),
                                time -> time.plusSeconds(PERIOD))
                        .toList();
        assertThat(times).describedAs("seed %d: lost", seed).containsAll(due);
    }
}
