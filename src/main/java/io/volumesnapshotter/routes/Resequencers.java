package io.volumesnapshotter.routes;

import java.time.Duration;
import java.util.Collection;
import org.apache.camel.Service;
import org.apache.camel.processor.Resequencer;
import org.apache.camel.processor.StreamResequencer;

/** How long steps that put exchanges in order may hold them back. */
final class Resequencers {

    /** What the steps behind one may take, such as a notification that is sent again. */
    private static final Duration BEHIND = Duration.ofSeconds(30);

    private Resequencers() {}

    /** The longest time among these parts of a route; zero when none of them puts in order. */
    static Duration longestHold(Collection<Service> parts) {
        long longest = parts.stream().mapToLong(Resequencers::millis).max().orElse(0);
        return longest == 0 ? Duration.ZERO : Duration.ofMillis(longest).plus(BEHIND);
    }

    private static long millis(Service part) {
        if (part instanceof Resequencer batch) {
            return batch.getBatchTimeout();
        }
        return part instanceof StreamResequencer stream ? stream.getTimeout() : 0;
    }
}
