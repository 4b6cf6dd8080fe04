package io.volumesnapshotter.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import io.volumesnapshotter.snapshot.SnapshotBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NewClaimTest {

    private static final Claim DATA = new Claim("apps", "data");
    private static final Claim TARGET = new Claim("apps", "data-restored");
    private static final RecordedClaim NOTHING =
            new RecordedClaim(
                    Optional.empty(),
                    List.of(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
    private static final RecordedClaim WRITTEN =
            new RecordedClaim(
                    Optional.of("fast"),
                    List.of("ReadWriteMany"),
                    Optional.of("Block"),
                    Optional.of("10Gi"),
                    Optional.of("12Gi"));
    private static final RecordedClaim PRESENT =
            new RecordedClaim(
                    Optional.of("slow"),
                    List.of("ReadWriteOnce"),
                    Optional.of("Filesystem"),
                    Optional.of("20Gi"),
                    Optional.of("20Gi"));

    private static Restorable snapshot(String restoreSize, RecordedClaim written) {
        return new Restorable(
                SnapshotBuilder.taken("i", "hourly", DATA, Instant.parse("2026-11-22T07:00:00Z"))
                        .build(),
                Size.read(restoreSize).filter(size -> !size.isZero()),
                written);
    }

    private static NewClaim.Wish wish(String storageClass, String size, String volumeMode) {
        return new NewClaim.Wish(
                TARGET,
                Optional.ofNullable(storageClass),
                Optional.ofNullable(size),
                List.of(),
                Optional.ofNullable(volumeMode),
                Map.of());
    }

    @Test
    void whatIsWrittenOnTheSnapshotIsEnoughWhenTheClaimIsGone() {
        NewClaim made =
                NewClaim.of(NewClaim.Wish.of(TARGET), snapshot("10Gi", WRITTEN), Optional.empty());

        assertThat(made.storageClass()).isEqualTo("fast");
        assertThat(made.accessModes()).containsExactly("ReadWriteMany");
        assertThat(made.volumeMode()).isEqualTo("Block");
        assertThat(made.size()).hasToString("12Gi");
        assertThat(made.sizeFrom()).isEqualTo("the claim's capacity when the snapshot was taken");
    }

    @Test
    void whatIsWrittenGoesBeforeTheClaimThatIsThereNow() {
        NewClaim made =
                NewClaim.of(
                        NewClaim.Wish.of(TARGET), snapshot("10Gi", WRITTEN), Optional.of(PRESENT));

        assertThat(made.storageClass()).isEqualTo("fast");
        assertThat(made.size()).hasToString("12Gi");
    }

    @Test
    void theClaimThatIsThereSaysWhatIsNotWritten() {
        NewClaim made =
                NewClaim.of(
                        NewClaim.Wish.of(TARGET), snapshot("10Gi", NOTHING), Optional.of(PRESENT));

        assertThat(made.storageClass()).isEqualTo("slow");
        assertThat(made.accessModes()).containsExactly("ReadWriteOnce");
        assertThat(made.volumeMode()).isEqualTo("Filesystem");
        assertThat(made.size()).hasToString("20Gi");
        assertThat(made.sizeFrom()).isEqualTo("the claim's capacity now");
    }

    @Test
    void whatIsAskedForGoesBeforeAll() {
        NewClaim.Wish wish =
                new NewClaim.Wish(
                        TARGET,
                        Optional.of("other"),
                        Optional.of("1Ti"),
                        List.of("ReadOnlyMany"),
                        Optional.empty(),
                        Map.of("a", "b"));

        NewClaim made = NewClaim.of(wish, snapshot("10Gi", WRITTEN), Optional.of(PRESENT));

        assertThat(made.storageClass()).isEqualTo("other");
        assertThat(made.accessModes()).containsExactly("ReadOnlyMany");
        assertThat(made.size()).hasToString("1Ti");
        assertThat(made.labels()).containsEntry("a", "b");
    }

    @ParameterizedTest
    @CsvSource({
        "10Gi, 5Gi, 5Gi, 10Gi, the snapshot's restoreSize",
        "10Gi, 11Gi, 12Gi, 12Gi, the claim's capacity when the snapshot was taken",
        "10Gi, 14Gi, 12Gi, 14Gi, what the claim asked for when it was taken",
        "0, 5Gi, 5Gi, 5Gi, the claim's capacity when the snapshot was taken",
        "1073741824, 1Gi, 1Gi, 1073741824, the snapshot's restoreSize",
        ", 5Gi, , 5Gi, what the claim asked for when it was taken",
    })
    void theSizeIsTheLargestThatIsKnown(
            String restoreSize, String request, String capacity, String size, String from) {
        RecordedClaim written =
                new RecordedClaim(
                        Optional.of("fast"),
                        List.of("ReadWriteOnce"),
                        Optional.empty(),
                        Optional.ofNullable(request),
                        Optional.ofNullable(capacity));

        NewClaim made =
                NewClaim.of(
                        NewClaim.Wish.of(TARGET), snapshot(restoreSize, written), Optional.empty());

        assertThat(made.size()).hasToString(size);
        assertThat(made.sizeFrom()).isEqualTo(from);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    10Gi | 9Gi  | 9Gi is less than 10Gi, which is the snapshot's restoreSize
                         | 9Gi  | 9Gi is less than 12Gi, which is the claim's capacity when the snapshot was taken
                    10Gi | much | "much" is no size
                    10Gi | 0    | "0" is no size
                    """)
    void aSizeThatIsTooSmallOrNoneIsRefused(String restoreSize, String size, String words) {
        assertThatThrownBy(
                        () ->
                                NewClaim.of(
                                        wish(null, size, null),
                                        snapshot(restoreSize, WRITTEN),
                                        Optional.empty()))
                .isInstanceOf(RefusedException.class)
                .hasMessage(words);
    }

    @Test
    void aSizeThatIsSmallerThanTheClaimButEnoughForTheSnapshotIsTaken() {
        NewClaim made =
                NewClaim.of(wish(null, "11Gi", null), snapshot("10Gi", WRITTEN), Optional.empty());

        assertThat(made.size()).hasToString("11Gi");
    }

    @Test
    void whatNobodyKnowsIsAskedFor() {
        assertThatThrownBy(
                        () ->
                                NewClaim.of(
                                        NewClaim.Wish.of(TARGET),
                                        snapshot("10Gi", NOTHING),
                                        Optional.empty()))
                .hasMessage(
                        "the storage class is not known: it is not written on snapshot"
                                + " data-hourly-20261122070000, and claim data is gone")
                .extracting(e -> ((RefusedException) e).remedy())
                .asString()
                .startsWith("give --storage-class");
        assertThatThrownBy(
                        () ->
                                NewClaim.of(
                                        wish("fast", null, null),
                                        snapshot("10Gi", NOTHING),
                                        Optional.empty()))
                .hasMessageStartingWith("the access mode is not known");
    }

    @Test
    void aVolumeModeThatDiffersIsRefused() {
        assertThatThrownBy(
                        () ->
                                NewClaim.of(
                                        wish(null, null, "Filesystem"),
                                        snapshot("10Gi", WRITTEN),
                                        Optional.empty()))
                .hasMessage(
                        "snapshot data-hourly-20261122070000 is of volume mode Block, and a claim"
                                + " of mode Filesystem cannot be filled from it");
    }

    @Test
    void anotherNamespaceIsRefused() {
        assertThatThrownBy(
                        () ->
                                NewClaim.of(
                                        NewClaim.Wish.of(new Claim("shop", "data")),
                                        snapshot("10Gi", WRITTEN),
                                        Optional.empty()))
                .hasMessage(
                        "a claim in namespace shop cannot be filled from a snapshot in namespace"
                                + " apps");
    }

    @Test
    void aNameThatIsNoneIsRefused() {
        assertThatThrownBy(
                        () ->
                                NewClaim.of(
                                        NewClaim.Wish.of(new Claim("apps", "Data")),
                                        snapshot("10Gi", WRITTEN),
                                        Optional.empty()))
                .hasMessage("\"Data\" can be no name of a claim");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    fast.csi | fast.csi |
                    fast.csi |          |
                             | fast.csi | there is no storage class fast
                    slow.csi | fast.csi | storage class fast is of driver slow.csi, and snapshot data-hourly-20261122070000 of driver fast.csi
                    """)
    void theClassesHaveToFit(String provisioner, String driver, String words) {
        NewClaim made =
                NewClaim.of(NewClaim.Wish.of(TARGET), snapshot("10Gi", WRITTEN), Optional.empty());
        Runnable check =
                () -> made.check(Optional.ofNullable(provisioner), Optional.ofNullable(driver));
        if (words == null) {
            check.run();
        } else {
            assertThatThrownBy(check::run).hasMessage(words);
        }
    }
}
