package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.restore.ClaimLook;
import io.volumesnapshotter.restore.NewClaim;
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

/**
 * Restores the newest snapshot of a claim into a temporary claim, has a pod read it, and removes
 * both. The snapshot is chosen when the drill runs, so that its age is part of what is proven.
 */
public final class Drill {

    /** What its temporary objects are labelled with. */
    static final String PURPOSE = "drill";

    private static final int LINES = 20;
    private static final int NOT_FOUND = 404;
    private static final int LONGEST_LINE = 500;
    private final TrialAccess access;

    public Drill(TrialAccess access) {
        this.access = access;
    }

    /**
     * What is to be proven.
     *
     * @param snapshot which snapshot; empty for the newest
     * @param maxAge how old the data of the newest snapshot may be
     * @param limit how long to wait for the volume, and for the start of the pod
     * @param storageClass the class of the temporary claim, where it is not the claim's own
     */
    public record Plan(
            Claim claim,
            Optional<String> snapshot,
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
        Instant began = access.clock().instant();
        Trial.removeLeftovers(access, plan.claim().namespace());
        Trial trial =
                new Trial(
                        access,
                        plan.claim(),
                        PURPOSE,
                        plan.limit().multipliedBy(2).plus(plan.check().limit()));
        Findings findings = new Findings();
        Verdict verdict;
        List<String> left;
        try {
            verdict = verdict(plan, trial, findings, began);
            left = trial.remove();
        } catch (KubernetesClientException e) {
            try {
                trial.remove();
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

    private Verdict verdict(Plan plan, Trial trial, Findings findings, Instant now) {
        Optional<ClaimLook> present = ClaimLook.at(access.client(), plan.claim());
        Restores.Target target;
        try {
            target =
                    trial.target(
                            plan.claim(),
                            new SnapshotChoice(
                                    Optional.empty(), 0, plan.snapshot(), Optional.empty()),
                            plan.storageClass());
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
                    Trial.keepsVolumes(claim)
                            + " by each drill: give it one of the same driver with reclaimPolicy"
                            + " Delete");
        }
        access.told()
                .accept(
                        "%s is filled from %s, cut at %s"
                                .formatted(trial.claim(), findings.snapshot, findings.cutTime));
        return restore(plan, trial, claim, findings);
    }

    private Verdict restore(Plan plan, Trial trial, NewClaim claim, Findings findings) {
        InstantSource steady = access.steady();
        String nonce = UUID.randomUUID().toString();
        Instant begun = steady.instant();
        trial.make(
                claim,
                new Trial.Work(
                        nonce,
                        plan.check().image(),
                        plan.check().command(nonce),
                        plan.check().user(),
                        plan.limit().plus(plan.check().limit())));
        Waiting patient = access.waiting(plan.limit());
        Waiting.End bound =
                patient.until(
                        () ->
                                ClaimLook.at(access.client(), trial.claim())
                                        .filter(look -> !look.isBound())
                                        .isEmpty());
        Instant provisioned = steady.instant();
        if (bound != Waiting.End.OVER) {
            String why =
                    ClaimLook.at(access.client(), trial.claim())
                            .map(access.restores()::why)
                            .orElse("");
            return Verdict.failed(
                    "there was no volume %s%s".formatted(when(bound, plan.limit()), colon(why)));
        }
        findings.phases.put("provision", Duration.between(begun, provisioned));
        Waiting.End started =
                patient.until(() -> trial.pod().filter(Verdict::hasStarted).isPresent());
        Instant running = steady.instant();
        if (started != Waiting.End.OVER) {
            return Verdict.failed(
                    "the pod did not start %s%s"
                            .formatted(
                                    when(started, plan.limit()),
                                    colon(trial.pod().map(Verdict::whyNotStarted).orElse(""))));
        }
        findings.phases.put("start", Duration.between(provisioned, running));
        findings.node =
                trial.pod()
                        .map(pod -> Objects.toString(pod.getSpec().getNodeName(), ""))
                        .orElse("");
        Waiting.End ended =
                access.waiting(plan.check().limit())
                        .until(() -> trial.pod().filter(Verdict::hasEnded).isPresent());
        List<String> log = log(trial);
        findings.output = log.stream().filter(line -> !Check.isMark(line)).toList();
        if (ended != Waiting.End.OVER) {
            return Verdict.failed("the check did not end " + when(ended, plan.check().limit()));
        }
        findings.phases.put("check", Duration.between(running, steady.instant()));
        return trial.pod()
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

    /** The last lines of what the check wrote; none where the pod is gone. */
    private List<String> log(Trial trial) {
        String text;
        try {
            text =
                    access.client()
                            .pods()
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
