package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Runs a program that answers with a credential, as kubectl runs it: without a shell, with nothing
 * to read, and with what it says beside the answer kept apart. Unlike kubectl, it ends one that
 * hangs, with all that it started.
 *
 * @param place how messages name where it stands
 * @param command its name on the PATH, or its path
 * @param environment what its environment has beside the program's own
 * @param installHint how to get it, or empty
 * @param limit how long it may take
 */
record ExecPlugin(
        String place,
        String command,
        List<String> arguments,
        Map<String, String> environment,
        String installHint,
        Duration limit) {

    /** Longer than any that signs in somewhere needs, even where there is little CPU. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final int MAX_ANSWER = 1 << 20;
    private static final int MAX_WORDS = 300;
    private static final int NOT_FOUND = 2;

    /** How long what it wrote may take to arrive after its end. */
    private static final Duration REST = Duration.ofSeconds(5);

    /**
     * What it writes to its standard output.
     *
     * @throws NoCredentialException when it cannot be run, fails or takes too long
     */
    String run() {
        ProcessBuilder builder =
                new ProcessBuilder(Stream.concat(Stream.of(command), arguments.stream()).toList());
        builder.environment().putAll(environment);
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw notStarted(e);
        }
        Thread atShutdown = new Thread(() -> end(process), "end-plugin");
        try {
            Runtime.getRuntime().addShutdownHook(atShutdown);
            return await(process);
        } catch (IllegalStateException e) {
            throw failed("the program is stopping");
        } finally {
            end(process);
            try {
                Runtime.getRuntime().removeShutdownHook(atShutdown);
            } catch (IllegalStateException e) {
                // It is running, and has ended the same.
            }
        }
    }

    private String await(Process process) {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // Nothing was to be written.
        }
        CompletableFuture<String> answer = read(process.getInputStream());
        CompletableFuture<String> words = read(process.getErrorStream());
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw failed("it took longer than %d s".formatted(limit.toSeconds()));
            }
            if (process.exitValue() != 0) {
                String said = lastLine(rest(words));
                throw failed(
                        "it ended with exit code %d".formatted(process.exitValue())
                                + (said.isEmpty() ? "" : ": " + said));
            }
            return rest(answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("it was interrupted");
        }
    }

    /** A process that it leaves behind may hold the stream open: what came until then counts. */
    private String rest(CompletableFuture<String> text) throws InterruptedException {
        try {
            return text.get(REST.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw failed("what it wrote could not be read");
        }
    }

    private static CompletableFuture<String> read(InputStream stream) {
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread reader =
                new Thread(
                        () -> {
                            try (stream) {
                                byte[] start = stream.readNBytes(MAX_ANSWER);
                                // Lets it end that has more to say.
                                stream.transferTo(OutputStream.nullOutputStream());
                                text.complete(new String(start, StandardCharsets.UTF_8));
                            } catch (IOException e) {
                                text.completeExceptionally(e);
                            }
                        },
                        "read-plugin");
        reader.setDaemon(true);
        reader.start();
        return text;
    }

    /** Ends it with all that it started and that is still its own. */
    private static void end(Process process) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        process.destroyForcibly();
        while (!all.isEmpty()) {
            ProcessHandle next = all.remove(all.size() - 1);
            next.descendants().forEach(all::add);
            next.destroyForcibly();
        }
    }

    private NoCredentialException notStarted(IOException failure) {
        boolean missing = String.valueOf(failure.getMessage()).contains("error=" + NOT_FOUND + ",");
        String hint = oneLine(installHint);
        return failed(
                (missing ? "there is no such program" : "it cannot be run")
                        + (hint.isEmpty() ? ": install it" : ": " + hint));
    }

    NoCredentialException failed(String problem) {
        return new NoCredentialException(place, command, problem);
    }

    private static String lastLine(String text) {
        return text.lines()
                .map(ExecPlugin::oneLine)
                .filter(Predicate.not(String::isEmpty))
                .reduce((first, second) -> second)
                .map(line -> line.substring(0, Math.min(line.length(), MAX_WORDS)))
                .orElse("");
    }

    /** Without what would control a terminal. */
    private static String oneLine(String text) {
        return text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    }
}
