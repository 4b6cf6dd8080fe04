package io.volumesnapshotter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packages are rooms: each knows only those below it. */
class RoomsTest {

    /** From the lowest to the highest; the root is above all. */
    private static final List<String> ROOMS =
            List.of(
                    "settings",
                    "kubernetes",
                    "snapshot",
                    "schedule",
                    "run",
                    "hook",
                    "restore",
                    "drill",
                    "preflight",
                    "routes",
                    "observe",
                    "command",
                    "");

    private static final Path CLASSES = Path.of("target", "classes");
    private static final Path SOURCES = Path.of("src", "main", "java", "io", "volumesnapshotter");

    private static final Pattern DEPENDENCY =
            Pattern.compile(
                    "(?m)^ +io\\.volumesnapshotter\\.(?:([a-z]+)\\.)?([A-Z]\\S*) +->"
                            + " io\\.volumesnapshotter\\.(?:([a-z]+)\\.)?([A-Z]\\S*) ");

    private static final Pattern IMPORT = Pattern.compile("(?m)^import (?:static )?([\\w.]+);");

    /** A dependency of a class of one room on a class of another. */
    private record Arrow(String from, String fromRoom, String to, String toRoom) {

        boolean isDownward() {
            return ROOMS.indexOf(toRoom) < ROOMS.indexOf(fromRoom);
        }
    }

    @Test
    void aRoomKnowsOnlyTheRoomsBelowIt() {
        List<Arrow> arrows = arrows();
        assertThat(arrows).hasSizeGreaterThan(100);
        assertThat(arrows).filteredOn(arrow -> !arrow.isDownward()).isEmpty();
    }

    @Test
    void eachPackageIsARoomAndSaysWhatLivesThere() throws Exception {
        try (Stream<Path> entries = Files.list(SOURCES)) {
            List<String> packages =
                    entries.filter(Files::isDirectory)
                            .map(path -> path.getFileName().toString())
                            .toList();
            assertThat(packages)
                    .containsExactlyInAnyOrderElementsOf(ROOMS.subList(0, ROOMS.size() - 1));
        }
        for (String room : ROOMS) {
            assertThat(SOURCES.resolve(room).resolve("package-info.java"))
                    .content()
                    .contains("Begin with {@link");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"org.apache.camel.", "io.fabric8.kubernetes.client.", "java.net.http."})
    void decisionsAboutSnapshotsNeedNeitherCamelNorAClient(String library) throws Exception {
        try (Stream<Path> files = Files.list(SOURCES.resolve("snapshot"))) {
            for (Path file : files.toList()) {
                assertThat(imports(Files.readString(file)))
                        .as("imports of %s", file)
                        .noneMatch(name -> name.startsWith(library));
            }
        }
    }

    private static List<String> imports(String source) {
        return IMPORT.matcher(source).results().map(found -> found.group(1)).toList();
    }

    private static List<Arrow> arrows() {
        StringWriter out = new StringWriter();
        ToolProvider.findFirst("jdeps")
                .orElseThrow()
                .run(
                        new PrintWriter(out),
                        new PrintWriter(System.err, true),
                        "--multi-release",
                        "17",
                        "-verbose:class",
                        "-filter:none",
                        CLASSES.toString());
        return DEPENDENCY
                .matcher(out.toString())
                .results()
                .map(RoomsTest::arrow)
                .filter(arrow -> !arrow.fromRoom.equals(arrow.toRoom))
                .toList();
    }

    private static Arrow arrow(MatchResult found) {
        return new Arrow(
                found.group(2), room(found.group(1)), found.group(4), room(found.group(3)));
    }

    private static String room(String name) {
        return name == null ? "" : name;
    }
}
