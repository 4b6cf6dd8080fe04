/**
 * What a schedule is: its policy, its trigger and cron expression, and the claims that it selects.
 * It knows {@code snapshot}, {@code kubernetes} and {@code settings}.
 *
 * <p>Begin with {@link io.volumesnapshotter.schedule.Policy}.
 */
package io.volumesnapshotter.schedule;
