package io.volumesnapshotter.command;

import java.util.ArrayList;
import java.util.List;

/** Rows in aligned columns, as kubectl prints them. Cells may have a colour, which has no width. */
final class Table {

    private static final String GAP = "   ";

    private final List<String> head;
    private final List<List<Cell>> rows = new ArrayList<>();

    /**
     * A cell.
     *
     * @param colour in which it is shown where there are colours
     */
    record Cell(String text, Colour colour) {

        static Cell of(String text) {
            return new Cell(text, Colour.NONE);
        }
    }

    Table(String... head) {
        this.head = List.of(head);
    }

    void add(String... cells) {
        add(java.util.Arrays.stream(cells).map(Cell::of).toList());
    }

    void add(List<Cell> cells) {
        if (cells.size() != head.size()) {
            throw new IllegalArgumentException(cells.size() + " cells of " + head.size());
        }
        rows.add(cells);
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    /**
     * The lines.
     *
     * @param headers whether the head is one of them
     * @param colours whether cells have their colours
     */
    List<String> lines(boolean headers, boolean colours) {
        int[] widths = new int[head.size()];
        for (int column = 0; column < widths.length; column++) {
            widths[column] = headers ? head.get(column).length() : 0;
            for (List<Cell> row : rows) {
                widths[column] = Math.max(widths[column], row.get(column).text().length());
            }
        }
        List<String> lines = new ArrayList<>();
        if (headers) {
            lines.add(
                    line(
                            head.stream().map(h -> new Cell(h, Colour.BOLD)).toList(),
                            widths,
                            colours));
        }
        rows.forEach(row -> lines.add(line(row, widths, colours)));
        return lines;
    }

    private static String line(List<Cell> cells, int[] widths, boolean colours) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            Cell cell = cells.get(column);
            line.append(colours ? cell.colour().of(cell.text()) : cell.text());
            if (column < cells.size() - 1) {
                line.append(" ".repeat(widths[column] - cell.text().length())).append(GAP);
            }
        }
        return line.toString().stripTrailing();
    }
}
