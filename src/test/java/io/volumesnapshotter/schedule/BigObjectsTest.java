package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.volumesnapshotter.kubernetes.ClusterAccess;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import io.volumesnapshotter.testing.ListServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Whoever may create claims or snapshots may make them big, and that stops nobody's snapshots. */
class BigObjectsTest {

    private static final Pattern LIMIT = Pattern.compile("limit=(\\d+)");
    private static final Pattern NEXT = Pattern.compile("continue=(\\d+)");

    @Test
    void claimsWithTheBiggestAnnotationsFitIntoAHeapThatIsSmallerThanTheirList() throws Exception {
        String claim =
                "{\"metadata\":{\"name\":\"claim-%d\",\"namespace\":\"apps\",\"uid\":\"u\","
                        + "\"creationTimestamp\":\"2026-11-22T10:00:01Z\",\"annotations\":{\"a\":\""
                        + "x".repeat(250 * 1024)
                        + "\"}},\"spec\":{},\"status\":{\"phase\":\"Bound\"}}";
        assertThat(readInSmallHeap("24m", "claims", 120, "PersistentVolumeClaimList", claim))
                .isEqualTo("120");
    }

    @Test
    void fiftyThousandSnapshotsWithMuchMetadataAreHeldInLittle() throws Exception {
        String snapshot =
                "{\"metadata\":{\"name\":\"data-hourly-%d\",\"namespace\":\"apps\","
                        + "\"uid\":\"0b5c1d1e-8a3f-4d2c-9b7e-2f6a5c4d3e2f\","
                        + "\"creationTimestamp\":\"2026-11-22T10:00:01Z\",\"annotations\":{\"a\":\""
                        + "x".repeat(10 * 1024)
                        + "\"}},\"spec\":{\"source\":{\"persistentVolumeClaimName\":\"data\"}},"
                        + "\"status\":{\"readyToUse\":true,\"error\":{\"message\":\""
                        + "x".repeat(2 * 1024)
                        + "\"}}}";
        String small = snapshot.replaceAll(",\"error\":\\{.*?\\}", "");
        assertThat(readInSmallHeap("64m", "snapshots", 51_000, "VolumeSnapshotList", small))
                .isEqualTo("51000");
        assertThat(readInSmallHeap("28m", "snapshots", 5_000, "VolumeSnapshotList", snapshot))
                .isEqualTo("5000");
    }

    private static String readInSmallHeap(
            String heap, String what, int count, String kind, String item) throws Exception {
        try (ListServer server =
                new ListServer((exchange, query) -> send(exchange, query, count, kind, item))) {
            Process reader =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-Xmx" + heap,
                                    "-XX:+UseSerialGC",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    BigObjectsTest.class.getName(),
                                    server.url(),
                                    what)
                            .redirectErrorStream(true)
                            .start();
            List<String> told =
                    new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
            assertThat(reader.waitFor()).as("%s", told).isZero();
            return told.get(told.size() - 1);
        }
    }

    private static void send(
            HttpExchange exchange, String query, int count, String kind, String item)
            throws IOException {
        int from = number(NEXT, query);
        int to = Math.min(count, from + number(LIMIT, query));
        ListServer.sendPage(exchange, kind, from, to, to < count ? "" + to : "", item);
    }

    private static int number(Pattern pattern, String query) {
        Matcher found = pattern.matcher(query);
        return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }

    /** Reads what the server has, and says how many it holds. */
    public static void main(String[] args) {
        Config config = new ConfigBuilder(Config.empty()).withMasterUrl(args[0]).build();
        try (KubernetesClient client = ClusterAccess.connect(config, Duration.ofMinutes(2))) {
            if (args[1].equals("claims")) {
                Claims claims = new Claims(client, InstantSource.system());
                claims.markListable(Optional.empty());
                System.out.println(claims.facts(Optional.empty()).present().size());
            } else {
                List<Snapshot> snapshots =
                        new ClusterReader(client)
                                .list(
                                        SnapshotApi.KIND,
                                        Optional.empty(),
                                        null,
                                        500,
                                        SnapshotReader.FIELDS,
                                        object -> Optional.of(SnapshotReader.read(object)));
                System.out.println(snapshots.size());
            }
        }
    }
}
