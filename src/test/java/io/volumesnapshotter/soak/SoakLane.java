package io.volumesnapshotter.soak;

import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedDriver;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.simulation.SnapshotState;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/** One cluster of the {@link Soak}, in which the program is started and killed again and again. */
final class SoakLane implements AutoCloseable {

    private static final String NAMESPACE = SimulatedCluster.NAMESPACE;
    private static final String FULL = "full";
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Duration BOUNDARY_LIMIT = Duration.ofSeconds(12);
    private static final Predicate<ApiRequest> ANY = request -> true;

    private static final List<SoakSchedule> SCHEDULES =
            List.of(
                    new SoakSchedule(
                            "often",
                            NAMESPACE,
                            List.of("data", "db"),
                            "0/3 * * * * ?",
                            2,
                            0,
                            false,
                            List.of("claims: data,db", "keep-last: 2")),
                    new SoakSchedule(
                            "tiered",
                            NAMESPACE,
                            List.of("cache", "db", "logs"),
                            "1/4 * * * * ?",
                            1,
                            3,
                            false,
                            List.of(
                                    "claim-selector: tier=gold",
                                    "keep-last: 1",
                                    "keep-hourly: 3",
                                    "concurrency: 1")),
                    new SoakSchedule(
                            "tight",
                            FULL,
                            List.of("a", "b"),
                            "0/5 * * * * ?",
                            2,
                            0,
                            true,
                            List.of("namespace: " + FULL, "claims: a,b", "keep-last: 2")),
                    new SoakSchedule(
                            "others",
                            NAMESPACE,
                            List.of(),
                            "2/4 * * * * ?",
                            2,
                            0,
                            false,
                            List.of("claims: \"*\"", "prune-only: tool=other", "keep-last: 2")));

    private final int number;
    private final long seed;
    private final Path directory;
    private final SimulatedCluster cluster = SimulatedCluster.start();
    private final SoakWatch watch;
    private volatile CompletableFuture<Void> restart = CompletableFuture.completedFuture(null);
    private int kills;

    SoakLane(int number, long seed) throws IOException {
        this.number = number;
        this.seed = seed;
        directory = Files.createTempDirectory("volume-snapshotter-soak");
        Path routes = Files.createDirectory(directory.resolve("routes"));
        TestRoutes.copyTo(routes);
        Files.delete(routes.resolve("hourly" + RouteFiles.SUFFIX));
        for (SoakSchedule schedule : SCHEDULES) {
            TestRoutes.schedule(
                    routes, schedule.name(), schedule.settings().toArray(String[]::new));
            Path file = routes.resolve(schedule.name() + RouteFiles.SUFFIX);
            Files.writeString(
                    file,
                    Files.readString(file)
                            .replace("{{cron:{{snapshotter.schedule}}}}", schedule.cron()));
        }
        cluster.namespace(FULL);
        cluster.quota(FULL, 6);
        cluster.access()
                .grant(FULL, SimulatedCluster.SNAPSHOTS, "create", "get", "list", "delete")
                .grant(NAMESPACE, "persistentvolumeclaims", "list");
        cluster.claim(NAMESPACE, "data");
        for (String claim : List.of("db", "cache", "logs")) {
            cluster.claim(NAMESPACE, claim, Map.of("tier", "gold"));
        }
        cluster.claim(FULL, "a");
        cluster.claim(FULL, "b");
        oldSnapshots();
        watch = new SoakWatch(cluster, SCHEDULES);
    }

    /** What runs of former hours left, ready and not. */
    private void oldSnapshots() {
        for (int hours = 1; hours <= 6; hours++) {
            for (String claim : List.of("cache", "db", "logs")) {
                SnapshotState state =
                        claim.equals("db") && hours > 2
                                ? SnapshotState.FAILED
                                : SnapshotState.READY;
                Instant due = Instant.now().minus(Duration.ofHours(hours));
                String name = SnapshotNames.snapshot(claim, "tiered", due);
                Map<String, String> labels =
                        SnapshotLabels.of(
                                name,
                                "tiered",
                                SnapshotNames.run("tiered", due),
                                Program.INSTALLATION);
                cluster.snapshot(NAMESPACE, name, claim, labels, due, state);
            }
        }
    }

    SoakWatch watch() {
        return watch;
    }

    int kills() {
        return kills;
    }

    /** Starts the program, lets storage and API behave in some way, and kills it in some way. */
    void round() throws Exception {
        kills++;
        SplittableRandom random = new SplittableRandom(seed + 1_000_003L * number + 7_919L * kills);
        cluster.faults().clear();
        restart.join();
        mood(random);
        for (int i = random.nextInt(3); i > 0; i--) {
            String name = "foreign-%d-%d".formatted(kills, i);
            cluster.snapshot(NAMESPACE, name, "data", SoakSchedule.FOREIGN, Instant.now());
        }
        try (PackagedProgram program = start()) {
            trouble(random);
            check(program, kill(program, random));
        }
    }

