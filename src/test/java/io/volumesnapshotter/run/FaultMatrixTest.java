package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.RequestLog;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import io.volumesnapshotter.testing.Patience;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.Scale;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything that can happen to a request, for each request that a run sends, once so that it
 * passes and once so that it stays for the whole run. Whatever it is: no good snapshot is lost, the
 * run does not call itself a success when it was none, nothing is taken twice, and the next run
 * puts all in order.
 *
 * <p>What each cell is expected to end with stands in {@code docs/fault-matrix.md}, in the very
 * table that this test prints. Waits are shortened: those between two tries to a twentieth, the
 * client's time-out to two seconds, and the time of a run to that of seven tries.
 */
class FaultMatrixTest {

    private static final Path PAGE = Path.of("docs", "fault-matrix.md");
    private static final Path PRINTED = Path.of("target", "fault-matrix.txt");

    /** Cells at the same time. Nearly all of a cell is waiting. */
    private static final int AT_ONCE = 32;

    /** Few start at the same time, so that those that run get their share of the processors. */
    private static final Semaphore STARTS = new Semaphore(2, true);

    private static final String REFUSED = "connection refused";
    private static final String CUT = "EOF reached while reading";
    private static final String LATE = "no answer in time";
    private static final int KEEP = 2;
    private static final List<String> CLAIMS = List.of("data", "db");
    private static final String SOMEONE_ELSE = "of-someone-else";
    private static final Duration TIME_OUT = Duration.ofSeconds(2);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    /** A request of a single claim is sent no more often; others as long as the run has time. */
    private static final int MANY = 6;

    /** The requests of a run, in their order. */
    private enum Column {
        CLAIMS("list claims"),
        CREATE("create"),
        LOOK("look"),
        HISTORY("list to prune"),
        DELETE("delete");

        private final String title;

        Column(String title) {
            this.title = title;
        }

        /** Of requests that concern one claim, those of {@code data} are struck. */
        boolean isOf(ApiRequest request) {
            boolean run = request.labelSelector().contains(SnapshotLabels.RUN + "=");
            return switch (this) {
                case CLAIMS -> request.is("list", "persistentvolumeclaims");
                case CREATE ->
                        request.is("create", "volumesnapshots")
                                && request.objectName().startsWith("data-");
                case LOOK -> request.is("list", "volumesnapshots") && run;
                case HISTORY ->
                        request.is("list", "volumesnapshots")
                                && !run
                                && !request.labelSelector().isEmpty();
                case DELETE -> request.is("delete") && request.objectName().startsWith("data-");
            };
        }
    }

    private interface Striking {
        Faults.Fault strike(SimulatedCluster cluster, Predicate<ApiRequest> which, int times);
    }

    /**
     * What happens.
     *
     * @param passing how many requests it strikes when it passes
     * @param keeps how many good snapshots stay at least, all the time
     * @param words what the dead letter says of it
     */
    private record Row(String title, int passing, int keeps, Striking striking, String... words) {

        boolean isLate() {
            return words[0].equals(LATE);
        }

        boolean isRefused() {
            return title.equals(REFUSED);
        }
    }

    private static Row row(String title, Striking striking, String... words) {
        return new Row(title, 2, KEEP, striking, words);
    }

    private static Row answer(String title, ApiAnswer answer, String... words) {
        return row(title, (c, which, n) -> c.faults().answer(which, n, answer), words);
    }

