package io.volumesnapshotter.soak;

import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.simulation.SimulatedSnapshot;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    private final Map<String, String> present = new ConcurrentHashMap<>();

    /** Of which claim each snapshot is, by their uids, where there were several of one name. */
    private final Map<String, String> volumes = new ConcurrentHashMap<>();

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

    /** Takes note that another claim has this name from now on. */
    void claimMadeAnew(String claim) {
        present.put(
                claim,
                cluster.admin()
                        .persistentVolumeClaims()
                        .inNamespace(SimulatedCluster.NAMESPACE)
                        .withName(claim)
                        .get()
                        .getMetadata()
                        .getUid());
    }

    private void added(SimulatedSnapshot snapshot) {
        Optional.ofNullable(present.get(snapshot.claim()))
                .ifPresent(claim -> volumes.put(snapshot.uid(), claim));
        String run = snapshot.labels().get(SnapshotLabels.RUN);
        if (run == null) {
            return;
        }
        created.incrementAndGet();
        String known =
                uids.putIfAbsent(
                        run(snapshot) + " " + snapshot.namespace() + "/" + snapshot.claim(),
                        snapshot.uid());
        if (known != null) {
            broken("a second snapshot of run %s and claim %s", run, snapshot.claim());
        }
    }

    private void becameReady(SimulatedSnapshot snapshot) {
        everReady.merge(claim(snapshot), 1, Integer::sum);
        if (snapshot.labels().containsKey(SnapshotLabels.RUN)) {
            readyByRun
                    .computeIfAbsent(run(snapshot), any -> new ConcurrentHashMap<>())
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
        List<SimulatedSnapshot> others = others(owner, snapshot);
        String reason = owner.whyKept(snapshot, others);
        if (reason == null && isLastOfItsVolume(snapshot, others)) {
            reason = "it is the last of a claim that was deleted";
        }
        if (reason != null) {
            broken("deleted %s, although %s", snapshot.name(), reason);
        }
    }

    /** Whether it is the last good one of a claim that had the name before. */
    private boolean isLastOfItsVolume(SimulatedSnapshot snapshot, List<SimulatedSnapshot> others) {
        String volume = volumes.get(snapshot.uid());
        return volume != null
                && SoakSchedule.isGood(snapshot)
                && others.stream()
                        .filter(SoakSchedule::isGood)
                        .noneMatch(other -> volume.equals(volumes.get(other.uid())));
    }

    private List<SimulatedSnapshot> others(SoakSchedule owner, SimulatedSnapshot snapshot) {
        return cluster.snapshots(snapshot.namespace(), snapshot.claim()).stream()
                .filter(owner::owns)
                .filter(other -> !other.uid().equals(snapshot.uid()))
                .toList();
    }

    /** Whose run took a snapshot: two installations may have runs of one name. */
    private static String run(SimulatedSnapshot snapshot) {
        return snapshot.labels().get(SnapshotLabels.INSTALLATION)
                + " "
                + snapshot.labels().get(SnapshotLabels.RUN);
    }

    private String claim(SimulatedSnapshot snapshot) {
        return schedules.stream()
                        .filter(s -> s.owns(snapshot))
                        .map(s -> s.installation() + " " + s.name())
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

    /**
     * Reads the lines of a process that has ended, of which the last may be cut off.
     *
     * @param installation whose it was
     * @param slack how far its clock may have been wrong, in seconds
     */
    void read(List<String> lines, String installation, int slack) {
        for (String line : lines) {
            Matcher parts = LINE.matcher(line);
            if (parts.matches()) {
                told(
                        Instant.parse(parts.group(1)).plusSeconds(slack),
                        installation,
                        parts.group(3));
            } else if (!line.equals(lines.get(lines.size() - 1))) {
                broken("told something that is no line of the log: %s", line);
            }
        }
    }

    private void told(Instant time, String installation, String words) {
        Matcher success = SUCCESS.matcher(words);
        if (success.matches()) {
            succeeded.incrementAndGet();
            checkSuccess(time, installation, success.group(1), success.group(2), success.group(3));
        } else if (FAILED.matcher(words).matches()) {
            failed.incrementAndGet();
        }
    }

    private void checkSuccess(
            Instant time, String installation, String run, String ready, String all) {
        String name = run.substring(0, run.lastIndexOf('-'));
        SoakSchedule schedule =
                schedules.stream()
                        .filter(s -> s.name().equals(name))
                        .filter(s -> s.installation().equals(installation))
                        .findFirst()
                        .orElseThrow();
        if (schedule.onlyPrunes()) {
            return;
        }
        TreeSet<String> claims = new TreeSet<>(schedule.claims());
        if (Integer.toString(claims.size() - 1).equals(all)) {
            // The list fell between the two.
            claims.remove(SoakPlan.MADE_ANEW);
        }
        String expected = Integer.toString(claims.size());
        if (!expected.equals(ready) || !expected.equals(all)) {
            broken("%s was told as a success with %s of %s ready", run, ready, all);
        }
        Map<String, Instant> readyAt = readyByRun.getOrDefault(installation + " " + run, Map.of());
        for (String claim : claims) {
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

    /**
     * Of a claim that was made anew more may stay than the rules say: the last one of each claim of
     * the name, and those of which nobody can tell whose they are.
     */
    private void checkPruned(SoakSchedule schedule, List<SimulatedSnapshot> left) {
        for (SimulatedSnapshot snapshot : left) {
            List<SimulatedSnapshot> others = new ArrayList<>(left);
            others.remove(snapshot);
            if (snapshot.terminating()) {
                broken("%s is still being deleted", snapshot.name());
            } else if (mayGo(schedule, snapshot, others)
                    && !snapshot.claim().equals(SoakPlan.MADE_ANEW)
                    && !isOfTheFuture(snapshot)) {
                broken("%s stayed, although no rule keeps it", snapshot.name());
            }
        }
    }

    private void checkKept(SoakSchedule schedule, String claim, List<SimulatedSnapshot> left) {
        long good = left.stream().filter(SoakSchedule::isGood).count();
        int ever =
                everReady.getOrDefault(
                        schedule.installation() + " " + schedule.name() + " " + claim, 0);
        if (good < Math.min(schedule.last(), ever)) {
            broken("%s of %s: only %d are left of %d", schedule.name(), claim, good, ever);
        }
    }

    /** Whether a clock that was ahead took it; it is left alone until its time has come. */
    private static boolean isOfTheFuture(SimulatedSnapshot snapshot) {
        String run = snapshot.labels().get(SnapshotLabels.RUN);
        return run != null && SnapshotNames.fireTime(run).isAfter(Instant.now());
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
