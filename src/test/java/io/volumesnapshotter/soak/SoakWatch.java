package io.volumesnapshotter.soak;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Watches every change of a cluster's snapshots and every line of the program for a broken promise:
 * a good snapshot that goes too early, two snapshots of one run and claim, a run that is told as a
 * success and was none.
 */
final class SoakWatch {

    private static final Pattern LINE =
            Pattern.compile("(\\d{4}-\\S+Z) (INFO |WARN |ERROR) (\\S.*)");
    private static final Pattern SUCCESS =
            Pattern.compile("(\\S+): succeeded, (?:(\\d+) of (\\d+) ready|pruned)");
    private static final Pattern FAILED = Pattern.compile("\\S+: failed, \\d+ of \\d+ ready.*");

    private final SimulatedCluster cluster;
    private final List<SoakSchedule> schedules;
    private final Map<String, String> uids = new ConcurrentHashMap<>();
    private final Map<String, Map<String, Instant>> readyByRun = new ConcurrentHashMap<>();
    private final Map<String, Integer> everReady = new ConcurrentHashMap<>();
    private final AtomicReference<String> violation = new AtomicReference<>();
    private final AtomicInteger created = new AtomicInteger();
    private final AtomicInteger deleted = new AtomicInteger();
    private final AtomicInteger succeeded = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();

    SoakWatch(SimulatedCluster cluster, List<SoakSchedule> schedules) {
        this.cluster = cluster;
        this.schedules = schedules;
        cluster.watch(this::changed);
    }

    private void changed(SimulatedSnapshot before, SimulatedSnapshot now) {
        if (before == null) {
            added(now);
        }
        if (now != null && now.ready() && (before == null || !before.ready())) {
            becameReady(now);
        }
        if (before != null && !before.terminating() && (now == null || now.terminating())) {
            deleted(before);
        }
    }

    private void added(SimulatedSnapshot snapshot) {
        String run = snapshot.labels().get(SnapshotLabels.RUN);
        if (run == null) {
            return;
        }
        created.incrementAndGet();
        String known =
                uids.putIfAbsent(
                        run + " " + snapshot.namespace() + "/" + snapshot.claim(), snapshot.uid());
        if (known != null) {
            broken("a second snapshot of run %s and claim %s", run, snapshot.claim());
        }
    }

    private void becameReady(SimulatedSnapshot snapshot) {
        everReady.merge(claim(snapshot), 1, Integer::sum);
        String run = snapshot.labels().get(SnapshotLabels.RUN);
        if (run != null) {
            readyByRun
                    .computeIfAbsent(run, any -> new ConcurrentHashMap<>())
                    .put(snapshot.claim(), Instant.now());
        }
    }

    private void deleted(SimulatedSnapshot snapshot) {
        deleted.incrementAndGet();
        SoakSchedule owner =
                schedules.stream().filter(s -> s.owns(snapshot)).findFirst().orElse(null);
        if (owner == null) {
            broken("deleted %s, which is of no schedule", snapshot.name());
            return;
        }
        String reason = owner.whyKept(snapshot, others(owner, snapshot));
        if (reason != null) {
            broken("deleted %s, although %s", snapshot.name(), reason);
        }
    }

    private List<SimulatedSnapshot> others(SoakSchedule owner, SimulatedSnapshot snapshot) {
        return cluster.snapshots(snapshot.namespace(), snapshot.claim()).stream()
                .filter(owner::owns)
                .filter(other -> !other.uid().equals(snapshot.uid()))
                .toList();
    }

    private String claim(SimulatedSnapshot snapshot) {
        return schedules.stream()
                        .filter(s -> s.owns(snapshot))
                        .map(SoakSchedule::name)
                        .findFirst()
                        .orElse("")
                + " "
                + snapshot.claim();
    }

    void broken(String message, Object... arguments) {
        violation.compareAndSet(null, message.formatted(arguments));
    }

    /** What was broken first, or null. */
    String violation() {
        return violation.get();
    }

