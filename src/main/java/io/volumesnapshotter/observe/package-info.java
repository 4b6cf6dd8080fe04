/**
 * What people see: metrics, health, MBeans, logs and Events. Nothing is decided here, and no room
 * but the root knows it.
 *
 * <p>Begin with {@link io.volumesnapshotter.observe.ScheduleMonitor}.
 */
package io.volumesnapshotter.observe;
