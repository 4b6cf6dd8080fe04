package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.testing.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bill of materials that scanners read tells the truth about what is packaged. */
class DependenciesIT {

    /** Licences under which the program may be passed on with the library. */
    private static final Set<String> LICENCES =
            Set.of(
                    "Apache-2.0",
                    "BSD-2-Clause",
                    "BSD-3-Clause",
                    "CC0-1.0",
                    "EPL-1.0",
                    "EPL-2.0",
                    "MIT");

    private static String text;
    private static List<JsonNode> components;

    @BeforeAll
    static void read() throws IOException {
        Path bill = PackagedProgram.HOME.resolve("sbom.cdx.json");
        assumeTrue(Files.exists(bill), "Maven makes it only when it is not told to be offline");
        text = Files.readString(bill);
        components = list(new ObjectMapper().readTree(text).path("components"));
    }

    @Test
    void eachLibraryIsInItWithItsChecksumAndNothingElse() throws Exception {
        List<String> packaged = new ArrayList<>();
        try (var jars = Files.list(PackagedProgram.HOME.resolve("lib"))) {
            for (Path jar : jars.toList()) {
                byte[] digest =
                        MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar));
                packaged.add(jar.getFileName() + " " + HexFormat.of().formatHex(digest));
            }
        }
        assertThat(components)
                .extracting(
                        component ->
                                "%s-%s.jar %s"
                                        .formatted(
                                                component.path("name").asText(),
                                                component.path("version").asText(),
                                                sha256(component)))
                .containsExactlyInAnyOrderElementsOf(packaged);
    }

    @Test
    void eachLibraryIsThereInOneVersionThatIsReleased() {
        assertThat(components)
                .extracting(
                        component ->
                                component.path("group").asText()
                                        + ":"
                                        + component.path("name").asText())
                .doesNotHaveDuplicates();
        assertThat(components)
                .extracting(component -> component.path("version").asText())
                .noneMatch(version -> version.contains("SNAPSHOT"));
    }

    @Test
    void eachLibraryHasALicenceUnderWhichItMayBePassedOn() {
        assertThat(components)
                .allSatisfy(
                        component ->
                                assertThat(list(component.path("licenses")))
                                        .describedAs(component.path("name").asText())
                                        .extracting(entry -> entry.at("/license/id").asText())
                                        .containsAnyElementsOf(LICENCES));
    }

    @Test
    void itIsTheSameWhereverAndWheneverItIsBuilt() {
        assertThat(text)
                .doesNotContain("\"timestamp\"", "serialNumber", "file:")
                .doesNotContain(Path.of("").toAbsolutePath().toString());
    }

    private static String sha256(JsonNode component) {
        return list(component.path("hashes")).stream()
                .filter(hash -> hash.path("alg").asText().equals("SHA-256"))
                .map(hash -> hash.path("content").asText())
                .findFirst()
                .orElse("");
    }

    private static List<JsonNode> list(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }
}
