package io.volumesnapshotter.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.volumesnapshotter.kubernetes.AccessLab;
import io.volumesnapshotter.kubernetes.KubeServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract's own client takes a refusal for one, also where the server goes away after it. */
class ApiCallerTest {

    @Test
    void aRefusalAfterWhichTheServerGoesAwayIsARefusal(@TempDir Path directory) throws Exception {
        try (AccessLab lab = new AccessLab(directory, true)) {
            lab.server().accepts(any -> false);
            lab.server().farewell(KubeServer.Farewell.GO_AWAY);
            Config config =
                    new ConfigBuilder(Config.empty())
                            .withMasterUrl(lab.server().url())
                            .withCaCertData(lab.authorityData())
                            .withRequestRetryBackoffLimit(0)
                            .build();
            try (ApiCaller caller = new ApiCaller(config)) {
                for (int i = 0; i < 3; i++) {
                    assertThat(caller.get("/version").refusal())
                            .isEqualTo("401 Unauthorized: Unauthorized");
                }
            }
        }
    }
}
