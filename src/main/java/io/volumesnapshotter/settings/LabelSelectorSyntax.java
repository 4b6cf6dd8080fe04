package io.volumesnapshotter.settings;

import java.util.regex.Pattern;

/**
 * Checks label selectors as kubectl takes them, equality and set-based, before the API server gets
 * to see them. Source: "Labels and Selectors" of the Kubernetes documentation.
 */
public final class LabelSelectorSyntax {

    private static final String NAME = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
    private static final String PREFIX =
            "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/";
    private static final String KEY = "(?:" + PREFIX + ")?" + NAME;
    private static final String VALUE = "(?:" + NAME + ")?";
    private static final String SET = "\\(\\s*" + VALUE + "\\s*(?:,\\s*" + VALUE + "\\s*)*\\)";
    private static final String REQUIREMENT =
            "\\s*(?:!\\s*"
                    + KEY
                    + "|"
                    + KEY
                    + "(?:\\s*(?:==|=|!=)\\s*"
                    + VALUE
                    + "|\\s+(?:in|notin)\\s*"
                    + SET
                    + ")?)\\s*";
    private static final Pattern SELECTOR =
            Pattern.compile(REQUIREMENT + "(?:," + REQUIREMENT + ")*");
    private static final Pattern KEY_ONLY = Pattern.compile(KEY);
    private static final Pattern VALUE_ONLY = Pattern.compile(VALUE);

    private LabelSelectorSyntax() {}

    public static boolean isSelector(String text) {
        return SELECTOR.matcher(text).matches();
    }

    /** Whether this can be the key of a label or an annotation. */
    public static boolean isKey(String text) {
        return KEY_ONLY.matcher(text).matches();
    }

    /** Whether this can be the value of a label. */
    public static boolean isValue(String text) {
        return VALUE_ONLY.matcher(text).matches();
    }
}
