package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
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
}
