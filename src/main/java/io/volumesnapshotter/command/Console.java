package io.volumesnapshotter.command;

import io.volumesnapshotter.settings.OneLine;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Where a command writes: results to standard output, all else to standard error. Progress is
 * updated in place where standard error is a terminal, and is plain lines elsewhere. Safe for use
 * by several threads.
 */
public final class Console {

    /**
     * System property that names the streams that are terminals, {@code out} and {@code err}: the
     * start script looks, because Java can't tell one from the other.
     */
    public static final String TERMINAL = "volume-snapshotter.terminal";

    /** System property with the terminal's size as {@code stty size} prints it. */
    public static final String SIZE = "volume-snapshotter.terminal-size";

    private static final int DEFAULT_ROWS = 24;
    private static final int DEFAULT_COLUMNS = 80;

    private final PrintStream out;
    private final PrintStream err;
    private final boolean outIsTerminal;
    private final boolean errIsTerminal;
    private final boolean colours;
    private final int rows;
    private final int columns;
    private final Map<String, Table.Cell> progress = new LinkedHashMap<>();
    private int shown;

    private Console(
            PrintStream out,
            PrintStream err,
            String terminals,
            String size,
            Map<String, String> environment) {
        this.out = out;
        this.err = err;
        List<String> streams = List.of(terminals.split(","));
        outIsTerminal = streams.contains("out");
        errIsTerminal = streams.contains("err");
        colours =
                environment.getOrDefault("NO_COLOR", "").isEmpty()
                        && !"dumb".equals(environment.get("TERM"));
        List<Integer> sizes = sizes(size);
        rows = sizes.get(0);
        columns = sizes.get(1);
    }

    private static List<Integer> sizes(String text) {
        String[] parts = text.trim().split(" ");
        List<Integer> sizes = new ArrayList<>(List.of(DEFAULT_ROWS, DEFAULT_COLUMNS));
        for (int i = 0; i < parts.length && i < sizes.size(); i++) {
            if (parts[i].matches("[1-9]\\d{0,3}")) {
                sizes.set(i, Integer.parseInt(parts[i]));
            }
        }
        return sizes;
    }

    /** That of this process. */
    public static Console ofProcess(Map<String, String> environment) {
        return new Console(
                System.out,
                System.err,
                System.getProperty(TERMINAL, ""),
                System.getProperty(SIZE, ""),
                environment);
    }

    /**
     * One that writes elsewhere.
     *
     * @param terminals which of the streams are terminals, {@code out} and {@code err}, separated
     *     by commas
     */
    public static Console of(
            PrintStream out, PrintStream err, String terminals, Map<String, String> environment) {
        return new Console(out, err, terminals, "", environment);
    }

    /** Writes a line of the result. */
    public synchronized void print(String line) {
        erase();
        out.println(line);
        out.flush();
        draw();
    }

    /** Lets something write the result, which may be long. */
    synchronized void write(Consumer<PrintStream> result) {
        erase();
        result.accept(out);
        out.flush();
        draw();
    }

    /** Writes a line beside the result. */
    public synchronized void tell(String line) {
        erase();
        err.println(line);
        err.flush();
        draw();
    }

    /** Tells what failed, in one line. */
    public void error(String words) {
        tell(paint("error:", Colour.RED) + " " + OneLine.of(words));
    }

    /** Tells what may not be as it is meant, in one line. */
    public void warn(String words) {
        tell(paint("warning:", Colour.YELLOW) + " " + OneLine.of(words));
    }

    private String paint(String text, Colour colour) {
        return errIsTerminal && colours ? colour.of(text) : text;
    }

    /** Whether results have colours. */
    boolean hasColours() {
        return outIsTerminal && colours;
    }

    /**
     * Tells how far something is: in place of what was told of it before where there is a terminal,
     * and else as one line more, if it is news.
     *
     * @param subject of what
     */
    synchronized void progress(String subject, String state, Colour colour) {
        Table.Cell cell = new Table.Cell(state, colour);
        Table.Cell before = progress.put(subject, cell);
        if (cell.equals(before)) {
            return;
        }
        if (isLive()) {
            erase();
            draw();
        } else {
            erase();
            err.println(subject + ": " + paint(state, colour));
            err.flush();
        }
    }

    /** Leaves what was told of progress as it stands. */
    synchronized void endProgress() {
        progress.clear();
        shown = 0;
    }

    private boolean isLive() {
        return errIsTerminal && progress.size() < rows;
    }

    private void erase() {
        if (shown > 0) {
            err.print("\033[" + shown + "A\033[J");
            shown = 0;
        }
    }

    private void draw() {
        if (!isLive() || progress.isEmpty()) {
            return;
        }
        int width = progress.keySet().stream().mapToInt(String::length).max().orElse(0);
        progress.forEach(
                (subject, state) -> {
                    String plain = subject + " ".repeat(width - subject.length()) + "   ";
                    int room = Math.max(1, columns - 1 - plain.length());
                    String text =
                            state.text().length() <= room
                                    ? state.text()
                                    : state.text().substring(0, room - 1) + "…";
                    err.println(plain + paint(text, state.colour()));
                });
        err.flush();
        shown = progress.size();
    }
}
