/**
 * Proves that a snapshot restores, and lets one look into it: a temporary claim, a pod that reads
 * it, and nothing left of both. Begin with {@link io.volumesnapshotter.drill.Drill}, then {@link
 * io.volumesnapshotter.drill.Verdict}.
 */
package io.volumesnapshotter.drill;
