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
        int limit = Math.max(2, wrong.length() / 3);
        List<String> near =
                there.stream()
                        .distinct()
                        .filter(name -> distance(wrong, name) <= limit || isPart(wrong, name))
                        .sorted(
                                Comparator.comparing((String name) -> distance(wrong, name))
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

    /** How many letters have to be put in, taken out or replaced (Levenshtein). */
    private static int distance(String a, String b) {
        int[] before = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            before[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] now = new int[b.length() + 1];
            now[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = before[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                now[j] = Math.min(replaced, Math.min(before[j], now[j - 1]) + 1);
            }
            before = now;
        }
        return before[b.length()];
    }
}
