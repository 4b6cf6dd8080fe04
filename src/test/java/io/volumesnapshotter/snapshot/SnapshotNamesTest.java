package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.settings.ObjectNames;
import java.time.Instant;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;

class SnapshotNamesTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final long YEAR_9999 = 253_402_300_799L;

    @Example
    void aSnapshotIsNamedAfterClaimScheduleAndFireTimeInUtc() {
        assertThat(SnapshotNames.snapshot("data", "hourly", TEN))
                .isEqualTo("data-hourly-20261122100000");
    }

    @Example
    void aScheduleWithADashCannotBeTakenForPartOfTheClaim() {
        assertThat(SnapshotNames.snapshot("data", "db-hourly", TEN))
                .startsWith("data-db-hourly-20261122100000-")
                .isNotEqualTo(SnapshotNames.snapshot("data-db", "hourly", TEN));
    }

    @Example
    void aNameThatWouldBeTooLongIsCutAndHashed() {
        String left = "a".repeat(252) + "b";
        String right = "a".repeat(252) + "c";
        assertThat(SnapshotNames.snapshot(left, "hourly", TEN)).hasSizeLessThanOrEqualTo(253);
        assertThat(SnapshotNames.snapshot(left, "hourly", TEN))
                .isNotEqualTo(SnapshotNames.snapshot(right, "hourly", TEN));
    }

    @Property(tries = 5_000)
    void everyNameIsOneThatKubernetesTakes(
            @ForAll("claims") String claim,
            @ForAll("schedules") String schedule,
            @ForAll @LongRange(min = 0, max = YEAR_9999) long second) {
        Instant fireTime = Instant.ofEpochSecond(second);
        assertThat(ObjectNames.isSubdomain(SnapshotNames.snapshot(claim, schedule, fireTime)))
                .isTrue();
        assertThat(SnapshotNames.run(schedule, fireTime)).hasSizeLessThanOrEqualTo(63);
    }

    @Property(tries = 5_000)
    void differentClaimsOrSchedulesNeverShareAName(
            @ForAll("claims") String claim,
            @ForAll("schedules") String schedule,
            @ForAll("claims") String otherClaim,
            @ForAll("schedules") String otherSchedule) {
        Assume.that(!claim.equals(otherClaim) || !schedule.equals(otherSchedule));
        assertThat(SnapshotNames.snapshot(claim, schedule, TEN))
                .isNotEqualTo(SnapshotNames.snapshot(otherClaim, otherSchedule, TEN));
    }

    @Example
    void namesThatKubernetesRefusesAreRefused() {
        assertThat(ObjectNames.isSubdomain("A_b")).isFalse();
        assertThat(ObjectNames.isSubdomain("a..b")).isFalse();
        assertThat(ObjectNames.isSubdomain("a".repeat(254))).isFalse();
        assertThat(ObjectNames.isSubdomain("a.b-c")).isTrue();
        assertThat(ObjectNames.isLabel("a.b")).isFalse();
        assertThat(ObjectNames.isLabel("a".repeat(64))).isFalse();
        assertThat(SnapshotNames.isSchedule("a".repeat(49))).isFalse();
        assertThat(SnapshotNames.isSchedule("a".repeat(48))).isTrue();
    }

    @Provide
    Arbitrary<String> claims() {
        Arbitrary<String> few =
                Arbitraries.strings().withChars("ab-.").ofMinLength(1).ofMaxLength(5);
        Arbitrary<String> any =
                Arbitraries.strings().withCharRange('a', 'z').withChars("0-.").ofMaxLength(253);
        return Arbitraries.oneOf(few, any).filter(ObjectNames::isSubdomain);
    }

    @Provide
    Arbitrary<String> schedules() {
        Arbitrary<String> few =
                Arbitraries.strings().withChars("ab-").ofMinLength(1).ofMaxLength(4);
        Arbitrary<String> any =
                Arbitraries.strings().withCharRange('a', 'z').withChars("0-").ofMaxLength(48);
        return Arbitraries.oneOf(few, any).filter(SnapshotNames::isSchedule);
    }
}
