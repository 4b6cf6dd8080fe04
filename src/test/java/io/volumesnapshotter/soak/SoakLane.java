package io.volumesnapshotter.soak;

import static org.awaitility.Awaitility.await;

import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.simulation.SnapshotState;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.PackagedProgram;
import io.volumesnapshotter.testing.Program;
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
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final Duration BOUNDARY_LIMIT = Duration.ofSeconds(12);
    private static final Predicate<ApiRequest> ANY = request -> true;
    private static final String OWN = Program.INSTALLATION;

    /** Longer than a Lease, and than any schedule's interval. */
    private static final Duration FREEZE = Duration.ofSeconds(6);

    /** How far a clock is set at most, in seconds. */
    private static final int MAX_JUMP = 20;

    /** A library that lets a process have a clock of its own; none in the tests. */
    private static final String FAKE_CLOCK = System.getProperty("soak.faketime", "");

    private final int number;
    private final long seed;
    private final Path directory;
    private final Path clock;
    private final SimulatedCluster cluster = SimulatedCluster.start();
    private final SoakWatch watch;
    private volatile CompletableFuture<Void> restart = CompletableFuture.completedFuture(null);
    private int kills;

    SoakLane(int number, long seed) throws IOException {
        this.number = number;
        this.seed = seed;
        directory = Files.createTempDirectory("volume-snapshotter-soak");
        SoakPlan.write(directory.resolve("routes"), SoakPlan.OWN);
        SoakPlan.write(directory.resolve("guest-routes"), SoakPlan.GUESTS);
        Files.createDirectory(directory.resolve("one"));
        Files.createDirectory(directory.resolve("two"));
        clock = directory.resolve("clock");
        cluster.namespace(SoakPlan.FULL);
        cluster.quota(SoakPlan.FULL, 6);
        cluster.access()
                .grant(SoakPlan.FULL, SimulatedCluster.SNAPSHOTS, "create", "get", "list", "delete")
                .grant(NAMESPACE, "persistentvolumeclaims", "list")
                .grant(NAMESPACE, "leases.coordination.k8s.io", "create", "get", "patch");
        cluster.claim(NAMESPACE, "data");
        for (String claim : List.of("db", "cache", "logs")) {
            cluster.claim(NAMESPACE, claim, Map.of("tier", "gold"));
        }
        cluster.claim(SoakPlan.FULL, "a");
        cluster.claim(SoakPlan.FULL, "b");
        watch = new SoakWatch(cluster, SoakPlan.ALL);
        watch.claimMadeAnew(SoakPlan.MADE_ANEW);
        oldSnapshots();
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
        SoakTrouble.ofStorage(cluster.driver().heal(), random);
        for (int i = random.nextInt(3); i > 0; i--) {
            String name = "foreign-%d-%d".formatted(kills, i);
            cluster.snapshot(NAMESPACE, name, "data", SoakSchedule.FOREIGN, Instant.now());
        }
        Company company = Company.values()[random.nextInt(Company.values().length)];
        setClock(random);
        try (PackagedProgram program = start(company == Company.REPLICA);
                PackagedProgram other = startOther(company)) {
            SoakTrouble.ofApi(cluster.faults(), random, () -> restart = cluster.restart());
            meddle(random, program, company);
            String how = kill(program, random) + ", company: " + company;
            if (other != null) {
                if (other.endsWithin(Duration.ofMillis(random.nextInt(4000)))) {
                    watch.broken("the other program ended by itself");
                }
                other.kill();
                check(other, company == Company.GUEST ? SoakPlan.GUEST : OWN, how);
            }
            check(program, OWN, how);
        }
    }

    /** What else runs beside the program that is killed. */
    private enum Company {
        NONE,
        REPLICA,
        GUEST
    }

    private PackagedProgram startOther(Company company) throws IOException {
        return switch (company) {
            case NONE -> null;
            case REPLICA -> start("two", OWN, "routes", true);
            case GUEST -> start("two", SoakPlan.GUEST, "guest-routes", false);
        };
    }

    /** Edits, a claim that is made anew, a clock that is set, and a leader that is frozen. */
    private void meddle(SplittableRandom random, PackagedProgram program, Company company)
            throws Exception {
        if (random.nextInt(3) == 0) {
            program.endsWithin(Duration.ofMillis(random.nextInt(5000)));
            SoakPlan.edit(
                    directory.resolve("routes"),
                    random.nextBoolean() ? "often" : "run-schedule",
                    kills);
        }
        if (random.nextInt(4) == 0) {
            program.endsWithin(Duration.ofMillis(random.nextInt(4000)));
            cluster.withoutClaim(NAMESPACE, SoakPlan.MADE_ANEW);
            cluster.claim(NAMESPACE, SoakPlan.MADE_ANEW, Map.of("tier", "gold"));
            watch.claimMadeAnew(SoakPlan.MADE_ANEW);
        }
        if (random.nextInt(3) == 0) {
            program.endsWithin(Duration.ofMillis(random.nextInt(4000)));
            setClock(random);
        }
        if (company == Company.REPLICA && random.nextBoolean()) {
            program.endsWithin(Duration.ofMillis(2000 + random.nextInt(4000)));
            program.freeze();
            program.endsWithin(FREEZE.plusMillis(random.nextInt(4000)));
            program.thaw();
        }
    }

    /** Sets the clock of the program that is killed, where there is a library for that. */
    private void setClock(SplittableRandom random) throws IOException {
        Files.writeString(
                clock, "%+d".formatted(random.nextInt(2) * random.nextInt(-MAX_JUMP, MAX_JUMP)));
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

    private void check(PackagedProgram program, String installation, String how) {
        List<String> lines = program.lines();
        watch.read(lines, installation, FAKE_CLOCK.isEmpty() ? 0 : 2 * MAX_JUMP);
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

    /** Lets the program end all that is to be done, undisturbed, and checks what is left. */
    void settle() throws Exception {
        cluster.faults().clear();
        restart.join();
        cluster.driver().heal();
        await().atMost(LIMIT).until(this::isQuiet);
        Files.writeString(clock, "+0");
        try (PackagedProgram program = start(false)) {
            try {
                await().atMost(LIMIT)
                        .until(() -> SoakPlan.OWN.stream().allMatch(s -> ended(s, program)));
            } catch (ConditionTimeoutException e) {
                watch.broken("undisturbed, not every schedule had a success in %s", LIMIT);
            }
            program.terminate();
            await().atMost(LIMIT).until(this::isQuiet);
            watch.checkSettled(
                    schedule ->
                            schedule.installation().equals(OWN) && !wasCutOff(schedule, program));
            check(program, OWN, "undisturbed end");
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
        return Stream.of(NAMESPACE, SoakPlan.FULL)
                .flatMap(namespace -> cluster.snapshots(namespace).stream())
                .noneMatch(s -> s.terminating() || !s.ready() && !isOldFailure(s));
    }

    private static boolean isOldFailure(SimulatedSnapshot snapshot) {
        return snapshot.error() != null
                && snapshot.createdAt().isBefore(Instant.now().minus(Duration.ofHours(1)));
    }

    private PackagedProgram start(boolean elects) throws IOException {
        return start("one", OWN, "routes", elects);
    }

    private PackagedProgram start(String pod, String installation, String routes, boolean elects)
            throws IOException {
        Path own = directory.resolve(pod);
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "KUBECONFIG", cluster.kubeconfig(own.resolve("kubeconfig"), NAMESPACE).toString());
        environment.put("HOSTNAME", pod);
        environment.put("SNAPSHOTTER_INSTALLATION", installation);
        environment.put("SNAPSHOTTER_ROUTES", directory.resolve(routes).toString());
        environment.put("SNAPSHOTTER_ROUTES_POLL_INTERVAL", "500ms");
        environment.put("SNAPSHOTTER_READY_TIMEOUT", "3s");
        environment.put("SNAPSHOTTER_POLL_INTERVAL", "200ms");
        environment.put("SNAPSHOTTER_MAX_POLL_INTERVAL", "500ms");
        if (elects) {
            environment.put("SNAPSHOTTER_LEADER_ELECTION", "true");
            environment.put("SNAPSHOTTER_LEASE_DURATION", "5s");
            environment.put("SNAPSHOTTER_RENEW_DEADLINE", "3s");
            environment.put("SNAPSHOTTER_RETRY_PERIOD", "500ms");
        }
        if (pod.equals("one") && !FAKE_CLOCK.isEmpty()) {
            environment.put("LD_PRELOAD", FAKE_CLOCK);
            environment.put("FAKETIME_TIMESTAMP_FILE", clock.toString());
            environment.put("FAKETIME_NO_CACHE", "1");
            environment.put("DONT_FAKE_MONOTONIC", "1");
        }
        return PackagedProgram.start(own, environment);
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
