/**
 * What the user sets, read as typed values, and the one-line mistakes that name a wrong one. It
 * knows no other room.
 *
 * <p>Begin with {@link io.volumesnapshotter.settings.ScheduleSettings}, which describes those of a
 * schedule.
 */
package io.volumesnapshotter.settings;
