package io.volumesnapshotter.soak;

import org.junit.jupiter.api.Test;

/** The {@link Soak} in short. */
class SoakIT {

    @Test
    void killedAtRandomItBreaksNoPromise() throws Exception {
        Soak.run(12, 7, 2);
    }
}
