package io.volumesnapshotter.routes;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.OneLine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.camel.util.StringHelper;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.DuplicateKeyException;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** The text of a route file as YAML, before Camel reads it: what is in it, and on which lines. */
final class RouteText {

    /** Camel binds or sets all others in the whole program as soon as it reads them. */
    private static final Set<String> PARTS =
            Set.of(
                    "route",
                    "routeConfiguration",
                    "from",
                    "onException",
                    "onCompletion",
                    "intercept",
                    "interceptFrom",
                    "interceptSendToEndpoint");

    /** What YAML 1.1 had for taking in the fields of another mapping. */
    private static final String MERGE = "<<";

    private final List<Entry> entries = new ArrayList<>();

    /** One that has an anchor may stand in several places, or in itself. */
    private final Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private final Optional<Node> root;

    /**
     * A scalar, and the key before it if there is one; or a key alone.
     *
     * @param line counted from 1
     */
    private record Entry(String key, String value, int line) {}

    /**
     * Reads a text.
     *
     * @throws YamlEngineException when it is not YAML
     */
    RouteText(String text) {
        root = new Compose(LoadSettings.builder().build()).composeString(text);
        root.ifPresent(node -> collect(null, node));
    }

    private void collect(String key, Node node) {
        if (!seen.add(node)) {
            return;
        }
        if (node instanceof ScalarNode scalar) {
            entries.add(new Entry(key, OneLine.of(scalar.getValue()), line(node)));
        } else if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> collect(null, item));
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple field : mapping.getValue()) {
                String name = name(field);
                entries.add(new Entry(name, null, line(field.getKeyNode())));
                collect(name, field.getValueNode());
            }
        }
    }

    private static String name(NodeTuple field) {
        return field.getKeyNode() instanceof ScalarNode key ? key.getValue() : "";
    }

    private static int line(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }

    /**
     * Sees that all in it belongs to routes, and is said once.
     *
     * @throws InvalidSettingException when something does not
     * @throws MarkedYamlEngineException when something is not, with its line
     */
    void checkParts() {
        root.ifPresent(node -> checkKeys(node, Collections.newSetFromMap(new IdentityHashMap<>())));
        if (!(root.orElse(null) instanceof SequenceNode parts) || parts.getValue().isEmpty()) {
            throw new InvalidSettingException(
                    "route", "", "begin the file with \"- route:\", as the other files do");
        }
        for (Node part : parts.getValue()) {
            if (part instanceof MappingNode mapping) {
                for (NodeTuple field : mapping.getValue()) {
                    if (!PARTS.contains(name(field))) {
                        throw new InvalidSettingException(
                                "part",
                                name(field),
                                "only routes and a routeConfiguration can be exchanged while the"
                                        + " program runs; name a class of your own where it is"
                                        + " used, as beanType: org.example.Mine in a step bean or"
                                        + " #class:org.example.Mine in a parameter");
                    }
                }
            }
        }
    }

    /**
     * Of a key that stands twice, the last one would win. Camel takes {@code keep-last} and {@code
     * keepLast} for one.
     */
    private static void checkKeys(Node node, Set<Node> checked) {
        if (!checked.add(node)) {
            return;
        }
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> checkKeys(item, checked));
        } else if (node instanceof MappingNode mapping) {
            Map<String, Mark> keys = new HashMap<>();
            for (NodeTuple field : mapping.getValue()) {
                checkKey(name(field), field.getKeyNode(), keys);
                checkKeys(field.getValueNode(), checked);
            }
        }
    }

    private static void checkKey(String name, Node key, Map<String, Mark> keys) {
        Mark here = key.getStartMark().orElseThrow();
        if (name.equals(MERGE)) {
            throw new InvalidSettingException(
                    "key", MERGE, "Camel takes in no fields of another mapping; write them out");
        }
        Mark before = keys.putIfAbsent(StringHelper.camelCaseToDash(name), here);
        if (before != null) {
            throw new DuplicateKeyException(Optional.of(before), name, Optional.of(here));
        }
    }

    /**
     * The line on which something stands: a value with its key, else the value, else the key, else
     * a text in which one of them is.
     *
     * @param from the line to begin at
     * @return the first such line, or that to begin at
     */
    int line(int from, String key, String value) {
        String text = OneLine.of(value);
        List<Predicate<Entry>> searches =
                List.of(
                        entry -> key.equals(entry.key) && text.equals(entry.value),
                        entry -> has(entry, key + "=" + text),
                        entry -> !text.isEmpty() && text.equals(entry.value),
                        entry -> entry.value == null && text.equals(entry.key),
                        entry -> entry.value == null && key.equals(entry.key),
                        entry -> has(entry, text),
                        entry -> has(entry, key));
        return searches.stream()
                .flatMap(search -> entries.stream().filter(e -> e.line >= from).filter(search))
                .mapToInt(Entry::line)
                .findFirst()
                .orElse(from);
    }

    /** Whether a value stands anywhere, or is part of what does. */
    boolean has(String value) {
        return entries.stream().anyMatch(entry -> has(entry, OneLine.of(value)));
    }

    /** The line of a route's id; 0 when the route is not here. */
    int lineOf(String route) {
        return entries.stream()
                .filter(entry -> "id".equals(entry.key) && route.equals(entry.value))
                .mapToInt(Entry::line)
                .findFirst()
                .orElse(0);
    }

    private static boolean has(Entry entry, String text) {
        return !text.isBlank() && entry.value != null && entry.value.contains(text);
    }

    /**
     * Says where in this file a mistake stands.
     *
     * @param from the line of the file from which on it stands
     */
    InvalidSettingException locate(Path file, InvalidSettingException mistake, int from) {
        return mistake.at(file, line(from, mistake.field(), mistake.value()));
    }
}
