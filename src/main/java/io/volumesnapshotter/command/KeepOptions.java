package io.volumesnapshotter.command;

import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** The keep rules, by the names that they have in a schedule's file. */
final class KeepOptions {

    private final Map<String, String> rules = new TreeMap<>();

    @Option(
            names = "--keep-last",
            paramLabel = "N",
            description = "Deletes all but the N newest of those taken so, once it is ready.")
    void last(String value) {
        rules.put("keep-last", value);
    }

    @Option(
            names = "--keep-within",
            paramLabel = "TIME",
            description = "Keeps those that are younger than this, such as 7d.")
    void within(String value) {
        rules.put("keep-within", value);
    }

    @Option(
            names = "--keep-hourly",
            paramLabel = "N",
            description = "Keeps the newest of each of N hours; likewise the next four.")
    void hourly(String value) {
        rules.put("keep-hourly", value);
    }

    @Option(names = "--keep-daily", paramLabel = "N")
    void daily(String value) {
        rules.put("keep-daily", value);
    }

    @Option(names = "--keep-weekly", paramLabel = "N")
    void weekly(String value) {
        rules.put("keep-weekly", value);
    }

    @Option(names = "--keep-monthly", paramLabel = "N")
    void monthly(String value) {
        rules.put("keep-monthly", value);
    }

    @Option(names = "--keep-yearly", paramLabel = "N")
    void yearly(String value) {
        rules.put("keep-yearly", value);
    }

    /** The rules as settings. Where none is given, one that is empty keeps others from counting. */
    Map<String, String> settings() {
        return rules.isEmpty() ? Map.of("keep-last", "") : rules;
    }
}
