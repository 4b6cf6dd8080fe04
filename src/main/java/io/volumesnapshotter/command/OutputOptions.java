package io.volumesnapshotter.command;

import picocli.CommandLine.Option;

/** In which form a command says what it found or did. */
public final class OutputOptions {

    /** The forms, by the names that kubectl has for them. */
    public enum Form {
        /** Aligned columns, for people. */
        table,
        /** A document as {@code docs/output.schema.json} describes it. */
        json,
        /** The document that {@link #json} writes, as YAML. */
        yaml,
        /** A line for each object, as kubectl takes it. */
        name
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            description = "One of ${COMPLETION-CANDIDATES}. Default: table.")
    private Form form = Form.table;

    @Option(names = "--no-headers", description = "Leaves out the head of tables.")
    private boolean noHeaders;

    /** The form. */
    public Form form() {
        return form;
    }

    /** Whether tables have a head. */
    boolean hasHeaders() {
        return !noHeaders;
    }
}
