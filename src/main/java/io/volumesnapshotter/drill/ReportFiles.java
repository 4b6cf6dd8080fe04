package io.volumesnapshotter.drill;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.volumesnapshotter.settings.Documents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;

/**
 * Two files for each drill, for whoever has to show later that restores were tried.
 *
 * @param directory where they are; it is made when the first comes
 */
public record ReportFiles(Path directory) {

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /** Reports as a document. */
    public static Map<String, Object> document(List<DrillReport> reports) {
        Map<String, Object> document = Documents.of("DrillList");
        document.put("items", reports.stream().map(DrillReport::document).toList());
        return document;
    }

    /**
     * Writes those of a drill.
     *
     * @throws IOException when they cannot be written
     */
    public void write(DrillReport report) throws IOException {
        Files.createDirectories(directory);
        String name = "drill-%s-%s".formatted(report.claim().name(), TIME.format(report.began()));
        Files.write(
                directory.resolve(name + ".json"),
                JSON.writeValueAsBytes(document(List.of(report))));
        Files.writeString(directory.resolve(name + ".md"), report.page());
    }
}
