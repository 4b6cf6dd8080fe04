package io.volumesnapshotter.drill;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.volumesnapshotter.settings.OneLine;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Whether a drill passed. It passed only when its check was seen to start, to end with code 0, and
 * to say so itself; everything else is a failure.
 *
 * @param passed whether it did
 * @param why what failed; empty when it passed
 */
record Verdict(boolean passed, String why) {

    static Verdict failed(String why) {
        return new Verdict(false, why);
    }

    /**
     * Of a snapshot, before anything is made.
     *
     * @param cut when its data was cut
     * @param ofUid the uid of the claim that it was taken of, or null where that is not known
     * @param presentUid the uid of the claim of that name that is there now, if there is one
     * @return empty when it is worth a try
     */
    static Optional<Verdict> ofSnapshot(
            String name,
            Instant cut,
            String ofUid,
            Optional<String> presentUid,
            Duration maxAge,
            Instant now) {
        if (cut.isBefore(now.minus(maxAge))) {
            return Optional.of(
                    failed(
                            "the newest snapshot, %s, was cut at %s, which is longer ago than %s"
                                    .formatted(name, cut, words(maxAge))));
        }
        if (ofUid != null && presentUid.isPresent() && !ofUid.equals(presentUid.get())) {
            return Optional.of(
                    failed(
                            "the newest snapshot, %s, is of an earlier claim of that name, which was deleted"
                                    .formatted(name)));
        }
        return Optional.empty();
    }

    private static String words(Duration duration) {
        return io.volumesnapshotter.settings.Settings.text(duration);
    }

    private static Optional<ContainerState> state(Pod pod) {
        return Optional.ofNullable(pod.getStatus())
                .map(status -> status.getContainerStatuses())
                .flatMap(statuses -> statuses.stream().findFirst())
                .map(ContainerStatus::getState);
    }

    /** Whether the pod's container has started, whatever became of it. */
    static boolean hasStarted(Pod pod) {
        return state(pod)
                .filter(state -> state.getRunning() != null || state.getTerminated() != null)
                .isPresent();
    }

    /** Whether the pod's container has ended. */
    static boolean hasEnded(Pod pod) {
        return state(pod).filter(state -> state.getTerminated() != null).isPresent();
    }

    /** Why a pod has not started, as far as it says; empty when it says nothing. */
    static String whyNotStarted(Pod pod) {
        return state(pod)
                .map(ContainerState::getWaiting)
                .map(
                        waiting ->
                                Objects.toString(waiting.getReason(), "")
                                        + (waiting.getMessage() == null
                                                ? ""
                                                : ": " + OneLine.of(waiting.getMessage())))
                .or(() -> whyNotPlaced(pod))
                .orElse("");
    }

    private static Optional<String> whyNotPlaced(Pod pod) {
        return Optional.ofNullable(pod.getStatus())
                .flatMap(
                        status ->
                                status.getConditions().stream()
                                        .filter(c -> "PodScheduled".equals(c.getType()))
                                        .filter(c -> "False".equals(c.getStatus()))
                                        .findFirst())
                .map(condition -> OneLine.of(Objects.toString(condition.getMessage(), "")));
    }

    /**
     * Of a pod whose container has ended.
     *
     * @param log what it wrote
     * @param nonce what its command was given
     */
    static Verdict of(Pod pod, List<String> log, String nonce) {
        Integer code =
                state(pod)
                        .map(ContainerState::getTerminated)
                        .map(ended -> ended.getExitCode())
                        .orElse(null);
        if (code == null) {
            return failed("the check was not seen to end");
        }
        if (code != 0) {
            return failed("the check ended with code " + code);
        }
        return log.contains(Check.ended(nonce))
                ? new Verdict(true, "")
                : failed("the pod ended with code 0, but the check did not run to its end in it");
    }
}