    private String kill(PackagedProgram program, SplittableRandom random) throws Exception {
        boolean told = random.nextInt(5) == 0;
        Duration grace = Duration.ofMillis(random.nextInt(2500));
        String how;
        if (random.nextInt(3) == 0) {
            boolean early = random.nextInt(4) == 0;
            Duration time = Duration.ofMillis(early ? random.nextInt(1500) : random.nextInt(6000));
            how = "%d ms after the start".formatted(time.toMillis());
            if (program.endsWithin(time)) {
                watch.broken("the program ended by itself");
            }
            end(program, told);
        } else {
            Boundary boundary = Boundary.values()[random.nextInt(Boundary.values().length)];
            int request = 1 + random.nextInt(60);
            how = "at request %d, %s".formatted(request, boundary);
            CountDownLatch reached = new CountDownLatch(1);
            cluster.faults()
                    .hook(
                            boundary,
                            Faults.nth(request, ANY),
                            1,
                            any -> {
                                end(program, told);
                                reached.countDown();
                            });
            if (!reached.await(BOUNDARY_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                how += ", which did not come";
                end(program, told);
            }
        }
        if (told) {
            program.endsWithin(grace);
            program.kill();
            how += ", told to end, killed after %d ms".formatted(grace.toMillis());
        }
        return how;
    }

    private static void end(PackagedProgram program, boolean tell) {
        if (tell) {
            program.tellToEnd();
        } else {
            program.kill();
        }
    }

    private void check(PackagedProgram program, String how) {
        List<String> lines = program.lines();
        watch.read(lines);
        if (watch.violation() != null) {
            throw new AssertionError(
                    "seed %d, lane %d, kill %d (%s): %s%n%s"
                            .formatted(
                                    seed,
                                    number,
                                    kills,
                                    how,
                                    watch.violation(),
                                    String.join("\n", lines)));
        }
    }

    /** Storage is quick, slow, late, failing, stuck, or holds what it should delete. */
    private void mood(SplittableRandom random) {
        SimulatedDriver driver = cluster.driver().heal();
        if (random.nextBoolean()) {
            return;
        }
        for (String claim : List.of("data", "db", "cache", "logs", "a", "b")) {
            Duration time = Duration.ofMillis(random.nextInt(4000));
            switch (random.nextInt(10)) {
                case 0 -> driver.startsAfter(claim, time);
                case 1 -> driver.readyAfter(claim, time);
                case 2 -> driver.neverReady(claim);
                case 3 -> driver.failsFor(claim, "rpc error: code = Aborted desc = busy", time);
                case 4 ->
                        driver.failsFor(claim, "rpc error: code = InvalidArgument desc = no", time);
                case 5 -> driver.holdDeletions(claim);
                default -> driver.readyAfter(claim, Duration.ofMillis(random.nextInt(500)));
            }
        }
        driver.deletesAfter(Duration.ofMillis(random.nextInt(1000)));
    }

    /** The API fails some requests in some way, or is restarted. */
    private void trouble(SplittableRandom random) {
        if (random.nextBoolean()) {
            return;
        }
        for (int i = random.nextInt(4); i >= 0; i--) {
            Predicate<ApiRequest> which = Faults.nth(1 + random.nextInt(60), ANY);
            Boundary boundary = Boundary.values()[random.nextInt(2)];
            Faults faults = cluster.faults();
            switch (random.nextInt(8)) {
                case 0 -> faults.answer(which, 1, ApiAnswer.status(500, "InternalError", "no"));
                case 1 -> faults.answer(which, 1, ApiAnswer.status(503, "Unavailable", "no"));
                case 2 -> faults.answer(which, 1, ApiAnswer.tooManyRequests(1));
                case 3 -> faults.cut(boundary, which, 1);
                case 4 -> faults.cutInsideAnswer(which, 1);
                case 5 -> faults.answerAfterwards(which, 1, ApiAnswer.brokenJson());
                case 6 -> faults.delay(boundary, which, 1, Duration.ofMillis(random.nextInt(1500)));
                default ->
                        faults.hook(
                                Boundary.ANSWERED, which, 1, any -> restart = cluster.restart());
            }
        }
    }

    /** Lets the program end all that is to be done, undisturbed, and checks what is left. */
    void settle() throws Exception {
        cluster.faults().clear();
        restart.join();
        cluster.driver().heal();
        await().atMost(LIMIT).until(this::isQuiet);
        try (PackagedProgram program = start()) {
            try {
                await().atMost(LIMIT)
                        .until(() -> SCHEDULES.stream().allMatch(s -> ended(s, program)));
            } catch (ConditionTimeoutException e) {
                watch.broken("undisturbed, not every schedule had a success in %s", LIMIT);
            }
            program.terminate();
            await().atMost(LIMIT).until(this::isQuiet);
            watch.checkSettled(schedule -> !wasCutOff(schedule, program));
            check(program, "undisturbed end");
        }
    }

    private static boolean ended(SoakSchedule schedule, PackagedProgram program) {
        return program.lines().stream()
                .anyMatch(
                        line ->
                                line.contains(" " + schedule.name() + "-")
                                        && line.contains(": succeeded, "));
    }

    /** Whether the end of the program kept a run of the schedule from deleting what is stale. */
    private static boolean wasCutOff(SoakSchedule schedule, PackagedProgram program) {
        return program.lines().stream()
                .anyMatch(
                        line ->
                                line.contains(" " + schedule.name() + "-")
                                        && line.contains(": nothing more is deleted"));
    }

    private boolean isQuiet() {
        return Stream.of(NAMESPACE, FULL)
                .flatMap(namespace -> cluster.snapshots(namespace).stream())
                .noneMatch(s -> s.terminating() || !s.ready() && !isOldFailure(s));
    }

    private static boolean isOldFailure(SimulatedSnapshot snapshot) {
        return snapshot.error() != null
                && snapshot.createdAt().isBefore(Instant.now().minus(Duration.ofHours(1)));
    }

    private PackagedProgram start() throws IOException {
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG",
                cluster.kubeconfig(directory.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("SNAPSHOTTER_ROUTES", directory.resolve("routes").toString());
        environment.put("SNAPSHOTTER_READY_TIMEOUT", "3s");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.put("SNAPSHOTTER_MAX_POLL_INTERVAL", "500ms");
        return PackagedProgram.start(directory, environment);
    }

    @Override
    public void close() throws IOException {
        cluster.close();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
