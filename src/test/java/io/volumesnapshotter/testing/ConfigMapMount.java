package io.volumesnapshotter.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Writes files as the kubelet writes those of a mounted ConfigMap, in the same order of steps. */
public final class ConfigMapMount {

    private static final String DATA = "..data";

    private ConfigMapMount() {}

    /** Makes a directory hold these files, by their names. */
    public static void write(Path directory, Map<String, String> files) throws IOException {
        Path data = directory.resolve(DATA);
        Path old = Files.exists(data) ? data.toRealPath() : null;
        Path fresh = Files.createTempDirectory(directory, "..2026_11_23_02_24_05.");
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(fresh.resolve(file.getKey()), file.getValue());
        }
        Path link = directory.resolve("..data_tmp");
        Files.createSymbolicLink(link, fresh.getFileName());
        Files.move(link, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        for (String name : files.keySet()) {
            Path visible = directory.resolve(name);
            if (!Files.exists(visible, LinkOption.NOFOLLOW_LINKS)) {
                Files.createSymbolicLink(visible, Path.of(DATA, name));
            }
        }
        for (Path visible : list(directory)) {
            String name = visible.getFileName().toString();
            if (!name.startsWith("..") && !files.containsKey(name)) {
                Files.delete(visible);
            }
        }
        if (old != null) {
            for (Path file : list(old)) {
                Files.delete(file);
            }
            Files.delete(old);
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        }
    }
}
