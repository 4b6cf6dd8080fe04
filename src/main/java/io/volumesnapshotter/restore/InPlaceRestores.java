package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Restores a claim in place, and undoes it: looks, has the one change carried out that follows from
 * the look, and looks again. It can be killed between any two requests; the same call goes on.
 */
public final class InPlaceRestores {

    private static final int CONFLICT = 409;
    private static final int FAILURES_IN_A_ROW = 5;
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    /** How old the snapshot of what is there may be, to be taken for the one before a restore. */
    private static final Duration FRESH = Duration.ofMinutes(15);

    private final KubernetesClient client;
    private final Consumer<Change> send;
    private final Restores restores;
    private final SafetySnapshots safety;
    private final InPlaceStart start;
    private final ClaimUsers users;
    private final Waiting waiting;
    private final Consumer<String> told;
    private final Consumer<String> waits;

    /**
     * @param send has a change carried out; what fails is thrown
     * @param waiting between looks, and how long in all
     * @param told is told each change once it is carried out
     * @param waits is told what is waited for
     */
    public InPlaceRestores(
            KubernetesClient client,
            Consumer<Change> send,
            Waiting waiting,
            InstantSource clock,
            Consumer<String> told,
            Consumer<String> waits) {
        this.client = client;
        this.send = send;
        this.waiting = waiting;
        this.told = told;
        this.waits = waits;
        restores = new Restores(client, send);
        safety = new SafetySnapshots(client, clock, FRESH);
        users = new ClaimUsers(client);
        start = new InPlaceStart(client, send, restores, safety, users, waiting, told, waits);
    }

    /**
     * What is asked for.
     *
     * @param choice which snapshot; empty where none was said, which goes on with one that is under
     *     way
     * @param image of the pod that has a volume made, where the class needs one
     * @param forced owners that the user answers for, as {@code statefulset/db}
     */
    public record Wish(
            Claim claim,
            Optional<SnapshotChoice> choice,
            Optional<String> image,
            Set<String> forced) {}

    /**
     * What was done.
     *
     * @param snapshot what was restored
     * @param before the snapshot of what was there before
     * @param original the volume that the claim had before
     * @param restored the volume with the restored data; empty when none was made
     * @param isOver false when the wait was interrupted or too long
     */
    public record Result(
            Claim claim,
            String snapshot,
            String cutTime,
            String before,
            String original,
            String restored,
            boolean isOver) {}

    /**
     * Restores in place.
     *
     * @throws RefusedException when it is not safe, or not possible
     */
    public Result restore(Wish wish) {
        Optional<SwapState> found = look(wish.claim());
        if (found.filter(state -> !state.isDone()).isPresent()) {
            Journal journal = found.get().journal();
            if (wish.choice().filter(choice -> !isOf(choice, journal)).isPresent()) {
                throw new RefusedException(
                        "a restore of %s from %s is under way"
                                .formatted(wish.claim(), journal.snapshot()),
                        "go on with it by restore --in-place %s alone, or back by restore --undo %s"
                                .formatted(journal.name(), journal.name()));
            }
            told.accept(
                    "goes on with the restore of %s from %s"
                            .formatted(wish.claim(), journal.snapshot()));
        } else {
            Optional<Result> stopped = patiently(() -> start.begin(wish, look(wish.claim())));
            if (stopped.isPresent()) {
                return stopped.get();
            }
        }
        return run(wish.claim(), Swap::toRestored);
    }

    private boolean isOf(SnapshotChoice choice, Journal journal) {
        Set<String> ofRestores = safety.names(journal.target());
        return choice.of(
                        journal.target(),
                        restores.snapshots(journal.namespace()).stream()
                                .filter(snapshot -> !ofRestores.contains(snapshot.name()))
                                .toList())
                .name()
                .equals(journal.snapshot());
    }

    /**
     * Gives the claim its original volume back, at whatever step a restore in place is.
     *
     * @throws RefusedException when there is nothing to undo, or it is not safe
     */
    public Result undo(Claim claim) {
        if (look(claim).isEmpty()) {
            throw new RefusedException(
                    "nothing is known of a restore in place of " + claim,
                    "look with kubectl get pv -L " + Journal.LABEL + "," + Journal.ROLE);
        }
        return run(claim, Swap::toOriginal);
    }

