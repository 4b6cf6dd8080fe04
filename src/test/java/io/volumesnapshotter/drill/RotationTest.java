package io.volumesnapshotter.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose turn it is. */
class RotationTest {

    private static final Instant NOW = Instant.parse("2026-11-22T03:30:00Z");
    private static final Duration DAY = Duration.ofDays(1);

    private final Map<Claim, Proof> proofs = new HashMap<>();

    private static List<Claim> claims(int number) {
        return IntStream.range(0, number)
                .mapToObj(n -> new Claim("apps", "c%02d".formatted(n)))
                .toList();
    }

    private Rotation rotation(int claims, Duration within, Duration interval, int most) {
        return new Rotation(
                new DrillPolicy(
                        within,
                        most,
                        DAY,
                        "image",
                        Optional.empty(),
                        1,
                        DAY,
                        DAY,
                        Optional.empty(),
                        ""),
                Optional.ofNullable(interval),
                claims(claims),
                proofs);
    }

    private void drilled(int claim, int daysAgo, String failed) {
        Claim of = claims(claim + 1).get(claim);
        proofs.put(
                of,
                new Proof(
                        of,
                        Optional.empty(),
                        "",
                        Optional.empty(),
                        Map.of(),
                        NOW.minus(Duration.ofDays(daysAgo)),
                        failed));
    }

    private static String names(List<Claim> claims) {
        return claims.stream().map(Claim::name).collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 7, 1, 1",
        "6, 7, 1, 1",
        "7, 7, 1, 2",
        "20, 7, 1, 4",
        "5, 7, 7, 5",
        "5, 1, 1, 5",
        "10, 30, 7, 3",
    })
    void aRunDrillsAsManyAsItTakes(int claims, int within, int interval, int share) {
        assertThat(
                        rotation(claims, DAY.multipliedBy(within), DAY.multipliedBy(interval), 100)
                                .share())
                .isEqualTo(share);
    }

    /** Whatever number of claims there is: none is ever older than the schedule says. */
    @ParameterizedTest
    @CsvSource({"1, 7", "5, 7", "7, 7", "13, 7", "20, 7", "3, 2", "40, 10"})
    void eachIsDrilledInTime(int claims, int within) {
        Rotation rotation = rotation(claims, DAY.multipliedBy(within), DAY, 100);
        for (int day = 1; day <= 5 * within; day++) {
            Instant due = NOW.plus(DAY.multipliedBy(day));
            rotation.next(due)
                    .forEach(
                            claim ->
                                    proofs.put(
                                            claim,
                                            new Proof(
                                                    claim,
                                                    Optional.of(due),
                                                    "",
                                                    Optional.empty(),
                                                    Map.of(),
                                                    due.plusSeconds(60),
                                                    "")));
            if (day >= within) {
                assertThat(proofs).hasSize(claims);
                assertThat(proofs.values())
                        .allSatisfy(
                                proof ->
                                        assertThat(proof.triedAt())
                                                .isAfter(due.minus(DAY.multipliedBy(within))));
            }
        }
    }

    @Test
    void thoseWhoseLastDrillIsLongestAgoComeFirstAndThoseThatHadNoneBeforeThem() {
        drilled(0, 3, "");
        drilled(1, 5, "");
        drilled(3, 4, "");
        assertThat(names(rotation(4, DAY.multipliedBy(3), DAY, 100).next(NOW)))
                .isEqualTo("c02 c01");
    }

    @Test
    void thoseThatFailedComeBesidesAndTakeNobodysTurn() {
        drilled(0, 1, "no");
        drilled(1, 4, "");
        drilled(2, 3, "");
        drilled(3, 2, "no");
        assertThat(names(rotation(4, DAY.multipliedBy(7), DAY, 100).next(NOW)))
                .isEqualTo("c01 c03 c00");
        assertThat(names(rotation(4, DAY.multipliedBy(7), DAY, 2).next(NOW))).isEqualTo("c01 c03");
    }

    @Test
    void whoeverHadADrillSinceTheRunWasDueHasHadTheTurn() {
        drilled(0, -1, "");
        drilled(1, 4, "");
        drilled(2, 3, "");
        assertThat(names(rotation(3, DAY.multipliedBy(2), DAY, 100).next(NOW)))
                .isEqualTo("c01 c02");
        assertThat(rotation(3, DAY.multipliedBy(7), DAY, 100).next(NOW)).isEmpty();
    }

    @Test
    void withoutACronExpressionARunDrillsAsManyAsItMay() {
        assertThat(rotation(9, DAY, null, 4).next(NOW)).hasSize(4);
        assertThat(rotation(9, DAY, null, 4).fits()).isTrue();
        assertThat(rotation(9, DAY, DAY, 4).fits()).isFalse();
    }
}
