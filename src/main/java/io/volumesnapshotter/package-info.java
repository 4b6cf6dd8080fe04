/**
 * Starts the program and wires its rooms together. It knows all of them, and none knows it.
 *
 * <p>Begin with {@link io.volumesnapshotter.SnapshotterConfiguration}.
 */
package io.volumesnapshotter;
