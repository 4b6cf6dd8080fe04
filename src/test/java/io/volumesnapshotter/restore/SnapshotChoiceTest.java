package io.volumesnapshotter.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotChoiceTest {

    private static final Claim DATA = new Claim("apps", "data");
    private static final Claim LOGS = new Claim("apps", "logs");

    private static Instant at(int hour) {
        return Instant.parse("2026-11-22T%02d:00:00Z".formatted(hour));
    }

    private static SnapshotBuilder taken(int hour) {
        return SnapshotBuilder.taken("i", "hourly", DATA, at(hour));
    }

    private static Restorable of(Snapshot snapshot) {
        return new Restorable(
                snapshot,
                Size.read("1Gi"),
                new RecordedClaim(
                        Optional.empty(),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()));
    }

    private static SnapshotChoice at(String time) {
        return new SnapshotChoice(
                Optional.of(Instant.parse(time)), 0, Optional.empty(), Optional.empty());
    }

    private static SnapshotChoice named(String name) {
        return new SnapshotChoice(Optional.empty(), 0, Optional.of(name), Optional.empty());
    }

    private static List<Restorable> three() {
        return List.of(of(taken(9).build()), of(taken(7).build()), of(taken(8).build()));
    }

    @Test
    void theNewestIsChosen() {
        assertThat(SnapshotChoice.NEWEST.of(DATA, three()).snapshot().takenAt()).isEqualTo(at(9));
    }

    @ParameterizedTest
    @CsvSource({
        "2026-11-22T09:00:00Z, 9",
        "2026-11-22T08:59:59Z, 8",
        "2026-11-22T08:00:00Z, 8",
        "2026-11-22T07:00:01Z, 7",
    })
    void asOfATimeTheLastOneThatWasCutByThenIsChosen(String time, int hour) {
        assertThat(at(time).of(DATA, three()).snapshot().takenAt()).isEqualTo(at(hour));
    }

    @Test
    void theTimeIsThatOfTheCutAndNotOfTheObject() {
        Restorable cutLate = of(taken(7).cut(Instant.parse("2026-11-22T07:40:00Z")).build());

        assertThatThrownBy(() -> at("2026-11-22T07:30:00Z").of(DATA, List.of(cutLate)))
                .isInstanceOf(RefusedException.class);
        assertThat(at("2026-11-22T07:40:00Z").of(DATA, List.of(cutLate))).isEqualTo(cutLate);
    }

    @Test
    void aTimeBeforeTheFirstIsRefusedAndTheFirstIsNamed() {
        assertThatThrownBy(() -> at("2026-11-22T06:00:00Z").of(DATA, three()))
                .hasMessage("apps/data has no ready snapshot of 2026-11-22T06:00:00Z or before")
                .extracting(e -> ((RefusedException) e).remedy())
                .isEqualTo(
                        "the first is data-hourly-20261122070000, cut at 2026-11-22T07:00:00Z:"
                                + " give a time from then on");
    }

    @Test
    void anOffsetCountsBackFromTheNewest() {
        SnapshotChoice second =
                new SnapshotChoice(Optional.empty(), 1, Optional.empty(), Optional.empty());
        SnapshotChoice fourth =
                new SnapshotChoice(Optional.empty(), 3, Optional.empty(), Optional.empty());

        assertThat(second.of(DATA, three()).snapshot().takenAt()).isEqualTo(at(8));
        assertThatThrownBy(() -> fourth.of(DATA, three()))
                .hasMessageContaining("has only 3 ready snapshots")
                .extracting(e -> ((RefusedException) e).remedy())
                .isEqualTo("give an offset of at most 2");
    }

    @Test
    void whatIsNotReadyOrGoesIsPassedOver() {
        List<Restorable> snapshots =
                List.of(
                        of(taken(9).unready().build()),
                        of(taken(8).terminating().build()),
                        of(taken(7).build()));

        assertThat(SnapshotChoice.NEWEST.of(DATA, snapshots).snapshot().takenAt()).isEqualTo(at(7));
    }

    @Test
    void noneThatIsReadyIsRefusedWithTheDriversWords() {
        Restorable failed = of(taken(9).failed("no space left").build());

        assertThatThrownBy(() -> SnapshotChoice.NEWEST.of(DATA, List.of(failed)))
                .hasMessage(
                        "no snapshot of apps/data can be restored: of 1, the newest is"
                                + " data-hourly-20261122090000, and it is not ready: no space"
                                + " left");
    }

    @Test
    void noneAtAllIsRefused() {
        assertThatThrownBy(() -> SnapshotChoice.NEWEST.of(LOGS, three()))
                .hasMessage("there is no snapshot of apps/logs");
    }

    @Test
    void onlyThoseOfAScheduleAreChosenFrom() {
        Restorable nightly = of(SnapshotBuilder.taken("i", "nightly", DATA, at(2)).build());
        List<Restorable> all = List.of(nightly, of(taken(9).build()));
        SnapshotChoice ofNightly =
                new SnapshotChoice(Optional.empty(), 0, Optional.empty(), Optional.of("nightly"));

        assertThat(ofNightly.of(DATA, all)).isEqualTo(nightly);
        assertThatThrownBy(() -> ofNightly.of(DATA, three()))
                .hasMessage("there is no snapshot of apps/data by schedule nightly");
    }

    @Test
    void theNamedOneIsChosen() {
        String name = "data-hourly-20261122070000";

        assertThat(named(name).of(DATA, three()).name()).isEqualTo(name);
    }

    @Test
    void oneThatIsNotProvenConsistentIsRefusedUntilSomebodySaysThatItWillDo() {
        Restorable unproven = of(taken(6).unproven().build());

        assertThatThrownBy(() -> named(unproven.name()).of(DATA, List.of(unproven)))
                .hasMessageContaining("it is not proven to be consistent")
                .hasMessageContaining("annotate it with volume-snapshotter/consistent=true");
    }

    @Test
    void aNameOfNoneOfAnotherClaimsOrOfOneThatGoesIsRefused() {
        Restorable goes = of(taken(6).terminating().build());

        assertThatThrownBy(() -> named("nothing").of(DATA, three()))
                .hasMessage("there is no snapshot nothing in namespace apps");
        assertThatThrownBy(() -> named("data-hourly-20261122070000").of(LOGS, three()))
                .hasMessage("snapshot data-hourly-20261122070000 is of claim data, not of logs");
        assertThatThrownBy(() -> named(goes.name()).of(DATA, List.of(goes)))
                .hasMessage(
                        "snapshot data-hourly-20261122060000 cannot be restored: it is being"
                                + " deleted");
    }
}
