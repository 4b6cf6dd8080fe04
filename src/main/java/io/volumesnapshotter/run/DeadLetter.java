package io.volumesnapshotter.run;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What one failed exchange has to tell: a failure for each claim that it fails.
 *
 * @param failures the failures; all have the same reason
 * @param isNews whether it is to be logged: an outage that fails one claim after the other is
 *     logged once for a run
 */
public record DeadLetter(List<Failure> failures, boolean isNews) {

    /** How many names a line has before it only counts. */
    static final int NAMES = 10;

    /** As one log line, with the names of the claims. */
    @Override
    public String toString() {
        Failure first = failures.get(0);
        if (failures.size() == 1) {
            return first.toString();
        }
        return "%s: %s failed for %s: %s -> %s"
                .formatted(
                        first.run(),
                        first.phase(),
                        names(failures.stream().map(failure -> failure.subject().trim()).toList()),
                        first.reason(),
                        first.remedy());
    }

    /** Names in a line, which may be thousands. */
    public static String names(List<String> names) {
        String some = names.stream().limit(NAMES).collect(Collectors.joining(", "));
        return names.size() <= NAMES ? some : some + " and " + (names.size() - NAMES) + " more";
    }
}
