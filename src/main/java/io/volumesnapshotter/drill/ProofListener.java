package io.volumesnapshotter.drill;

import io.volumesnapshotter.snapshot.Claim;
import java.util.Map;
import java.util.Optional;

/** Is told what is proven. Nothing is decided by what it makes of that. */
public interface ProofListener {

    /**
     * What is known of the drills of all claims of a schedule.
     *
     * @param proofs by claim; empty for one that had no drill
     */
    void known(String schedule, Map<Claim, Optional<Proof>> proofs);

    /** A claim of a schedule had a drill. */
    void drilled(String schedule, Proof proof);
}