    /** Reads the lines of a process that has ended, of which the last may be cut off. */
    void read(List<String> lines) {
        for (String line : lines) {
            Matcher parts = LINE.matcher(line);
            if (parts.matches()) {
                told(Instant.parse(parts.group(1)), parts.group(3));
            } else if (!line.equals(lines.get(lines.size() - 1))) {
                broken("told something that is no line of the log: %s", line);
            }
        }
    }

    private void told(Instant time, String words) {
        Matcher success = SUCCESS.matcher(words);
        if (success.matches()) {
            succeeded.incrementAndGet();
            checkSuccess(time, success.group(1), success.group(2), success.group(3));
        } else if (FAILED.matcher(words).matches()) {
            failed.incrementAndGet();
        }
    }

    private void checkSuccess(Instant time, String run, String ready, String all) {
        String name = run.substring(0, run.lastIndexOf('-'));
        SoakSchedule schedule =
                schedules.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
        if (schedule.onlyPrunes()) {
            return;
        }
        String expected = Integer.toString(schedule.claims().size());
        if (!expected.equals(ready) || !expected.equals(all)) {
            broken("%s was told as a success with %s of %s ready", run, ready, all);
        }
        Map<String, Instant> readyAt = readyByRun.getOrDefault(run, Map.of());
        for (String claim : schedule.claims()) {
            Instant since = readyAt.get(claim);
            if (since == null || since.truncatedTo(ChronoUnit.MILLIS).isAfter(time)) {
                broken("%s was told as a success at %s; %s: ready %s", run, time, claim, since);
            }
        }
    }

    /**
     * Checks, when nothing goes on, that nothing is missing of what the rules keep, and that
     * nothing else is left of a schedule whose last run pruned.
     */
    void checkSettled(Predicate<SoakSchedule> pruned) {
        for (SoakSchedule schedule : schedules) {
            Map<String, List<SimulatedSnapshot>> byClaim =
                    cluster.snapshots(schedule.namespace()).stream()
                            .filter(schedule::owns)
                            .collect(
                                    Collectors.groupingBy(
                                            SimulatedSnapshot::claim,
                                            TreeMap::new,
                                            Collectors.toList()));
            TreeSet<String> claims = new TreeSet<>(schedule.claims());
            claims.addAll(byClaim.keySet());
            for (String claim : claims) {
                List<SimulatedSnapshot> left = byClaim.getOrDefault(claim, List.of());
                if (pruned.test(schedule)) {
                    checkPruned(schedule, left);
                }
                checkKept(schedule, claim, left);
            }
        }
    }

    private void checkPruned(SoakSchedule schedule, List<SimulatedSnapshot> left) {
        for (SimulatedSnapshot snapshot : left) {
            List<SimulatedSnapshot> others = new ArrayList<>(left);
            others.remove(snapshot);
            if (snapshot.terminating()) {
                broken("%s is still being deleted", snapshot.name());
            } else if (mayGo(schedule, snapshot, others)) {
                broken("%s stayed, although no rule keeps it", snapshot.name());
            }
        }
    }

    private void checkKept(SoakSchedule schedule, String claim, List<SimulatedSnapshot> left) {
        long good = left.stream().filter(SoakSchedule::isGood).count();
        int ever = everReady.getOrDefault(schedule.name() + " " + claim, 0);
        if (good < Math.min(schedule.last(), ever)) {
            broken("%s of %s: only %d are left of %d", schedule.name(), claim, good, ever);
        }
    }

    private static boolean mayGo(
            SoakSchedule schedule, SimulatedSnapshot snapshot, List<SimulatedSnapshot> others) {
        return schedule.withoutMakingRoom().whyKept(snapshot, others) == null;
    }

    int created() {
        return created.get();
    }

    int deleted() {
        return deleted.get();
    }

    int succeeded() {
        return succeeded.get();
    }

    int failed() {
        return failed.get();
    }
}
