package io.volumesnapshotter.settings;

import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Makes one line of a text that comes from outside, without a token that it may hold. */
public final class OneLine {

    private static final Pattern TOKEN = Pattern.compile("(?i)(\\bbearer\\s+)[\\w.~+/=-]{8,}");

    private OneLine() {}

    /** A text in one line, without a token that a proxy may have put into it. */
    public static String of(String text) {
        return TOKEN.matcher(text)
                .replaceAll("$1…")
                .lines()
                .map(String::trim)
                .collect(Collectors.joining(" "));
    }
}