    private static final List<Row> ROWS =
            List.of(
                    row(REFUSED, FaultMatrixTest::refuse, "no connection"),
                    row(
                            "cut inside the answer",
                            (c, which, n) -> c.faults().cutInsideAnswer(which, n),
                            CUT),
                    row(
                            "cut before the answer, carried out",
                            (c, which, n) -> c.faults().cut(Boundary.CARRIED_OUT, which, n),
                            CUT,
                            "received no bytes"),
                    row(
                            "cut before it was carried out",
                            (c, which, n) -> c.faults().cut(Boundary.ARRIVED, which, n),
                            CUT,
                            "received no bytes"),
                    row(
                            "carried out, answer after 30 s",
                            (c, which, n) ->
                                    c.faults()
                                            .delay(
                                                    Boundary.CARRIED_OUT,
                                                    which,
                                                    n,
                                                    TIME_OUT.multipliedBy(2)),
                            LATE),
                    row(
                            "carried out after 30 s",
                            (c, which, n) ->
                                    c.faults()
                                            .delay(
                                                    Boundary.ARRIVED,
                                                    which,
                                                    n,
                                                    TIME_OUT.multipliedBy(2)),
                            LATE),
                    new Row(
                            "401",
                            1,
                            KEEP,
                            (c, which, n) ->
                                    c.faults()
                                            .answer(
                                                    which,
                                                    n,
                                                    ApiAnswer.status(
                                                            401, "Unauthorized", "Unauthorized")),
                            new String[] {"Unauthorized -> check the token"}),
                    row(
                            "403 no right",
                            (c, which, n) -> c.faults().answer(which, n, ApiAnswer::forbidden),
                            "is forbidden: User"),
                    new Row(
                            "403 quota",
                            2,
                            1,
                            (c, which, n) -> c.faults().answer(which, n, ApiAnswer::exceededQuota),
                            new String[] {"exceeded quota: q"}),
                    row(
                            "403 namespace terminating",
                            (c, which, n) ->
                                    c.faults().answer(which, n, ApiAnswer::namespaceTerminating),
                            "it is being terminated -> the namespace is going away"),
                    row(
                            "404 no such namespace",
                            (c, which, n) -> c.faults().answer(which, n, ApiAnswer::noNamespace),
                            "namespaces \"apps\" not found -> create the namespace"),
                    answer("404 not served", ApiAnswer.pageNotFound(), "-> install the"),
                    row(
                            "409 exists, but does not",
                            (c, which, n) ->
                                    c.faults()
                                            .answer(
                                                    which,
                                                    n,
                                                    r -> ApiAnswer.alreadyExists(r, false)),
                            "exists"),
                    row(
                            "409 exists, of someone else",
                            FaultMatrixTest::occupy,
                            "it is not one of this run"),
                    row(
                            "409 being deleted",
                            (c, which, n) ->
                                    c.faults()
                                            .answer(
                                                    which,
                                                    n,
                                                    r -> ApiAnswer.alreadyExists(r, true)),
                            "exists"),
                    row(
                            "409 conflict",
                            (c, which, n) -> c.faults().answer(which, n, ApiAnswer::conflict),
                            "the object has been modified",
                            "exists"),
                    answer("410", ApiAnswer.expired(), "continue parameter is too old"),
                    row(
                            "422",
                            (c, which, n) -> c.faults().answer(which, n, ApiAnswer::invalid),
                            "must be set -> correct what it names"),
                    answer(
                            "429, Retry-After",
                            ApiAnswer.tooManyRequests((int) RETRY_AFTER.toSeconds()),
                            "Too many requests"),
                    answer("429", ApiAnswer.tooManyRequests(), "Too many requests"),
                    answer(
                            "500",
                            ApiAnswer.status(500, "InternalError", "etcdserver: leader changed"),
                            "etcdserver: leader changed -> look at the API server"),
                    answer(
                            "503",
                            ApiAnswer.status(503, "ServiceUnavailable", "apiserver not ready"),
                            "apiserver not ready -> look at the API server"),
                    answer("200, broken JSON", ApiAnswer.brokenJson(), "end-of-input"),
                    answer("200, another kind", ApiAnswer.wrongKind(), "ConfigMap"),
                    answer(
                            "200, a web page",
                            ApiAnswer.of(200, "text/html", "<html><body>Sign in</body></html>"),
                            ""));

    /** One cell's result; what it is as text must not depend on how fast the machine is. */
    private record Outcome(boolean succeeded, int struck) {

        @Override
        public String toString() {
            String times = struck == 0 ? "" : struck > MANY ? " *" : " " + struck;
            return (succeeded ? "ok" : "failed") + times;
        }
    }

    @TempDir private Path directory;

