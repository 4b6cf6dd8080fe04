package io.volumesnapshotter.run;

import io.volumesnapshotter.run.Pruning.Occasion;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Retention.Decision;
import java.util.List;
import java.util.Map;

/**
 * What follows from one look for what is stale.
 *
 * @param decisions what becomes of each claim's snapshots
 * @param occasions what allows to delete of each claim
 */
record PrunePlan(Map<Claim, List<Decision>> decisions, Map<Claim, Occasion> occasions) {

    List<Deletion> deletions() {
        return decisions.entrySet().stream()
                .flatMap(
                        entry ->
                                Pruning.stale(entry.getValue()).stream()
                                        .map(
                                                d ->
                                                        new Deletion(
                                                                d.snapshot(),
                                                                d.reason(),
                                                                occasions.get(entry.getKey()))))
                .toList();
    }
}
