package io.volumesnapshotter.routes;

import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the directory of the route files: what is one, and all of them at one moment. */
final class RouteDirectory {

    /** Where a ConfigMap's mount keeps the files; it changes to all new ones in one step. */
    private static final String MOUNTED = "..data";

    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private final Path directory;
    private final Set<Path> misnamed = new TreeSet<>();

    /**
     * What one reading found.
     *
     * @param texts what could be read, by file
     * @param unreadable why other files, or the directory, could not be read
     */
    record Reading(Map<Path, String> texts, Map<Path, String> unreadable) {

        boolean isEmpty() {
            return texts.isEmpty() && unreadable.isEmpty();
        }

        /** What could not be read, as mistakes. */
        Map<Path, InvalidSettingException> wrong() {
            Map<Path, InvalidSettingException> wrong = new TreeMap<>();
            unreadable.forEach(
                    (file, words) ->
                            wrong.put(
                                    file,
                                    new InvalidSettingException(
                                            "snapshotter.routes",
                                            file.toString(),
                                            "it cannot be read: " + words)));
            return wrong;
        }
    }

    /**
     * @param directory the directory; a symbolic link to one, as in a ConfigMap mount, is followed
     */
    RouteDirectory(Path directory) {
        this.directory = directory;
    }

    /** Whether all files change in one step, so that none is seen half-written. */
    boolean isMounted() {
        return Files.exists(directory.resolve(MOUNTED));
    }

    /** Reads all files of one generation. */
    Reading read() throws IOException {
        while (true) {
            Path generation = generation();
            Reading reading = read(generation);
            if (generation.equals(generation())) {
                return reading;
            }
        }
    }

    private Path generation() throws IOException {
        Path mounted = directory.resolve(MOUNTED);
        try {
            return Files.exists(mounted) ? mounted.toRealPath() : directory;
        } catch (NoSuchFileException e) {
            return directory;
        }
    }

    private Reading read(Path generation) throws IOException {
        Reading reading = new Reading(new TreeMap<>(), new TreeMap<>());
        List<Path> entries = List.of();
        try (Stream<Path> all = Files.list(generation)) {
            entries = all.toList();
        } catch (NoSuchFileException | NotDirectoryException e) {
            LOG.debug("{} is gone", generation);
        } catch (IOException e) {
            reading.unreadable.put(directory, ErrorText.rootWords(e));
        }
        for (Path entry : entries) {
            Path file = directory.resolve(RouteReport.name(entry));
            if (isHidden(file)) {
                // Half-written, locked or of the mount: editors, rsync, macOS, the kubelet.
                continue;
            }
            if (RouteReport.name(entry).endsWith(RouteFiles.SUFFIX)) {
                try {
                    reading.texts.put(file, Files.readString(entry));
                } catch (NoSuchFileException e) {
                    LOG.debug("{} is gone", entry);
                } catch (MalformedInputException e) {
                    reading.unreadable.put(file, "it is not in UTF-8");
                } catch (IOException e) {
                    reading.unreadable.put(file, ErrorText.rootWords(e));
                }
            } else if (isMisnamed(file) && misnamed.add(file)) {
                LOG.warn(
                        "{}: not loaded, because its name does not end in {}",
                        file,
                        RouteFiles.SUFFIX);
            }
        }
        return reading;
    }

    private static boolean isHidden(Path file) {
        return RouteReport.name(file).startsWith(".");
    }

    private static boolean isMisnamed(Path file) {
        return (RouteReport.name(file).endsWith(".yaml") || RouteReport.name(file).endsWith(".yml"))
                && !RouteReport.name(file).endsWith(RouteFiles.SUFFIX)
                && !RouteReport.name(file).equals("kustomization.yaml");
    }
}
