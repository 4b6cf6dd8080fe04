package io.volumesnapshotter.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComponentsTest {

    @TempDir private Path home;

    @Test
    void itNamesWhatShips() {
        List<String> shipped = List.of(Components.look().words().split(", "));
        assertThat(shipped).contains("direct", "http", "policy", "quartz", "timer").isSorted();
    }

    @Test
    void itNamesWhatAJarInTheFolderExtAdds() throws Exception {
        Path jar = Files.createDirectory(home.resolve("ext")).resolve("camel-slack.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(file)) {
            entries.putNextEntry(
                    new JarEntry("META-INF/services/org/apache/camel/component.properties"));
            entries.write("components=slack direct\n".getBytes(StandardCharsets.UTF_8));
        }
        try (URLClassLoader classes =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, getClass().getClassLoader())) {
            assertThat(Components.look(classes).words()).endsWith("; of ext: slack");
        }
    }
}
