package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whose a snapshot is. */
class OwnershipTest {

    private static final Claim DATA = new Claim("shop", "data");
    private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Ownership OURS = new Ownership("a.snapshotter", "hourly");

    private static SnapshotBuilder of(String installation, Instant due) {
        return SnapshotBuilder.taken(installation, "hourly", DATA, due);
    }

    private static SnapshotBuilder early(Instant due) {
        return of("", due).without(SnapshotLabels.INSTALLATION);
    }

    @Test
    void whatItsScheduleTookIsAnInstallationsOwn() {
        Snapshot ours = of("a.snapshotter", NINE).build();
        assertThat(OURS.own(List.of(ours))).containsExactly(ours);
    }

    @Test
    void whatAnotherInstallationTookIsNotThoughAllElseIsTheSame() {
        assertThat(OURS.own(List.of(of("b.snapshotter", NINE).build()))).isEmpty();
    }

    @Test
    void whatAnotherScheduleTookIsNot() {
        Snapshot nightly = SnapshotBuilder.taken("a.snapshotter", "nightly", DATA, NINE).build();
        assertThat(OURS.own(List.of(nightly))).isEmpty();
    }

    @Test
    void aPersonsCopyUnderAnotherNameIsNotThoughItHasAllLabels() {
        Snapshot copy = of("a.snapshotter", NINE).as("before-upgrade", NINE).build();
        assertThat(OURS.own(List.of(copy))).isEmpty();
    }

    @Test
    void aNameOfAnotherRunIsNotTheRunsThatTheLabelSays() {
        String ofTen = SnapshotNames.snapshot("data", "hourly", TEN);
        assertThat(OURS.own(List.of(of("a.snapshotter", NINE).as(ofTen, NINE).build()))).isEmpty();
    }

    @Test
    void theNameThatItTakesWhereAnotherInstallationHasThePlainOneIsItsOwn() {
        String name = SnapshotNames.snapshot("data", "hourly", NINE, "a.snapshotter");
        Snapshot ours = of("a.snapshotter", NINE).as(name, NINE).build();
        assertThat(OURS.own(List.of(ours, of("b.snapshotter", NINE).build())))
                .containsExactly(ours);
    }

    @Test
    void whatHasNoLabelOfAnInstallationIsTakenOver() {
        Snapshot early = early(NINE).build();
        assertThat(OURS.own(List.of(early, of("a.snapshotter", TEN).build()))).hasSize(2);
    }

    @Test
    void whatHasNoLabelStaysWhereAnotherInstallationTakesTheSame() {
        Snapshot ours = of("a.snapshotter", TEN).build();
        assertThat(OURS.own(List.of(early(NINE).build(), ours, of("b.snapshotter", TEN).build())))
                .containsExactly(ours);
    }
}