    /** Lets each connection be refused from the first matching request on. */
    private static Faults.Fault refuse(
            SimulatedCluster cluster, Predicate<ApiRequest> which, int times) {
        return cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        which,
                        1,
                        request -> {
                            cluster.goDown();
                            if (times < Faults.ALWAYS) {
                                CompletableFuture.runAsync(
                                        cluster::comeBack,
                                        CompletableFuture.delayedExecutor(
                                                300,
                                                TimeUnit.MILLISECONDS,
                                                task -> new Thread(task).start()));
                            }
                        });
    }

    /** Someone else has an object of the name; when it passes, only until it was met once. */
    private static Faults.Fault occupy(
            SimulatedCluster cluster, Predicate<ApiRequest> which, int times) {
        if (times < Faults.ALWAYS) {
            cluster.faults().hook(Boundary.CARRIED_OUT, which, 1, request -> vacate(cluster));
        }
        return cluster.faults()
                .hook(
                        Boundary.ARRIVED,
                        which,
                        times < Faults.ALWAYS ? 1 : times,
                        request ->
                                cluster.snapshot(
                                        NAMESPACE,
                                        request.objectName(),
                                        SOMEONE_ELSE,
                                        Map.of(),
                                        Instant.now()));
    }

    private static void vacate(SimulatedCluster cluster) {
        cluster.snapshots(NAMESPACE, SOMEONE_ELSE)
                .forEach(
                        snapshot ->
                                cluster.admin()
                                        .genericKubernetesResources(
                                                "snapshot.storage.k8s.io/v1", "VolumeSnapshot")
                                        .inNamespace(NAMESPACE)
                                        .withName(snapshot.name())
                                        .delete());
        await().until(() -> cluster.snapshots(NAMESPACE, SOMEONE_ELSE).isEmpty());
    }

    /**
     * All cells, or in a small test a part in which each row and each column is met. One after
     * another would take half an hour; the longest ones come first.
     */
    private static List<Cell> cells() {
        return ROWS.stream()
                .flatMap(row -> Arrays.stream(Column.values()).map(column -> new Cell(row, column)))
                .filter(Cell::exists)
                .filter(cell -> Scale.WHOLE || cell.isInSmallTest())
                .sorted(Comparator.comparing(cell -> !cell.row.isLate()))
                .toList();
    }

    @Test
    void nothingIsLostAndNothingHiddenWhateverHappensToARequest() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        Map<Cell, Future<String>> running = new LinkedHashMap<>();
        // What is not tried this time is taken on trust.
        Map<Cell, String> ended = new HashMap<>(Scale.WHOLE ? Map.of() : documented());
        List<String> broken = new ArrayList<>();
        try {
            for (Cell cell : cells()) {
                running.put(cell, threads.submit(() -> new Trial(cell).outcome(directory)));
            }
            for (Cell cell : running.keySet()) {
                try {
                    // How often one is sent that is carried out late depends on the machine.
                    ended.put(cell, running.get(cell).get().replaceAll("/ ok [2-9]$", "/ ok 2+"));
                } catch (ExecutionException e) {
                    ended.put(cell, "BROKEN");
                    broken.add(cell.row.title + ", " + cell.column + ": " + e.getCause());
                }
            }
        } finally {
            threads.shutdownNow();
        }
        String table = table(ended);
        System.out.println(table);
        Files.writeString(PRINTED, table);
        assertThat(broken).isEmpty();
        assertThat(Files.readString(PAGE)).contains("```text\n" + table + "```\n");
    }

    /** What the page says of each cell. */
    private static Map<Cell, String> documented() throws IOException {
        Map<Cell, String> cells = new HashMap<>();
        for (String line : Files.readAllLines(PAGE)) {
            String[] parts = line.split(" {2,}");
            for (Row row : ROWS) {
                if (parts[0].equals(row.title)) {
                    for (Column column : Column.values()) {
                        cells.put(new Cell(row, column), parts[1 + column.ordinal()]);
                    }
                }
            }
        }
        return cells;
    }

    private static String table(Map<Cell, String> ended) {
        List<List<String>> lines = new ArrayList<>();
        lines.add(
                Stream.concat(Stream.of(""), Arrays.stream(Column.values()).map(c -> c.title))
                        .toList());
        for (Row row : ROWS) {
            lines.add(
                    Stream.concat(
                                    Stream.of(row.title),
                                    Arrays.stream(Column.values())
                                            .map(c -> ended.getOrDefault(new Cell(row, c), "-")))
                            .toList());
        }
        return lines.stream().map(line -> aligned(line, lines)).collect(Collectors.joining());
    }

    private static String aligned(List<String> line, List<List<String>> all) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < line.size(); i++) {
            int column = i;
            int width = all.stream().mapToInt(l -> l.get(column).length()).max().orElse(0);
            text.append(String.format("%-" + (width + 2) + "s", line.get(i)));
        }
        return text.toString().stripTrailing() + "\n";
    }

    /** What happens to which request. */
    private record Cell(Row row, Column column) {

        /** Only what is created can meet an object of someone else. */
        boolean exists() {
            return column == Column.CREATE || !row.title.contains("someone else");
        }

        boolean isInSmallTest() {
            return row.title.contains("someone else")
                    || (ROWS.indexOf(row) + column.ordinal()) % 3 == 0;
        }
    }

    /**
     * A cluster and a program of its own with four runs: one with the fault that passes and one
     * without it, one with the fault that stays and one without it.
     */
    private static final class Trial {

        private final Row row;
        private final Column column;
        private final String schedule;
        private final Instant first =
                Instant.now().truncatedTo(ChronoUnit.MINUTES).minusSeconds(300);
        private final Queue<String> lost = new ConcurrentLinkedQueue<>();
        private final Set<String> everThere = new TreeSet<>();

        Trial(Cell cell) {
            row = cell.row;
            column = cell.column;
            schedule = "s" + ROWS.indexOf(row) + column.name().toLowerCase(Locale.ROOT);
        }

        String outcome(Path directory) throws IOException, InterruptedException {
            Path routes = Files.createDirectory(directory.resolve(schedule));
            TestRoutes.copyTo(routes);
            Files.delete(routes.resolve("hourly" + RouteFiles.SUFFIX));
            TestRoutes.schedule(routes, schedule);
            Path errors = routes.resolve("error-handling" + RouteFiles.SUFFIX);
            Files.writeString(
                    errors,
                    Files.readString(errors)
                            .replace("\"1000\"", "\"50\"")
                            .replace("\"30000\"", "\"200\""));
            STARTS.acquire();
            boolean starts = true;
            try (SimulatedCluster cluster = SimulatedCluster.start()) {
                cluster.access().grant(NAMESPACE, "persistentvolumeclaims", "list");
                for (String claim : CLAIMS) {
                    cluster.claim(NAMESPACE, claim);
                    seed(cluster, claim, first.minus(Duration.ofHours(2)));
                    seed(cluster, claim, first.minus(Duration.ofHours(1)));
                }
                try (Program program = Program.start(cluster, settings(routes))) {
                    STARTS.release();
                    starts = false;
                    prepare(cluster, program);
                    return withFault(row.passing, first, cluster, program)
                            + " / "
                            + withFault(Faults.ALWAYS, first.plusSeconds(120), cluster, program);
                }
            } finally {
                if (starts) {
                    STARTS.release();
                }
            }
        }

        private Map<String, String> settings(Path routes) {
            return Map.of(
                    "camel.main.name",
                    schedule,
                    "snapshotter.claims",
                    "*",
                    "snapshotter.routes",
                    routes.toString(),
                    "snapshotter.keep-last",
                    Integer.toString(KEEP),
                    "camel.component.quartz.properties[org.quartz.threadPool.threadCount]",
                    "1");
        }

        private void seed(SimulatedCluster cluster, String claim, Instant due) {
            String name = SnapshotNames.snapshot(claim, schedule, due);
            cluster.snapshot(
                    NAMESPACE,
                    name,
                    claim,
                    SnapshotLabels.of(
                            name, schedule, SnapshotNames.run(schedule, due), Program.INSTALLATION),
                    due);
        }

        private void prepare(SimulatedCluster cluster, Program program) {
            if (row.isLate()) {
                program.context()
                        .getRegistry()
                        .findSingleByType(KubernetesClient.class)
                        .getConfiguration()
                        .setRequestTimeout((int) TIME_OUT.toMillis());
            }
            cluster.faults()
                    .hook(
                            Boundary.CARRIED_OUT,
                            request -> request.is("delete"),
                            Faults.ALWAYS,
                            request -> deleted(cluster, request));
        }

        private Outcome withFault(
                int times, Instant due, SimulatedCluster cluster, Program program) {
            cluster.log().clear();
            long outages = outages(cluster, program);
            Faults.Fault fault = row.striking.strike(cluster, column::isOf, times);
            CompletableFuture<Void> run = Program.later(() -> program.fire(schedule, due));
            if (times == Faults.ALWAYS) {
                await().until(
                                () ->
                                        run.isDone()
                                                || fault.hits() > MANY
                                                || outages(cluster, program) > outages);
                // Its time is over.
                program.pass(Patience.LIMIT.multipliedBy(2));
            }
            run.join();
            int struck = row.isRefused() ? 0 : fault.hits();
            boolean succeeded = succeeded(cluster, program, due);
            retryAfterIsObeyed(cluster.log().entries());
            fault.cancel();
            heal(cluster, times);
            // An outage counts as over only when it is some time ago.
            program.pass(Duration.ofMinutes(1));
            theNextRunPutsAllInOrder(cluster, program, due.plusSeconds(60));
            assertThat(lost).isEmpty();
            return new Outcome(succeeded, struck);
        }

        /** How often it was told that nothing answers, where that is what happens. */
        private long outages(SimulatedCluster cluster, Program program) {
            return program.told(Level.WARN).stream()
                    .filter(line -> row.isRefused() && line.contains(cluster.url()))
                    .count();
        }

        private void theNextRunPutsAllInOrder(
                SimulatedCluster cluster, Program program, Instant second) {
            program.fire(schedule, second);
            assertThat(lines(program, Level.INFO, second))
                    .describedAs("the next run")
                    .last()
                    .asString()
                    .contains("succeeded, 2 of 2 ready");
            Set<String> expected = new TreeSet<>();
            for (String claim : CLAIMS) {
                everThere.add(SnapshotNames.snapshot(claim, schedule, second));
                everThere.stream()
                        .filter(name -> name.startsWith(claim + "-"))
                        .sorted(Comparator.reverseOrder())
                        .limit(KEEP)
                        .forEach(expected::add);
            }
            await().untilAsserted(() -> assertThat(names(cluster)).isEqualTo(expected));
        }

        private void heal(SimulatedCluster cluster, int times) {
            vacate(cluster);
            if (row.isRefused() && times == Faults.ALWAYS) {
                cluster.comeBack();
            }
            await().until(
                            () ->
                                    cluster.snapshots(NAMESPACE).stream()
                                            .allMatch(s -> s.ready() && !s.terminating()));
            assertThat(cluster.snapshots(NAMESPACE))
                    .extracting(s -> s.claim() + " in " + s.labels().get(SnapshotLabels.RUN))
                    .doesNotHaveDuplicates();
            everThere.addAll(names(cluster));
        }

        private boolean succeeded(SimulatedCluster cluster, Program program, Instant due) {
            List<String> told = lines(program, Level.INFO, due);
            boolean succeeded =
                    !told.isEmpty() && told.get(told.size() - 1).contains(": succeeded, ");
            if (succeeded) {
                assertThat(cluster.snapshots(NAMESPACE))
                        .filteredOn(SimulatedSnapshot::ready)
                        .extracting(SimulatedSnapshot::name)
                        .describedAs("ready when the run was called a success")
                        .containsAll(
                                CLAIMS.stream()
                                        .map(claim -> SnapshotNames.snapshot(claim, schedule, due))
                                        .toList());
            } else {
                assertThat(program.told(Level.ERROR))
                        .filteredOn(
                                // A run whose claims cannot be listed is told without its time.
                                line ->
                                        line.startsWith(schedule + ":")
                                                || line.startsWith(
                                                        SnapshotNames.run(schedule, due)))
                        .describedAs("dead letters")
                        .anySatisfy(
                                line -> assertThat(line).containsAnyOf(row.words).contains(" -> "));
            }
            return succeeded;
        }

        private void deleted(SimulatedCluster cluster, ApiRequest request) {
            String claim = request.objectName().substring(0, request.objectName().indexOf('-'));
            long newer =
                    cluster.snapshots(NAMESPACE, claim).stream()
                            .filter(s -> s.ready() && !s.terminating())
                            .filter(s -> s.name().compareTo(request.objectName()) > 0)
                            .count();
            if (newer < row.keeps) {
                lost.add(request.objectName() + " was deleted with " + newer + " newer good ones");
            }
        }

        private void retryAfterIsObeyed(List<RequestLog.Entry> sent) {
            if (!row.title.contains("Retry-After")) {
                return;
            }
            for (RequestLog.Entry refused : sent.stream().filter(e -> e.code() == 429).toList()) {
                assertThat(sent)
                        .filteredOn(again -> again.time().isAfter(refused.time()))
                        .filteredOn(again -> isSame(again, refused))
                        .extracting(RequestLog.Entry::time)
                        .describedAs("sent again")
                        .allMatch(
                                // The program counts in milliseconds.
                                time ->
                                        time.isAfter(
                                                refused.time().plus(RETRY_AFTER).minusMillis(5)));
            }
        }

        private static boolean isSame(RequestLog.Entry one, RequestLog.Entry other) {
            return one.verb().equals(other.verb())
                    && one.resource().equals(other.resource())
                    && one.name().equals(other.name())
                    && one.labelSelector().equals(other.labelSelector());
        }

        private List<String> lines(Program program, Level level, Instant due) {
            return program.told(level).stream()
                    .filter(line -> line.startsWith(SnapshotNames.run(schedule, due)))
                    .filter(line -> !line.contains(": recovered: "))
                    .toList();
        }

        private static Set<String> names(SimulatedCluster cluster) {
            return new TreeSet<>(
                    cluster.snapshots(NAMESPACE).stream().map(SimulatedSnapshot::name).toList());
        }
    }
}
