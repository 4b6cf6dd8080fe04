package io.volumesnapshotter.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The schema of what commands write for machines. */
public final class OutputSchema {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonSchema SCHEMA = schema();

    private OutputSchema() {}

    private static JsonSchema schema() {
        try {
            return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                    .getSchema(Files.readString(Path.of("docs", "output.schema.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * A document of {@code -o json}.
     *
     * @throws AssertionError when it is none as the schema describes it
     */
    public static JsonNode json(Cli.Answer answer) {
        try {
            return checked(JSON.readTree(answer.text()), answer);
        } catch (IOException e) {
            throw new AssertionError(answer.toString(), e);
        }
    }

    /** A document of {@code -o yaml}, likewise. */
    public static JsonNode yaml(Cli.Answer answer) {
        Object document = new Load(LoadSettings.builder().build()).loadFromString(answer.text());
        return checked(JSON.valueToTree(document), answer);
    }

    private static JsonNode checked(JsonNode document, Cli.Answer answer) {
        List<String> mistakes =
                SCHEMA.validate(document).stream().map(ValidationMessage::getMessage).toList();
        if (!mistakes.isEmpty()) {
            throw new AssertionError(mistakes + " in " + answer);
        }
        return document;
    }
}
