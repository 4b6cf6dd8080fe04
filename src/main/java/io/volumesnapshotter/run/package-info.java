/**
 * One firing of a schedule: what was asked for, what was seen ready, what failed, and what may be
 * deleted. It knows {@code schedule} and the rooms below it.
 *
 * <p>Begin with {@link io.volumesnapshotter.run.Runs}, which the routes call.
 */
package io.volumesnapshotter.run;
