package io.volumesnapshotter;

import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a schedule does whenever it fires.
 *
 * @param namespace where the claims are; empty for the one that the program runs in
 * @param claims names of the claims, at least one
 * @param snapshotClassName the VolumeSnapshotClass; empty for the cluster's default
 * @param keep which snapshots of a claim stay
 * @param timeZone in which the keep rules mean hours, days, weeks, months and years
 * @param readyTimeout how long a snapshot may take to become ready once its work has started
 * @param pollInterval how long to wait before the first look
 * @param maxPollInterval the longest wait between two looks
 */
public record Policy(
        Optional<String> namespace,
        List<String> claims,
        Optional<String> snapshotClassName,
        Keep keep,
        ZoneId timeZone,
        Duration readyTimeout,
        Duration pollInterval,
        Duration maxPollInterval) {

    /** The names of the settings that make a policy, as they stand in a schedule's file. */
    public static final Set<String> SETTINGS =
            Stream.concat(
                            Stream.of(
                                    "namespace",
                                    "claims",
                                    "snapshot-class-name",
                                    "time-zone",
                                    "ready-timeout",
                                    "poll-interval",
                                    "max-poll-interval"),
                            Keep.SETTINGS.stream())
                    .collect(Collectors.toUnmodifiableSet());

    /**
     * @throws InvalidSettingException when a setting is wrong or two contradict each other
     */
    public static Policy of(Settings settings) {
        Policy policy =
                new Policy(
                        settings.namespace("namespace"),
                        settings.claims("claims"),
                        settings.objectName("snapshot-class-name"),
                        Keep.of(settings),
                        settings.zone("time-zone"),
                        settings.duration("ready-timeout"),
                        settings.duration("poll-interval"),
                        settings.duration("max-poll-interval"));
        if (policy.maxPollInterval.compareTo(policy.pollInterval) < 0) {
            throw settings.invalid(
                    "max-poll-interval",
                    "it must not be shorter than poll-interval, " + settings.text("poll-interval"));
        }
        if (policy.readyTimeout.compareTo(policy.pollInterval) < 0) {
            throw settings.invalid(
                    "ready-timeout",
                    "it must not be shorter than poll-interval, " + settings.text("poll-interval"));
        }
        return policy;
    }
}
