package io.volumesnapshotter.run;

import static io.volumesnapshotter.run.ClaimProgress.Phase.FAILED;
import static io.volumesnapshotter.run.ClaimProgress.Phase.READY;
import static io.volumesnapshotter.run.ClaimProgress.Phase.REFUSED;
import static io.volumesnapshotter.run.ClaimProgress.Phase.REQUESTED;
import static io.volumesnapshotter.run.ClaimProgress.Phase.WAITING;
import static io.volumesnapshotter.run.ClaimProgress.Phase.WATCHED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.volumesnapshotter.run.ClaimProgress.Phase;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each transition of a claim's snapshot in a run, from each phase. */
class ClaimProgressTest {

    /** How each phase is reached. */
    private static final Map<Phase, List<Consumer<ClaimProgress>>> WAYS =
            Map.of(
                    WAITING, List.of(),
                    REFUSED, List.of(p -> p.markRefused("exceeded quota")),
                    REQUESTED, List.of(p -> p.markRequested(true)),
                    READY, List.of(p -> p.markRequested(true), ClaimProgress::markReady),
                    WATCHED,
                            List.of(
                                    p -> p.markRequested(true),
                                    p -> p.markWatched(Instant.EPOCH),
                                    ClaimProgress::markFailureTold),
                    FAILED, List.of(p -> p.markRequested(true), ClaimProgress::markFailureTold));

    private static ClaimProgress in(Phase phase) {
        ClaimProgress progress = new ClaimProgress();
        WAYS.get(phase).forEach(step -> step.accept(progress));
        assertThat(progress.phase()).isEqualTo(phase);
        return progress;
    }

    static Stream<Arguments> transitions() {
        Consumer<ClaimProgress> requested = progress -> progress.markRequested(true);
        Consumer<ClaimProgress> refused = progress -> progress.markRefused("exceeded quota");
        Consumer<ClaimProgress> ready = ClaimProgress::markReady;
        Consumer<ClaimProgress> watched = progress -> progress.markWatched(Instant.EPOCH);
        Consumer<ClaimProgress> lost = ClaimProgress::markLost;
        Consumer<ClaimProgress> told = ClaimProgress::markFailureTold;
        Consumer<ClaimProgress> retried = progress -> progress.markRetried("HTTP 500");
        return Stream.of(
                arguments("requested", WAITING, requested, REQUESTED),
                arguments("requested", REFUSED, requested, REQUESTED),
                arguments("requested", REQUESTED, requested, REQUESTED),
                arguments("requested after it was told failed", FAILED, requested, FAILED),
                arguments("requested after it was ready", READY, requested, READY),
                arguments("refused", WAITING, refused, REFUSED),
                arguments("refused again", REFUSED, refused, REFUSED),
                arguments("refused after it was told failed", FAILED, refused, FAILED),
                arguments("ready", REQUESTED, ready, READY),
                arguments("ready before its answer came", WAITING, ready, READY),
                arguments("ready after all", WATCHED, ready, READY),
                arguments("refused for good", REQUESTED, watched, WATCHED),
                arguments("gone", READY, lost, FAILED),
                arguments("watched long enough", WATCHED, lost, FAILED),
                arguments("failed", WAITING, told, FAILED),
                arguments("failed", REFUSED, told, FAILED),
                arguments("failed", REQUESTED, told, FAILED),
                arguments("failed in pruning", READY, told, READY),
                arguments("failed and watched", WATCHED, told, WATCHED),
                arguments("sent again", WAITING, retried, WAITING));
    }

    @ParameterizedTest(name = "{0}: {1} -> {3}")
    @MethodSource("transitions")
    void goesFromOnePhaseToAnother(
            String what, Phase before, Consumer<ClaimProgress> transition, Phase after) {
        ClaimProgress progress = in(before);
        transition.accept(progress);
        assertThat(progress.phase()).as(what).isEqualTo(after);
    }

    @Test
    void whatWasToldOfItsDriverIsOverWhenItIsReadyAfterAll() {
        ClaimProgress progress = in(WATCHED);
        progress.markReady();
        assertThat(progress.isFailureTold()).isFalse();
    }

    @Test
    void whatFailedInPruningStaysToldThoughItIsReady() {
        ClaimProgress progress = in(READY);
        progress.markFailureTold();
        progress.markReady();
        assertThat(progress.isFailureTold()).isTrue();
    }

    @Test
    void aNameThatAnotherInstallationHasIsAskedForAnew() {
        ClaimProgress progress = in(REQUESTED);
        progress.markListing();
        progress.markNameTaken();
        assertThat(progress.isNameTaken()).isTrue();
        assertThat(progress.requests()).isZero();
        assertThat(progress.requestsBeforeLook()).isZero();
    }
}
