/**
 * Looks whether the cluster lets the schedules work, and says what to grant, install or correct. It
 * reads only, and knows {@code schedule} and the rooms below it.
 *
 * <p>Begin with {@link io.volumesnapshotter.preflight.Preflight}.
 */
package io.volumesnapshotter.preflight;
