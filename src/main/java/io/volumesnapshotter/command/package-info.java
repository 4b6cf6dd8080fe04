/**
 * The command line: what is asked for by hand, by the same routes and decisions as the schedules.
 *
 * <p>Begin with {@link io.volumesnapshotter.command.Commands}; a command is a {@link
 * io.volumesnapshotter.command.ClusterCommand}.
 */
package io.volumesnapshotter.command;
