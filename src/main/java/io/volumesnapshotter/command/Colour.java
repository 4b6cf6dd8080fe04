package io.volumesnapshotter.command;

/** How a terminal shows a text. */
enum Colour {
    NONE(""),
    BOLD("1"),
    GREEN("32"),
    YELLOW("33"),
    RED("31"),
    FAINT("2");

    private final String code;

    Colour(String code) {
        this.code = code;
    }

    /** The text with what switches the colour on and off. */
    String of(String text) {
        return code.isEmpty() || text.isEmpty() ? text : "\033[" + code + "m" + text + "\033[0m";
    }
}
