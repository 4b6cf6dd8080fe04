package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.restore.ClaimLook;
import io.volumesnapshotter.restore.NewClaim;
import io.volumesnapshotter.restore.Places;
import io.volumesnapshotter.restore.RefusedException;
import io.volumesnapshotter.restore.Restores;
import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.restore.SnapshotChoice;
import io.volumesnapshotter.restore.Waiting;
import io.volumesnapshotter.settings.OneLine;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Restores the newest snapshot of a claim into a temporary claim, has a pod read it, and removes
 * both. The snapshot is chosen when the drill runs, so that its age is part of what is proven.
 */
public final class Drill {

    private static final int LINES = 20;
    private static final int NOT_FOUND = 404;
    private static final int LONGEST_LINE = 500;
    private static final Duration TO_REMOVE = Duration.ofMinutes(5);

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final InstantSource clock;
    private final Predicate<Duration> pause;
    private final Consumer<String> told;

    /**
     * @param send has a change carried out; what fails is thrown
     * @param pause waits for a time; false when the wait was interrupted
     * @param told is told what goes on
     */
    public Drill(
            KubernetesClient client,
            Consumer<Change> send,
            InstantSource clock,
            Predicate<Duration> pause,
            Consumer<String> told) {
        this.client = client;
        this.send = send;
        this.clock = clock;
        this.pause = pause;
        this.told = told;
    }

    /**
     * What is to be proven.
     *
     * @param maxAge how old the data of the newest snapshot may be
     * @param limit how long to wait for the volume, and for the start of the pod
     * @param storageClass the class of the temporary claim, where it is not the claim's own
     */
    public record Plan(
            Claim claim,
            Duration maxAge,
            Check check,
            Duration limit,
            Optional<String> storageClass) {}

    /** What was found so far. */
    private static final class Findings {
        private String snapshot = "";
        private Instant cutTime;
        private String node = "";
        private List<String> output = List.of();
        private final Map<String, Duration> phases = new LinkedHashMap<>();
    }

