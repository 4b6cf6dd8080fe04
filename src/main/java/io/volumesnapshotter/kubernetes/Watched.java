package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands in files that somebody may replace, as the kubelet does. They are read each time,
 * which costs nothing beside the request that they are read for. When what is there makes no sense,
 * as in the middle of an exchange, what was there before counts on.
 *
 * @param <T> what the content means
 */
final class Watched<T> {

    /** A content, and where messages say that it stands. */
    record Source(String place, Optional<Path> file, byte[] data) {

        static Source of(String place, Path file) {
            return new Source(place, Optional.of(file), null);
        }

        static Source of(String place, byte[] data) {
            return new Source(place, Optional.empty(), data);
        }

        byte[] read() throws IOException {
            if (file.isEmpty()) {
                return data;
            }
            try {
                return Files.readAllBytes(file.get());
            } catch (IOException e) {
                throw new IOException(
                        "it cannot be read (" + e.getClass().getSimpleName() + ")", e);
            }
        }

        String shown() {
            return file.map(Path::toString).orElse(KubeconfigEntry.HIDDEN);
        }
    }

    /** What contents mean. */
    @FunctionalInterface
    interface Meaning<T> {

        /**
         * @throws IOException when they mean nothing, with the reason and without a secret
         */
        T of(List<byte[]> contents) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(Watched.class);

    private final List<Source> sources;
    private final Meaning<T> meaning;
    private List<byte[]> seen;
    private T value;
    private boolean told;

    /**
     * @param sources the first of them is the one that messages name
     */
    Watched(List<Source> sources, Meaning<T> meaning) {
        this.sources = sources;
        this.meaning = meaning;
    }

    /**
     * What they mean, now or when they last meant something; the same object while nothing changes.
     *
     * @throws NoCredentialException when they never did
     */
    synchronized T read() {
        try {
            List<byte[]> contents = new ArrayList<>();
            for (Source source : sources) {
                contents.add(source.read());
            }
            if (seen == null || !Arrays.deepEquals(seen.toArray(), contents.toArray())) {
                value = meaning.of(contents);
                seen = contents;
            }
            told = false;
        } catch (IOException e) {
            Source first = sources.get(0);
            if (seen == null) {
                throw new NoCredentialException(first.place, first.shown(), e.getMessage());
            }
            if (!told) {
                LOG.warn(
                        "{} \"{}\": {}; what was there before counts on",
                        first.place,
                        first.shown(),
                        e.getMessage());
                told = true;
            }
        }
        return value;
    }
}
