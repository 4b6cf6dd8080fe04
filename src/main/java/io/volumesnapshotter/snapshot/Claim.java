package io.volumesnapshotter.snapshot;

/**
 * A persistent volume claim by its name.
 *
 * @param namespace its namespace, which is that of its snapshots too
 * @param name its name
 */
public record Claim(String namespace, String name) {

    /** As kubectl users write it: {@code namespace/name}. */
    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
