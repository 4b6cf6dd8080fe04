/**
 * Freezes applications while storage cuts, in a way that ends by itself: a session that is held,
 * and a bound that is watched. Begin with {@link io.volumesnapshotter.hook.Freezes}.
 */
package io.volumesnapshotter.hook;
