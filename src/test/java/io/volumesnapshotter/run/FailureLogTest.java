package io.volumesnapshotter.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.snapshot.Claim;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FailureLogTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Claim DB = new Claim("shop", "db");

    private final FailureLog failures = new FailureLog();

    @Test
    void onlyTheLastHundredAreKeptToBeLookedAt() {
        IntStream.range(0, 1000).forEach(n -> fail("hourly-" + n, "db-hourly-" + n));
        assertThat(failures.history())
                .hasSize(FailureLog.KEPT)
                .last()
                .extracting(Failure::failures)
                .isEqualTo(1000);
        assertThat(failures.open()).hasSize(1);
    }

    @Test
    void onlyTheLastSnapshotsOfAClaimAreAwaited() {
        IntStream.range(100, 200).forEach(n -> fail("hourly-" + n, "db-hourly-" + n));
        assertThat(failures.expectedLate("hourly", List.of(DB)).get(DB))
                .hasSize(20)
                .contains("db-hourly-199", "db-hourly-180");
    }

    @Test
    void schedulesAndClaimsAreToldApart() {
        fail("hourly-1", "db-hourly-1");
        assertThat(failures.expectedLate("nightly", List.of(DB))).isEmpty();
        assertThat(failures.expectedLate("hourly", List.of(new Claim("shop", "data")))).isEmpty();
        assertThat(failures.expectedLate("hourly", List.of(DB))).containsKey(DB);
    }

    @Test
    void severalFailuresOfOneRunCountOnce() {
        fail("hourly-1", "db-hourly-1");
        fail("hourly-1", "db-hourly-1");
        fail("hourly-2", "db-hourly-2");
        assertThat(failures.open()).extracting(Failure::failures).containsExactly(2);
    }

    @Test
    void whatFailedOfAScheduleThatIsGoneIsForgotten() {
        fail("hourly-1", "db-hourly-1");
        failures.retain("hourly"::equals);
        assertThat(failures.open()).hasSize(1);
        failures.retain("nightly"::equals);
        assertThat(failures.open()).isEmpty();
    }

    private void fail(String run, String snapshot) {
        failures.add(
                new Failure(
                        "hourly",
                        run,
                        "shop",
                        "db",
                        snapshot,
                        "await-ready",
                        "list",
                        1,
                        TEN,
                        TEN,
                        1,
                        "no space",
                        "make some",
                        false),
                snapshot);
    }
}
