package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;

class NamesTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final long YEAR_9999 = 253_402_300_799L;

    @Example
    void aSnapshotIsNamedAfterClaimScheduleAndFireTimeInUtc() {
        assertThat(Names.snapshot("data", "hourly", TEN)).isEqualTo("data-hourly-20261122100000");
    }

    @Example
    void aScheduleWithADashCannotBeTakenForPartOfTheClaim() {
        assertThat(Names.snapshot("data", "db-hourly", TEN))
                .startsWith("data-db-hourly-20261122100000-")
                .isNotEqualTo(Names.snapshot("data-db", "hourly", TEN));
    }

    @Example
    void aNameThatWouldBeTooLongIsCutAndHashed() {
        String left = "a".repeat(252) + "b";
        String right = "a".repeat(252) + "c";
        assertThat(Names.snapshot(left, "hourly", TEN)).hasSizeLessThanOrEqualTo(253);
        assertThat(Names.snapshot(left, "hourly", TEN))
                .isNotEqualTo(Names.snapshot(right, "hourly", TEN));
    }

    @Property(tries = 5_000)
    void everyNameIsOneThatKubernetesTakes(
            @ForAll("claims") String claim,
            @ForAll("schedules") String schedule,
            @ForAll @LongRange(min = 0, max = YEAR_9999) long second) {
        Instant fireTime = Instant.ofEpochSecond(second);
        assertThat(Names.isSubdomain(Names.snapshot(claim, schedule, fireTime))).isTrue();
        assertThat(Names.run(schedule, fireTime)).hasSizeLessThanOrEqualTo(63);
    }

    @Property(tries = 5_000)
    void differentClaimsOrSchedulesNeverShareAName(
            @ForAll("claims") String claim,
            @ForAll("schedules") String schedule,
            @ForAll("claims") String otherClaim,
            @ForAll("schedules") String otherSchedule) {
        Assume.that(!claim.equals(otherClaim) || !schedule.equals(otherSchedule));
        assertThat(Names.snapshot(claim, schedule, TEN))
                .isNotEqualTo(Names.snapshot(otherClaim, otherSchedule, TEN));
    }

    @Example
    void namesThatKubernetesRefusesAreRefused() {
        assertThat(Names.isSubdomain("A_b")).isFalse();
        assertThat(Names.isSubdomain("a..b")).isFalse();
        assertThat(Names.isSubdomain("a".repeat(254))).isFalse();
        assertThat(Names.isSubdomain("a.b-c")).isTrue();
        assertThat(Names.isLabel("a.b")).isFalse();
        assertThat(Names.isLabel("a".repeat(64))).isFalse();
        assertThat(Names.isSchedule("a".repeat(49))).isFalse();
        assertThat(Names.isSchedule("a".repeat(48))).isTrue();
    }

    @Provide
    Arbitrary<String> claims() {
        Arbitrary<String> few =
                Arbitraries.strings().withChars("ab-.").ofMinLength(1).ofMaxLength(5);
        Arbitrary<String> any =
                Arbitraries.strings().withCharRange('a', 'z').withChars("0-.").ofMaxLength(253);
        return Arbitraries.oneOf(few, any).filter(Names::isSubdomain);
    }

    @Provide
    Arbitrary<String> schedules() {
        Arbitrary<String> few =
                Arbitraries.strings().withChars("ab-").ofMinLength(1).ofMaxLength(4);
        Arbitrary<String> any =
                Arbitraries.strings().withCharRange('a', 'z').withChars("0-").ofMaxLength(48);
        return Arbitraries.oneOf(few, any).filter(Names::isSchedule);
    }
}
