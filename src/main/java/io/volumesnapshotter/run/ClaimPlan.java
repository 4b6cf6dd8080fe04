package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Retention.Decision;
import java.util.List;
import java.util.Optional;

/**
 * What a run would do about one claim.
 *
 * @param takes the name of the snapshot that it would take; empty for a run that only prunes
 * @param decisions what it would make of each snapshot once that one is ready, newest first
 */
public record ClaimPlan(Claim claim, Optional<String> takes, List<Decision> decisions) {}
