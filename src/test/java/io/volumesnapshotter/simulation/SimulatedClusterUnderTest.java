package io.volumesnapshotter.simulation;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The simulation, with a driver slow enough that each of its steps can be seen. */
final class SimulatedClusterUnderTest implements ClusterUnderTest {

    private final SimulatedCluster cluster = SimulatedCluster.start();
    private final ApiCaller program;
    private final ApiCaller admin;
    private final ApiCaller anonymous;
    private final ApiCaller stranger;

    SimulatedClusterUnderTest() {
        cluster.claim(namespace(), claim());
        cluster.driver().startsAfter(Duration.ofMillis(100)).readyAfter(Duration.ofMillis(100));
        Config config = cluster.config(namespace());
        program = new ApiCaller(config);
        admin = new ApiCaller(cluster.admin().getConfiguration());
        anonymous = new ApiCaller(withToken(config, null));
        stranger = new ApiCaller(withToken(config, "nobody-knows-it"));
    }

    static Config withToken(Config config, String token) {
        return new ConfigBuilder(Config.empty())
                .withMasterUrl(config.getMasterUrl())
                .withCaCertData(config.getCaCertData())
                .withCaCertFile(config.getCaCertFile())
                .withTrustCerts(config.isTrustCerts())
                .withOauthToken(token)
                .withRequestRetryBackoffLimit(0)
                .build();
    }

    @Override
    public String namespace() {
        return SimulatedCluster.NAMESPACE;
    }

    @Override
    public String claim() {
        return "data";
    }

    @Override
    public String snapshotClass() {
        return SimulatedCluster.SNAPSHOT_CLASS;
    }

    @Override
    public String storageClass(String bindingMode) {
        String name = "csi-hostpath-" + bindingMode.toLowerCase(Locale.ROOT);
        cluster.storage().storageClass(name, SimulatedCluster.DRIVER, bindingMode);
        return name;
    }

    @Override
    public ApiCaller program() {
        return program;
    }

    @Override
    public ApiCaller admin() {
        return admin;
    }

    @Override
    public ApiCaller anonymous() {
        return anonymous;
    }

    @Override
    public ApiCaller stranger() {
        return stranger;
    }

    @Override
    public Optional<SimulatedCluster> simulation() {
        return Optional.of(cluster);
    }

    @Override
    public void close() {
        List.of(program, admin, anonymous, stranger).forEach(ApiCaller::close);
        cluster.close();
    }
}
