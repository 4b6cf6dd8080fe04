/**
 * The way to the API server: credentials, requests, what an answer or an error means, and the Lease
 * by which one replica leads. It knows {@code settings} and the Kubernetes client, and nothing of
 * schedules or runs.
 *
 * <p>Begin with {@link io.volumesnapshotter.kubernetes.ClusterAccess}.
 */
package io.volumesnapshotter.kubernetes;