    /** Does something again that failed in a way that heals. */
    private <T> T patiently(Supplier<T> attempt) {
        Progress progress = new Progress();
        while (true) {
            try {
                return attempt.get();
            } catch (KubernetesClientException e) {
                progress.failure(e);
                if (!waiting.pause().test(AFTER_FAILURE)) {
                    throw e;
                }
            }
        }
    }

    private Result run(Claim claim, Function<SwapState, Next> decide) {
        Progress progress = new Progress();
        Waiting.End end =
                waiting.until(
                        () -> {
                            try {
                                return step(claim, decide, progress);
                            } catch (KubernetesClientException e) {
                                progress.failure(e);
                                return false;
                            }
                        });
        Result last = progress.result();
        return end == Waiting.End.OVER ? over(last) : last;
    }

    /** How far it is, and what failed last. */
    private static final class Progress {

        private Result result;
        private int failures;
        private KubernetesClientException failure;

        private void failure(KubernetesClientException e) {
            boolean heals = ApiErrors.isOutage(e) || e.getCode() == CONFLICT;
            if (!heals || ++failures > FAILURES_IN_A_ROW) {
                throw e;
            }
            failure = e;
        }

        private Result result() {
            if (result == null) {
                throw failure;
            }
            return result;
        }
    }

    /** Takes steps until there is nothing to do but wait, or nothing at all. */
    private boolean step(Claim claim, Function<SwapState, Next> decide, Progress progress) {
        while (true) {
            SwapState state = look(claim).orElse(null);
            if (state == null) {
                return true;
            }
            progress.result = result(state, progress.result);
            Next next = decide.apply(state);
            if (next instanceof Next.Do change) {
                send.accept(change.change());
                progress.failures = 0;
                told.accept(change.words());
            } else {
                progress.failures = 0;
                if (next instanceof Next.Wait wait) {
                    waits.accept(wait.words());
                }
                return next instanceof Next.Done;
            }
        }
    }

    private static Result result(SwapState state, Result before) {
        Journal journal = state.journal();
        return new Result(
                journal.target(),
                journal.snapshot(),
                journal.cutTime(),
                journal.before(),
                state.original().name(),
                state.restored()
                        .map(VolumeLook::name)
                        .orElse(before == null ? "" : before.restored()),
                false);
    }

    private static Result over(Result last) {
        return new Result(
                last.claim(),
                last.snapshot(),
                last.cutTime(),
                last.before(),
                last.original(),
                last.restored(),
                true);
    }

    /** Everything that is known of a restore in place of a claim; empty when there is none. */
    private Optional<SwapState> look(Claim claim) {
        List<VolumeLook> marked =
                client
                        .persistentVolumes()
                        .withLabel(Journal.LABEL, Journal.label(claim))
                        .list()
                        .getItems()
                        .stream()
                        .map(VolumeLook::new)
                        .toList();
        Optional<VolumeLook> original =
                marked.stream()
                        .filter(volume -> Journal.ORIGINAL.equals(volume.label(Journal.ROLE)))
                        .filter(
                                volume ->
                                        Journal.of(volume)
                                                .filter(j -> j.target().equals(claim))
                                                .isPresent())
                        .findFirst();
        if (original.isEmpty()) {
            return Optional.empty();
        }
        Journal journal = Journal.of(original.get()).orElseThrow();
        Optional<ClaimLook> temporary = ClaimLook.at(client, journal.temporaryClaim());
        Optional<VolumeLook> restored =
                marked.stream()
                        .filter(volume -> Journal.RESTORED.equals(volume.label(Journal.ROLE)))
                        .findFirst()
                        .or(
                                () ->
                                        temporary
                                                .filter(ClaimLook::isBound)
                                                .flatMap(ClaimLook::volume)
                                                .flatMap(name -> VolumeLook.at(client, name)));
        return Optional.of(
                new SwapState(
                        journal,
                        ClaimLook.at(client, claim),
                        original.get(),
                        restored,
                        temporary,
                        pod(journal),
                        users.pods(claim)));
    }

    private Optional<SwapState.PodLook> pod(Journal journal) {
        if (!journal.waitsForPod()) {
            return Optional.empty();
        }
        Pod found =
                client.pods().inNamespace(journal.namespace()).withName(journal.temporary()).get();
        return Optional.ofNullable(found)
                .map(
                        pod ->
                                new SwapState.PodLook(
                                        pod.getMetadata().getName(),
                                        pod.getMetadata().getUid(),
                                        pod.getMetadata().getResourceVersion(),
                                        pod.getMetadata().getDeletionTimestamp() != null));
    }
}
