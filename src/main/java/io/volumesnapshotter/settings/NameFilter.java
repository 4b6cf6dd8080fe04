package io.volumesnapshotter.settings;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Which names are meant, by names and patterns. In a pattern {@code *} stands for any characters
 * and {@code ?} for one; with {@code !} before it a name or pattern is left out, wherever it
 * stands.
 *
 * @param words the names and patterns as they were given; none for all names
 */
public record NameFilter(List<String> words) {

    private static final String NOT = "!";

    /** Whether a word is more than the name of one object. */
    public static boolean isPattern(String word) {
        return word.startsWith(NOT) || word.contains("*") || word.contains("?");
    }

    /** A word as a name that could match it, to see whether any can. */
    static String sample(String word) {
        return word.replaceFirst("^!", "").replace('*', 'a').replace('?', 'a');
    }

    private List<String> included() {
        return words.stream().filter(word -> !word.startsWith(NOT)).toList();
    }

    /** Whether it says nothing, so that all names are meant. */
    public boolean isEmpty() {
        return words.isEmpty();
    }

    /** Whether it names single objects, and needs no look at what there is. */
    public boolean isExact() {
        return !words.isEmpty() && words.stream().noneMatch(NameFilter::isPattern);
    }

    /** The names that it names; none where it has patterns. */
    public List<String> exact() {
        return isExact() ? words : List.of();
    }

    /** Whether a name is meant, but for what is left out. */
    public boolean includes(String name) {
        List<String> included = included();
        return included.isEmpty() || included.stream().anyMatch(word -> matches(word, name));
    }

    /** The word by which a name is left out, if one does. */
    public Optional<String> excludedBy(String name) {
        return words.stream()
                .filter(word -> word.startsWith(NOT) && matches(word.substring(1), name))
                .findFirst();
    }

    /** Whether a name is meant. */
    public boolean accepts(String name) {
        return includes(name) && excludedBy(name).isEmpty();
    }

    private static boolean matches(String word, String name) {
        if (!isPattern(word)) {
            return word.equals(name);
        }
        StringBuilder pattern = new StringBuilder();
        for (char c : word.toCharArray()) {
            pattern.append(
                    switch (c) {
                        case '*' -> ".*";
                        case '?' -> ".";
                        default -> Pattern.quote(String.valueOf(c));
                    });
        }
        return name.matches(pattern.toString());
    }
}
