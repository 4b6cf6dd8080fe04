package io.volumesnapshotter.command;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.volumesnapshotter.settings.Documents;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** Writes what a command found or did, in the form that was asked for. */
public final class Output {

    private static final ObjectMapper JSON =
            new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);

    private final Console console;
    private final OutputOptions options;

    Output(Console console, OutputOptions options) {
        this.console = console;
        this.options = options;
    }

    /** The head of a document. */
    static Map<String, Object> document(String kind) {
        return Documents.of(kind);
    }

    /**
     * Writes a result.
     *
     * @param document all of it, as maps, lists, texts, numbers and truth values; its items are
     *     asked for one after the other
     * @param names the objects that it is about, as kubectl names them
     * @param table the lines for people
     */
    public void write(
            Supplier<Map<String, Object>> document,
            Supplier<List<String>> names,
            Supplier<List<String>> table) {
        switch (options.form()) {
            case json -> console.write(out -> json(document.get(), out));
            case yaml -> console.write(out -> yaml(document.get(), out));
            case name -> names.get().forEach(console::print);
            case table -> table.get().forEach(console::print);
        }
    }

    /** The lines of a table as the options and the terminal have it. */
    List<String> lines(Table table) {
        return table.lines(options.hasHeaders(), console.hasColours());
    }

    static void json(Map<String, Object> document, PrintStream out) {
        try {
            JSON.writeValue(out, document);
            out.println();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The items come one after the other, because a list may be long. */
    private static void yaml(Map<String, Object> document, PrintStream out) {
        Dump block = new Dump(DumpSettings.builder().setDefaultFlowStyle(FlowStyle.BLOCK).build());
        document.forEach(
                (field, value) -> {
                    Iterator<?> items =
                            value instanceof Iterable<?> several
                                    ? several.iterator()
                                    : Collections.emptyIterator();
                    if (!items.hasNext()) {
                        out.print(
                                block.dumpToString(
                                        Map.of(
                                                field,
                                                value instanceof Iterable ? List.of() : value)));
                        return;
                    }
                    out.println(field + ":");
                    items.forEachRemaining(item -> out.print(block.dumpToString(List.of(item))));
                });
    }
}
