package io.volumesnapshotter.simulation;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Every request of the program (the admin's are not in it), so that a test can say how many
 * requests something may cost and which ones must never come.
 */
public final class RequestLog {

    /**
     * One request with its answer.
     *
     * @param code the HTTP status, or 0 when the connection was cut instead
     */
    public record Entry(
            Instant time,
            String verb,
            String group,
            String resource,
            String namespace,
            String name,
            String labelSelector,
            int code) {}

    private final List<Entry> entries = new ArrayList<>();

    void add(ApiRequest request, int code) {
        Entry entry =
                new Entry(
                        Instant.now(),
                        request.verb(),
                        request.group(),
                        request.resource(),
                        request.namespace(),
                        request.objectName(),
                        request.labelSelector(),
                        code);
        synchronized (entries) {
            entries.add(entry);
        }
    }

    /** All entries in the order of their answers. */
    public List<Entry> entries() {
        synchronized (entries) {
            return List.copyOf(entries);
        }
    }

    /** The entries that match. */
    public List<Entry> entries(Predicate<Entry> which) {
        return entries().stream().filter(which).toList();
    }

    /** How many requests there were with this verb, but for questions about one's own rights. */
    public long count(String verb) {
        return count(
                entry -> entry.verb().equals(verb) && !entry.resource().startsWith("selfsubject"));
    }

    /** How many requests there were with this verb for this resource (plural). */
    public long count(String verb, String resource) {
        return count(entry -> entry.verb().equals(verb) && entry.resource().equals(resource));
    }

    /** How many entries match. */
    public long count(Predicate<Entry> which) {
        return entries().stream().filter(which).count();
    }

    /** The number of requests for each verb. */
    public Map<String, Long> byVerb() {
        return entries().stream()
                .collect(Collectors.groupingBy(Entry::verb, TreeMap::new, Collectors.counting()));
    }

    /** The number of requests for each answer code. */
    public Map<Integer, Long> byCode() {
        Function<Entry, Integer> code = Entry::code;
        return entries().stream()
                .collect(Collectors.groupingBy(code, TreeMap::new, Collectors.counting()));
    }

    /** The number of all requests. */
    public int total() {
        synchronized (entries) {
            return entries.size();
        }
    }

    /** Begins anew. */
    public void clear() {
        synchronized (entries) {
            entries.clear();
        }
    }
}
