package io.volumesnapshotter.settings;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * Makes one short line of a text that comes from outside: without control characters, which move a
 * terminal's cursor or turn the direction of a text, and without a token that it may hold.
 */
public final class OneLine {

    /** How many characters a text may have before it ends with an ellipsis. */
    public static final int MAX = 1024;

    /** How much of a text is looked at: blanks and control characters may make up most of it. */
    public static final int MAX_READ = 4 * MAX;

    private static final Pattern TOKEN = Pattern.compile("(?i)(\\bbearer\\s+)[\\w.~+/=-]{8,}");

    private static final String BREAKS = "\n\r\u000B\f\u0085\u2028\u2029";

    /** Kinds of characters that are not seen; some change how those beside them look. */
    private static final Set<Integer> INVISIBLE =
            Set.of(
                    (int) Character.CONTROL,
                    (int) Character.FORMAT,
                    (int) Character.SURROGATE,
                    (int) Character.PRIVATE_USE);

    private OneLine() {}

    /** A text in one line, cut to {@value #MAX} characters. */
    public static String of(String text) {
        if (isOneWord(text)) {
            return text;
        }
        String read = text.length() <= MAX_READ ? text : text.substring(0, MAX_READ);
        String line = TOKEN.matcher(clean(read)).replaceAll("$1…");
        boolean isWhole = line.length() <= MAX && read.length() == text.length();
        return isWhole ? line : cut(line) + "…";
    }

    /** Most texts are names, times and versions. */
    private static boolean isOneWord(String text) {
        return text.length() <= MAX && text.chars().allMatch(c -> c > ' ' && c <= '~');
    }

    private static String clean(String text) {
        StringBuilder line = new StringBuilder(text.length());
        boolean begins = true;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            if (BREAKS.indexOf(c) >= 0) {
                if (!begins) {
                    trimEnd(line);
                    line.append(' ');
                }
                begins = true;
            } else if (Character.isWhitespace(c) || Character.isSpaceChar(c)) {
                line.append(begins ? "" : " ");
            } else if (!INVISIBLE.contains(Character.getType(c))) {
                line.appendCodePoint(c);
                begins = false;
            }
        }
        return line.toString().strip();
    }

    private static void trimEnd(StringBuilder line) {
        while (line.length() > 0 && line.charAt(line.length() - 1) == ' ') {
            line.setLength(line.length() - 1);
        }
    }

    /** Not in the middle of a character that takes two. */
    private static String cut(String line) {
        int end = Math.min(line.length(), MAX - 1);
        boolean splits = end > 0 && Character.isHighSurrogate(line.charAt(end - 1));
        return line.substring(0, splits ? end - 1 : end);
    }
}
