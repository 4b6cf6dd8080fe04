package io.volumesnapshotter.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClockWatchTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    /** Near the end of the range, as a monotonic clock may be. */
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000_000_000);

    private Instant wall = NOON;
    private final InstantSource steady = new SteadyClock(() -> NOON, nanos::get);
    private final ClockWatch watch = new ClockWatch(() -> wall, steady);

    private void pass(Duration steadily, Duration byTheWall) {
        nanos.addAndGet(steadily.toNanos());
        wall = wall.plus(byTheWall);
    }

    @ParameterizedTest
    @ValueSource(longs = {-7_200_000, -12_000, -1_001, 1_001, 12_000, 7_200_000})
    void aClockThatIsSetIsNoticedOnce(long millis) {
        watch.takeJump();
        pass(Duration.ofMillis(500), Duration.ofMillis(500 + millis));
        assertThat(watch.takeJump()).contains(Duration.ofMillis(millis));
        pass(Duration.ofMillis(500), Duration.ofMillis(500));
        assertThat(watch.takeJump()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"500, 500", "500, 1500", "500, -500", "45000, 45000", "45000, 44978", "0, 0"})
    void aClockThatGoesOnIsNot(long steadily, long byTheWall) {
        watch.takeJump();
        pass(Duration.ofMillis(steadily), Duration.ofMillis(byTheWall));
        assertThat(watch.takeJump()).isEmpty();
    }

    @Test
    void aClockThatIsSlewedIsNot() {
        watch.takeJump();
        for (int i = 0; i < 1000; i++) {
            pass(Duration.ofMillis(500), Duration.ofMillis(540));
            assertThat(watch.takeJump()).isEmpty();
        }
    }

    @Test
    void aReadingThatIsHeldUpSaysNothingAndTheNextTellsAll() {
        ClockWatch slow =
                new ClockWatch(
                        () -> {
                            Instant read = wall;
                            if (read.equals(NOON.plusSeconds(4))) {
                                pass(Duration.ofSeconds(5), Duration.ofSeconds(5));
                            }
                            return read;
                        },
                        steady);
        slow.takeJump();
        pass(Duration.ofSeconds(4), Duration.ofSeconds(4));
        assertThat(slow.takeJump()).isEmpty();
        pass(Duration.ofSeconds(1), Duration.ofSeconds(1));
        assertThat(slow.takeJump()).isEmpty();
        pass(Duration.ofSeconds(1), Duration.ofSeconds(31));
        assertThat(slow.takeJump()).contains(Duration.ofSeconds(30));
    }

    @Test
    void aSteadyClockGoesOnWhateverBecomesOfTheOther() {
        wall = NOON.minusSeconds(7200);
        nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        assertThat(steady.instant()).isEqualTo(NOON.plusSeconds(5));
    }
}
