package io.volumesnapshotter.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.volumesnapshotter.testing.RouteSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every route file that ships is one that a person, an editor and the YAML DSL's schema can read.
 */
class RouteFilesTest {

    static List<Path> files() throws IOException {
        try (Stream<Path> routes = Files.list(Path.of("routes"));
                Stream<Path> examples = Files.walk(Path.of("examples"))) {
            return Stream.concat(routes, examples)
                    .filter(file -> file.toString().endsWith(RouteFiles.SUFFIX))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void isValidByTheYamlDslsOwnSchema(Path file) throws IOException {
        assertThat(RouteSchema.violations(Files.readString(file))).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("files")
    void holdsOneRouteWithTheFilesNameAsIdAndADescription(Path file) throws IOException {
        JsonNode content = read(file);
        assertThat(content).hasSize(1);
        String name = file.getFileName().toString().replace(RouteFiles.SUFFIX, "");
        if (name.equals("error-handling")) {
            JsonNode shared = content.get(0).path("routeConfiguration");
            assertThat(shared.path("description").asText()).endsWith(".");
            assertThat(shared.has("id"))
                    .describedAs("with an id it would apply to no route")
                    .isFalse();
        } else {
            JsonNode route = content.get(0).path("route");
            assertThat(route.path("id").asText()).isEqualTo(name);
            assertThat(route.path("description").asText()).endsWith(".");
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aRouteThatOthersCallIsCalledByItsName(Path file) throws IOException {
        JsonNode route = read(file).get(0).path("route");
        String from = route.path("from").path("uri").asText();
        assertThat(from.startsWith("direct:") ? from : "direct:" + route.path("id").asText())
                .isEqualTo("direct:" + route.path("id").asText());
    }

    private static JsonNode read(Path file) throws IOException {
        return RouteSchema.parse(Files.readString(file));
    }
}
