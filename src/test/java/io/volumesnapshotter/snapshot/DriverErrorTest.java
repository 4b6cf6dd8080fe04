package io.volumesnapshotter.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DriverErrorTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io"
                        + " \"nope\" not found",
                "Failed to set default snapshot class with error cannot find default snapshot class",
                "Failed to set default snapshot class with error 2 default snapshot classes were found",
                "Failed to take snapshot: rpc error: code = InvalidArgument desc = no such volume",
                "rpc error: code = Unimplemented desc = ",
                "rpc error: code = PermissionDenied desc = key revoked"
            })
    void whatStaysEndsTheWait(String message) {
        assertThat(DriverError.isFinal(message)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Operation cannot be fulfilled on volumesnapshotcontents: the object has been modified",
                "rpc error: code = Canceled desc = context canceled",
                "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
                "rpc error: code = Unavailable desc = connection refused",
                "rpc error: code = ResourceExhausted desc = pool is full",
                "rpc error: code = Aborted desc = operation in progress",
                "rpc error: code = Internal desc = InvalidArgument is not the code here",
                "the PVC data is not yet bound to a PV",
                "something that no one has seen before"
            })
    void whatMayPassDoesNot(String message) {
        assertThat(DriverError.isFinal(message)).isFalse();
    }

    @Test
    void theSameWordsWithAnotherRequestIdAreTheSame() {
        String first =
                "api error RequestLimitExceeded: RequestID: 6bb2a3c1-0c5e-4d6f-9b1a-2f0d8e7c6b5a";
        String again =
                "api error RequestLimitExceeded: RequestID: 0f9e8d7c-1b2a-4c3d-8e4f-5a6b7c8d9e0f";
        assertThat(DriverError.areSame(first, again)).isTrue();
        assertThat(DriverError.areSame(first, "api error InternalError: RequestID: 1")).isFalse();
        assertThat(DriverError.areSame(first, null)).isFalse();
    }

    @ParameterizedTest(name = "{0} and {1}: {2}")
    @CsvSource({
        "abc, abc, true",
        "abc, abd, false",
        "id 12ab-7, id, false",
        "id 12ab-7, id ff-00-1, true",
        "took 3 s, took 14 s, true",
        "deed 1, dead 1, false",
        "x1y, xy, true",
        "vol-face is gone, vol-beef is gone, false",
        "vol-face0 is gone, vol-beef7 is gone, true"
    })
    void onlyRunsOfHexadecimalDigitsWithANumberInThemVary(String one, String other, boolean same) {
        assertThat(DriverError.areSame(one, other)).isEqualTo(same);
    }

    @Test
    void longWordsAreComparedInOnePass() {
        // As much as a quadratic comparison would take hours for.
        String id = "a".repeat(10_000_000);
        assertThat(DriverError.areSame(id + " x", id + " y")).isFalse();
        assertThat(DriverError.areSame(id + "1 x", id + "2 x")).isTrue();
    }
}
