package io.volumesnapshotter.soak;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The {@link Soak} in short. */
@Timeout(300)
class SoakIT {

    @Test
    void killedAtRandomItBreaksNoPromise() throws Exception {
        Soak.run(12, 7, 2);
    }
}
