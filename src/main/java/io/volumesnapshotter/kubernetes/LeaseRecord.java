package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;

/**
 * What a Lease says. Two that differ in anything are the work of somebody who is alive.
 *
 * @param holder who leads; empty for nobody
 * @param duration how long others wait after they saw it renewed
 * @param acquired when its holder got it, by that holder's clock; null where nobody wrote it
 * @param renewed when its holder wrote it last, by that holder's clock; null where nobody did
 * @param transitions how often it went from one holder to another
 * @param version resource version; null for one that is yet to be created
 */
record LeaseRecord(
        String holder,
        Duration duration,
        Instant acquired,
        Instant renewed,
        int transitions,
        String version) {

    /** Reads a Lease. One that says not how long it holds, which no elector wrote, holds 0 s. */
    static LeaseRecord of(Lease lease) {
        LeaseSpec spec = lease.getSpec() == null ? new LeaseSpec() : lease.getSpec();
        return new LeaseRecord(
                spec.getHolderIdentity() == null ? "" : spec.getHolderIdentity(),
                Duration.ofSeconds(orZero(spec.getLeaseDurationSeconds())),
                instant(spec.getAcquireTime()),
                instant(spec.getRenewTime()),
                orZero(spec.getLeaseTransitions()),
                lease.getMetadata().getResourceVersion());
    }

    /** The Lease that says this. */
    Lease toLease(String namespace, String name) {
        return new LeaseBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .withResourceVersion(version)
                .endMetadata()
                .withNewSpec()
                .withHolderIdentity(holder)
                .withLeaseDurationSeconds(Math.toIntExact(duration.toSeconds()))
                .withAcquireTime(acquired.atZone(ZoneOffset.UTC))
                .withRenewTime(renewed.atZone(ZoneOffset.UTC))
                .withLeaseTransitions(transitions)
                .endSpec()
                .build();
    }

    private static int orZero(Integer number) {
        return number == null ? 0 : number;
    }

    private static Instant instant(ZonedDateTime time) {
        return time == null ? null : time.toInstant();
    }
}
