package io.volumesnapshotter.soak;

import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.Faults.Boundary;
import io.volumesnapshotter.simulation.SimulatedDriver;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/** How storage and API misbehave during a round of the {@link Soak}. */
final class SoakTrouble {

    private static final Predicate<ApiRequest> ANY = request -> true;

    private SoakTrouble() {}

    /** Storage is quick, slow, late, failing, stuck, or holds what it should delete. */
    static void ofStorage(SimulatedDriver driver, SplittableRandom random) {
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
    static void ofApi(Faults faults, SplittableRandom random, Runnable restart) {
        if (random.nextBoolean()) {
            return;
        }
        for (int i = random.nextInt(4); i >= 0; i--) {
            Predicate<ApiRequest> which = Faults.nth(1 + random.nextInt(60), ANY);
            Boundary boundary = Boundary.values()[random.nextInt(2)];
            switch (random.nextInt(8)) {
                case 0 -> faults.answer(which, 1, ApiAnswer.status(500, "InternalError", "no"));
                case 1 -> faults.answer(which, 1, ApiAnswer.status(503, "Unavailable", "no"));
                case 2 -> faults.answer(which, 1, ApiAnswer.tooManyRequests(1));
                case 3 -> faults.cut(boundary, which, 1);
                case 4 -> faults.cutInsideAnswer(which, 1);
                case 5 -> faults.answerAfterwards(which, 1, ApiAnswer.brokenJson());
                case 6 -> faults.delay(boundary, which, 1, Duration.ofMillis(random.nextInt(1500)));
                default -> faults.hook(Boundary.ANSWERED, which, 1, any -> restart.run());
            }
        }
    }
}
