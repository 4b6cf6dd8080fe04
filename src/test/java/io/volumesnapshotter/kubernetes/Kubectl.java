package io.volumesnapshotter.kubernetes;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** kubectl, where this machine has it: whatever it makes of a kubeconfig is right. */
public final class Kubectl {

    /**
     * What it did.
     *
     * @param isYes whether it ended with 0
     */
    public record Answer(boolean isYes, String output) {}

    private Kubectl() {}

    public static boolean isThere() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "kubectl")));
    }

    /**
     * Lets it do something.
     *
     * @param environment all of its environment but the PATH
     * @param home where it keeps what it keeps
     */
    public static Answer ask(Map<String, String> environment, Path home, String... arguments)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(
                                Stream.concat(Stream.of("kubectl"), Stream.of(arguments)).toList())
                        .redirectErrorStream(true)
                        .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv("PATH"));
        builder.environment().put("HOME", home.toString());
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(3, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IOException("kubectl hangs: " + output);
        }
        return new Answer(process.exitValue() == 0, output);
    }
}
