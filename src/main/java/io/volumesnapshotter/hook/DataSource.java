package io.volumesnapshotter.hook;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a database is and who logs in, as a mounted Secret says it.
 *
 * @param name name of the folder
 * @param url the JDBC URL, which may hold a password
 */
record DataSource(String name, String url, Optional<String> username, Optional<String> password) {

    /** Names of the file with the URL; the second one is that in Secrets of CloudNativePG. */
    private static final List<String> URL_FILES = List.of("url", "jdbc-uri");

    private static final String HIDDEN = "…";

    /**
     * Reads it anew each time, so that a Secret may be rotated.
     *
     * @param directory holds a folder for each
     */
    static DataSource read(Path directory, String name) throws HookException {
        if (name.isEmpty()) {
            throw new HookException(
                    "the schedule names no data source", "set data-source beside quiesce");
        }
        Path folder = directory.resolve(name);
        for (String file : URL_FILES) {
            Optional<String> url = content(folder.resolve(file));
            if (url.isPresent()) {
                return new DataSource(
                        name,
                        url.get(),
                        content(folder.resolve("username")),
                        content(folder.resolve("password")));
            }
        }
        throw new HookException(
                "there is no data source " + name + ": " + folder.resolve("url") + " is missing",
                "mount a Secret with url, username and password at " + folder);
    }

    private static Optional<String> content(Path file) throws HookException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty());
        } catch (IOException e) {
            throw new HookException(
                    file + " cannot be read (" + e.getClass().getSimpleName() + ")",
                    "let the program's user read it");
        }
    }

    /** A text of the driver's without what is secret. */
    String withoutSecrets(String text) {
        String clean = text.replace(url, HIDDEN);
        return password.map(secret -> clean.replace(secret, HIDDEN)).orElse(clean);
    }

    @Override
    public String toString() {
        return name;
    }
}
