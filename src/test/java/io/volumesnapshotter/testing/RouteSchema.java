package io.volumesnapshotter.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Set;

/** The YAML DSL's own schema, which editors check route files by. */
public final class RouteSchema {

    private static final JsonSchema SCHEMA = read();

    private RouteSchema() {}

    /** The content of a route file. */
    public static JsonNode parse(String yaml) {
        try {
            return new YAMLMapper().readTree(yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a route file has that the schema does not allow. */
    public static Set<ValidationMessage> violations(String yaml) {
        return SCHEMA.validate(parse(yaml));
    }

    private static JsonSchema read() {
        try (InputStream schema =
                RouteSchema.class.getResourceAsStream("/schema/camelYamlDsl.json")) {
            return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7).getSchema(schema);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
