/**
 * The route files: how they are checked, loaded, and exchanged while the program runs. It knows
 * {@code schedule} and the rooms below it, but nothing of runs.
 *
 * <p>Begin with {@link io.volumesnapshotter.routes.RouteFiles}.
 */
package io.volumesnapshotter.routes;
