/**
 * Claims and snapshots as plain values: their names, labels and keep rules, and the decision which
 * snapshots are stale. It imports neither Camel nor a Kubernetes client.
 *
 * <p>Begin with {@link io.volumesnapshotter.snapshot.Retention}.
 */
package io.volumesnapshotter.snapshot;
