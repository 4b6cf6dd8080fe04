package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HoldTest {

    private static final Claim DATA = new Claim("shop", "data");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");

    private static final Keep LAST =
            new Keep(
                    OptionalInt.of(1),
                    Optional.empty(),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    1);

    @ParameterizedTest(name = "hold: {0}, until: {1}")
    @CsvSource(
            nullValues = "-",
            textBlock =
                    """
                    -,     -,                          false
                    true,  -,                          true
                    false, -,                          false
                    -,     2026-11-22T10:00:01Z,       true
                    -,     2026-11-22T10:00:00Z,       false
                    true,  2026-11-22T10:00:01Z,       true
                    true,  2026-11-22T10:00:00Z,       false
                    false, 2026-11-22T10:00:01Z,       true
                    -,     2026-11-22T12:00:01+02:00,  true
                    -,     2026-11-22T12:00:00+02:00,  false
                    -,     tomorrow,                   true
                    true,  '',                         true
                    """)
    void aHoldWithAnEndEndsByItselfAndOneWithoutDoesNot(String hold, String until, boolean holds) {
        assertThat(Hold.of(hold, until, null).isAt(TEN)).isEqualTo(holds);
    }

    @Test
    void whatIsHeldStaysUntilTheHoldEnds() {
        Snapshot held = at(8).heldUntil("2026-11-22T10:00:00Z").build();
        List<Snapshot> history = List.of(held, at(9).build());
        assertThat(reason(history, held, TEN.minusSeconds(1)))
                .isEqualTo("held until 2026-11-22T10:00:00Z");
        assertThat(reason(history, held, TEN)).isEqualTo("no rule keeps it");
    }

    @Test
    void anEndThatIsNoTimeIsToldAndHolds() {
        Snapshot held = at(8).heldUntil("soon").build();
        assertThat(reason(List.of(held, at(9).build()), held, TEN))
                .isEqualTo("held: hold-until is not a time");
    }

    private static String reason(List<Snapshot> history, Snapshot of, Instant now) {
        return Retention.decide(history, LAST, ZoneOffset.UTC, now).stream()
                .filter(decision -> decision.snapshot().equals(of))
                .findAny()
                .orElseThrow()
                .reason();
    }

    private static SnapshotBuilder at(int hour) {
        return SnapshotBuilder.taken(
                "shop.volume-snapshotter",
                "hourly",
                DATA,
                Instant.parse("2026-11-22T%02d:00:00Z".formatted(hour)));
    }
}
