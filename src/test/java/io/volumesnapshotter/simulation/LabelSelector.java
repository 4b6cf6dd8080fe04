package io.volumesnapshotter.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The label selectors of a LIST, equality and set-based, with the meaning Kubernetes gives them.
 */
final class LabelSelector implements Predicate<Map<String, String>> {

    private static final Pattern SET = Pattern.compile("(\\S+)\\s+(in|notin)\\s*\\(([^()]*)\\)");
    private static final Pattern EQUALITY = Pattern.compile("([^=!\\s]+)\\s*(==|=|!=)\\s*(\\S*)");
    private static final Pattern PRESENCE = Pattern.compile("(!?)\\s*([^=!\\s()]+)");

    private record Requirement(String key, boolean wanted, Set<String> values) {

        boolean matches(Map<String, String> labels) {
            String value = labels.get(key);
            boolean matched =
                    values == null ? value != null : value != null && values.contains(value);
            return matched == wanted;
        }
    }

    private final List<Requirement> requirements = new ArrayList<>();

    static LabelSelector parse(String text) {
        LabelSelector selector = new LabelSelector();
        for (String part : text.split(",(?![^(]*\\))")) {
            if (!part.isBlank()) {
                selector.requirements.add(requirement(part.strip()));
            }
        }
        return selector;
    }

    private static Requirement requirement(String text) {
        Matcher set = SET.matcher(text);
        if (set.matches()) {
            Set<String> values = Set.copyOf(List.of(set.group(3).strip().split("\\s*,\\s*")));
            return new Requirement(set.group(1), set.group(2).equals("in"), values);
        }
        Matcher equality = EQUALITY.matcher(text);
        if (equality.matches()) {
            boolean wanted = !equality.group(2).equals("!=");
            return new Requirement(equality.group(1), wanted, Set.of(equality.group(3)));
        }
        Matcher presence = PRESENCE.matcher(text);
        if (presence.matches()) {
            return new Requirement(presence.group(2), presence.group(1).isEmpty(), null);
        }
        throw ApiFailure.badRequest(
                "unable to parse requirement: found '%s', expected: a label selector"
                        .formatted(text));
    }

    boolean isEmpty() {
        return requirements.isEmpty();
    }

    @Override
    public boolean test(Map<String, String> labels) {
        return requirements.stream().allMatch(requirement -> requirement.matches(labels));
    }

    /** A {@code key=value} that every match carries, for the store's index. */
    Optional<Map.Entry<String, String>> indexed() {
        return requirements.stream()
                .filter(requirement -> requirement.wanted() && requirement.values() != null)
                .filter(requirement -> requirement.values().size() == 1)
                .map(req -> Map.entry(req.key(), req.values().iterator().next()))
                .findFirst();
    }
}
