package io.volumesnapshotter.settings;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Finds the names that somebody may have meant who wrote one that is not there. */
public final class NearMisses {

    private static final int SHOWN = 3;

    private NearMisses() {}

    /**
     * The end of a remedy: what was perhaps meant, else what there is; empty where there is
     * nothing.
     *
     * @param wrong the name that is not there
     * @param there the names that are
     */
    public static String hint(String wrong, Collection<String> there) {
        int limit = Math.max(1, wrong.length() / 3);
        List<String> near =
                there.stream()
                        .distinct()
                        .filter(
                                name ->
                                        Spelling.distance(wrong, name) <= limit
                                                || isPart(wrong, name))
                        .sorted(
                                Comparator.comparing(
                                                (String name) -> Spelling.distance(wrong, name))
                                        .thenComparing(name -> name))
                        .limit(SHOWN)
                        .toList();
        if (!near.isEmpty()) {
            return "did you mean " + String.join(" or ", near) + "?";
        }
        List<String> some = there.stream().distinct().sorted().limit(SHOWN).toList();
        return some.isEmpty()
                ? ""
                : "there "
                        + (there.size() == 1 ? "is " : "are ")
                        + String.join(", ", some)
                        + (there.size() > SHOWN ? " and more" : "");
    }

    private static boolean isPart(String wrong, String name) {
        return wrong.length() > 2 && name.contains(wrong);
    }
}
