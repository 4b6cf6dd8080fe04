/**
 * Gives data back: which snapshot, into which claim, and the steps there. Decisions are functions
 * of what was read; each change of the cluster is a {@link io.volumesnapshotter.kubernetes.Change},
 * which a route sends. Begin with {@link io.volumesnapshotter.restore.NewClaim}, then {@link
 * io.volumesnapshotter.restore.Restores}.
 */
package io.volumesnapshotter.restore;