    /**
     * Drills. What does not restore, or is not good, is a report, not an exception.
     *
     * @throws KubernetesClientException when a request failed; what was made is removed as far as
     *     that is possible, and else by the next drill
     */
    public DrillReport run(Plan plan) {
        Instant began = clock.instant();
        Trial.removeLeftovers(client, send, plan.claim().namespace(), began, told);
        Trial trial =
                new Trial(
                        client,
                        send,
                        plan.claim(),
                        "drill",
                        clock,
                        plan.limit().multipliedBy(2).plus(plan.check().limit()).plus(TO_REMOVE));
        Findings findings = new Findings();
        Verdict verdict;
        List<String> left;
        Waiting removal = new Waiting(clock, TO_REMOVE, always());
        try {
            verdict = verdict(plan, trial, findings, began);
            left = trial.remove(removal);
        } catch (KubernetesClientException e) {
            try {
                trial.remove(removal);
            } catch (KubernetesClientException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        return new DrillReport(
                plan.claim(),
                began,
                verdict.passed(),
                verdict.why(),
                findings.snapshot,
                findings.cutTime,
                findings.node,
                plan.check(),
                findings.output,
                findings.phases,
                left);
    }

    /** What was begun is removed also when the wait was interrupted. */
    private Predicate<Duration> always() {
        return time -> {
            if (!pause.test(time)) {
                LockSupport.parkNanos(time.toNanos());
            }
            return true;
        };
    }

    private Verdict verdict(Plan plan, Trial trial, Findings findings, Instant now) {
        Restores restores = new Restores(client, send);
        Optional<ClaimLook> present = ClaimLook.at(client, plan.claim());
        Restores.Target target;
        try {
            target =
                    restores.target(
                            plan.claim(),
                            SnapshotChoice.NEWEST,
                            new NewClaim.Wish(
                                    trial.claim(),
                                    plan.storageClass(),
                                    Optional.empty(),
                                    List.of(),
                                    Optional.empty(),
                                    trial.labels()),
                            any -> true);
        } catch (RefusedException e) {
            return Verdict.failed(e.getMessage());
        }
        NewClaim claim = target.claim();
        findings.snapshot = claim.from().name();
        findings.cutTime = claim.from().snapshot().takenAt();
        Optional<Verdict> unfit =
                Verdict.ofSnapshot(
                        findings.snapshot,
                        findings.cutTime,
                        claim.from().snapshot().claimUid(),
                        present.map(ClaimLook::uid),
                        plan.maxAge(),
                        now);
        if (unfit.isPresent()) {
            return unfit.get();
        }
        if (!target.deletesVolume()) {
            return Verdict.failed(
                    "storage class %s keeps the volumes of deleted claims, so each drill would leave one: give --storage-class one of the same driver with reclaimPolicy Delete"
                            .formatted(claim.storageClass()));
        }
        told.accept(
                "%s is filled from %s, cut at %s"
                        .formatted(trial.claim(), findings.snapshot, findings.cutTime));
        return restore(plan, trial, restores, claim, findings);
    }

    private Verdict restore(
            Plan plan, Trial trial, Restores restores, NewClaim claim, Findings findings) {
        String nonce = UUID.randomUUID().toString();
        Instant begun = clock.instant();
        send.accept(claim.create(nonce, trial.annotations()));
        send.accept(pod(plan, trial, claim, nonce).create());
        Waiting patient = new Waiting(clock, plan.limit(), pause);
        Waiting.End bound =
                patient.until(
                        () ->
                                ClaimLook.at(client, trial.claim())
                                        .filter(look -> !look.isBound())
                                        .isEmpty());
        Instant provisioned = clock.instant();
        if (bound != Waiting.End.OVER) {
            String why = ClaimLook.at(client, trial.claim()).map(restores::why).orElse("");
            return Verdict.failed(
                    "there was no volume %s%s".formatted(when(bound, plan.limit()), colon(why)));
        }
        findings.phases.put("provision", Duration.between(begun, provisioned));
        Waiting.End started =
                patient.until(() -> look(trial).filter(Verdict::hasStarted).isPresent());
        Instant running = clock.instant();
        if (started != Waiting.End.OVER) {
            return Verdict.failed(
                    "the pod did not start %s%s"
                            .formatted(
                                    when(started, plan.limit()),
                                    colon(look(trial).map(Verdict::whyNotStarted).orElse(""))));
        }
        findings.phases.put("start", Duration.between(provisioned, running));
        findings.node =
                look(trial)
                        .map(pod -> Objects.toString(pod.getSpec().getNodeName(), ""))
                        .orElse("");
        Waiting.End ended =
                new Waiting(clock, plan.check().limit(), pause)
                        .until(() -> look(trial).filter(Verdict::hasEnded).isPresent());
        List<String> log = log(trial);
        findings.output = log.stream().filter(line -> !Check.isMark(line)).toList();
        if (ended != Waiting.End.OVER) {
            return Verdict.failed("the check did not end " + when(ended, plan.check().limit()));
        }
        findings.phases.put("check", Duration.between(running, clock.instant()));
        return look(trial)
                .map(pod -> Verdict.of(pod, log, nonce))
                .orElseGet(() -> Verdict.failed("the pod is gone"));
    }

    private static String when(Waiting.End end, Duration limit) {
        return end == Waiting.End.LATE
                ? "within " + Settings.text(limit)
                : "before the drill was interrupted";
    }

    private static String colon(String why) {
        return why.isEmpty() ? "" : ": " + why;
    }

    private RestrictedPod pod(Plan plan, Trial trial, NewClaim claim, String nonce) {
        return new RestrictedPod(
                trial.claim().name(),
                trial.claim(),
                claim.volumeMode().equals("Block"),
                plan.check().image(),
                plan.check().command(nonce),
                plan.check().user(),
                Optional.of(plan.limit().plus(plan.check().limit())),
                Places.besides(client, plan.claim()),
                trial.labels(),
                trial.annotations());
    }

    private Optional<Pod> look(Trial trial) {
        return Optional.ofNullable(
                client.pods()
                        .inNamespace(trial.claim().namespace())
                        .withName(trial.claim().name())
                        .get());
    }

    /** The last lines of what the check wrote; none where the pod is gone. */
    private List<String> log(Trial trial) {
        String text;
        try {
            text =
                    client.pods()
                            .inNamespace(trial.claim().namespace())
                            .withName(trial.claim().name())
                            .inContainer(RestrictedPod.CONTAINER)
                            .tailingLines(LINES)
                            .getLog();
        } catch (KubernetesClientException e) {
            if (e.getCode() != NOT_FOUND) {
                throw e;
            }
            return List.of();
        }
        return Objects.toString(text, "")
                .lines()
                .map(OneLine::of)
                .map(line -> line.length() <= LONGEST_LINE ? line : line.substring(0, LONGEST_LINE))
                .toList();
    }
}
