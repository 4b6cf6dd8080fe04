package io.volumesnapshotter.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What {@code kubectl apply -k} would send; a test that asks is skipped without kubectl. */
public final class Kustomize {

    private Kustomize() {}

    /** The objects of a kustomization, parsed strictly. */
    public static List<HasMetadata> build(Path directory) throws IOException, InterruptedException {
        Path output = Files.createTempFile("kustomize", ".yaml");
        try {
            Process process = start(directory, output);
            assertThat(process.waitFor()).as(Files.readString(output)).isZero();
            return Manifests.read(Files.readString(output));
        } finally {
            Files.delete(output);
        }
    }

    private static Process start(Path directory, Path output) {
        try {
            return new ProcessBuilder("kubectl", "kustomize", directory.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
        } catch (IOException e) {
            return assumeInstalled(e);
        }
    }

    private static Process assumeInstalled(IOException cause) {
        abort("kubectl is not installed: " + cause.getMessage());
        throw new IllegalStateException(cause);
    }
}
