package io.volumesnapshotter.testing;

import io.volumesnapshotter.routes.RouteFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Copies of the route files that ship, with schedules of a test's own beside them. */
public final class TestRoutes {

    private TestRoutes() {}

    public static void copyTo(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(RouteFiles.SUFFIX)).toList()) {
                Files.copy(
                        file,
                        directory.resolve(file.getFileName()),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Makes the waits before a request is sent again begin with 20 ms instead of a second. */
    public static void retryQuickly(Path directory) throws IOException {
        Path file = directory.resolve("error-handling" + RouteFiles.SUFFIX);
        String second = "redeliveryDelay: \"1000\"";
        String text = Files.readString(file);
        if (!text.contains(second)) {
            throw new IllegalStateException(file + " has no " + second);
        }
        Files.writeString(file, text.replace(second, "redeliveryDelay: \"20\""));
    }

    /**
     * The routes that ship with the drill of the examples in place of the hourly schedule.
     *
     * @param cron when it is due
     * @param within in what time each claim is to be proven
     * @param parameters what its step has besides
     */
    public static void drill(Path directory, String cron, String within, String... parameters)
            throws IOException {
        copyTo(Files.createDirectories(directory));
        retryQuickly(directory);
        Files.delete(directory.resolve("hourly" + RouteFiles.SUFFIX));
        String name = "drill" + RouteFiles.SUFFIX;
        String more =
                Stream.of(parameters)
                        .map(parameter -> "              " + parameter + "\n")
                        .collect(Collectors.joining());
        Files.writeString(
                directory.resolve(name),
                Files.readString(Path.of("examples", name))
                        .replace("30 3 * * *", cron)
                        .replace("within: 7d", "within: " + within)
                        .replace("              max-age: 26h\n", more));
    }

    /**
     * Writes a schedule as a user would: the hourly one under another name, with settings.
     *
     * @param settings the settings of its policy, such as {@code keep-last: 3}
     */
    public static void schedule(Path directory, String name, String... settings)
            throws IOException {
        String hourly = Files.readString(Path.of("routes", "hourly" + RouteFiles.SUFFIX));
        StringBuilder policy = new StringBuilder("uri: policy:" + name + "\n");
        if (settings.length > 0) {
            policy.append("            parameters:\n");
        }
        for (String setting : settings) {
            policy.append("              ").append(setting).append('\n');
        }
        Files.writeString(
                directory.resolve(name + RouteFiles.SUFFIX),
                hourly.replace("hourly", name)
                        .replace("uri: policy:" + name + "\n", policy.toString()));
    }
}
