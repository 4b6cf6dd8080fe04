package io.volumesnapshotter.schedule;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.CoreApi;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the CSI driver of volumes whose claims do not name it. That takes a right on the cluster
 * that the program need not have. The driver of a volume never changes, so each is read once.
 */
final class VolumeDrivers {

    /** How many volumes are remembered. */
    private static final int MAX = 10_000;

    /** How long not to ask again where the right is missing. */
    private static final Duration UNTIL_ASKED_AGAIN = Duration.ofMinutes(10);

    private static final String DRIVER = ApiObject.field("spec", "csi", "driver");

    private final ClusterReader reader;
    private final InstantSource clock;
    private Instant refused = Instant.MIN;

    /** Empty for a volume of no CSI driver. */
    private final Map<String, String> byVolume =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
                    return size() > MAX;
                }
            };

    VolumeDrivers(ClusterReader reader, InstantSource clock) {
        this.reader = reader;
        this.clock = clock;
    }

    /**
     * An answer.
     *
     * @param name the driver, or null
     * @param missing where there is none, why
     */
    record Driver(String name, String missing) {

        Optional<String> found() {
            return Optional.ofNullable(name);
        }
    }

    /**
     * The driver of a claim: what its provisioner wrote on it, else its volume's.
     *
     * @throws KubernetesClientException when the volume cannot be read for another reason than a
     *     right that is missing
     */
    synchronized Driver of(FoundClaim claim) {
        if (claim.driver().isPresent()) {
            return new Driver(claim.driver().get(), "");
        }
        String volume = claim.volume().orElse(null);
        if (volume == null) {
            return new Driver(null, "and it names no volume");
        }
        String known = byVolume.get(volume);
        if (known != null) {
            return read(volume, known);
        }
        if (refused.isAfter(clock.instant().minus(UNTIL_ASKED_AGAIN))) {
            return unreadable(volume);
        }
        try {
            Optional<ApiObject> found =
                    reader.get(CoreApi.VOLUMES, Optional.empty(), volume, List.of(DRIVER));
            if (found.isEmpty()) {
                return new Driver(null, "and its volume %s is not there".formatted(volume));
            }
            String driver = found.get().text(DRIVER, "");
            byVolume.put(volume, driver);
            return read(volume, driver);
        } catch (KubernetesClientException e) {
            if (!ApiErrors.isMissingRight(e)) {
                throw e;
            }
            refused = clock.instant();
            return unreadable(volume);
        }
    }

    private static Driver read(String volume, String driver) {
        return driver.isEmpty()
                ? new Driver(null, "and its volume %s is of no CSI driver".formatted(volume))
                : new Driver(driver, "");
    }

    private static Driver unreadable(String volume) {
        return new Driver(
                null,
                "and its volume %s may not be read, which k8s/components/read-volumes grants"
                        .formatted(volume));
    }
}
