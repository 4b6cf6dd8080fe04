package io.volumesnapshotter.simulation;

import java.util.Optional;

/** The cluster that the contract is tried on: the simulated one, or a real one that was given. */
interface ClusterUnderTest extends AutoCloseable {

    /** Simulated, unless the profile {@code cluster} says that there is a real one. */
    static ClusterUnderTest start() {
        return Boolean.getBoolean("cluster.real")
                ? RealClusterUnderTest.start()
                : new SimulatedClusterUnderTest();
    }

    /** A namespace that belongs to the test. */
    String namespace();

    /** A bound claim in the namespace. */
    String claim();

    /** A snapshot class of the claim's driver. */
    String snapshotClass();

    /**
     * A storage class of the claim's driver that deletes its volumes.
     *
     * @param bindingMode Immediate or WaitForFirstConsumer
     */
    String storageClass(String bindingMode);

    /** A ServiceAccount with create, get, list and delete on volumesnapshots in the namespace. */
    ApiCaller program();

    /** The user name of that ServiceAccount. */
    default String programUser() {
        return "system:serviceaccount:" + namespace() + ":" + SimulatedCluster.SERVICE_ACCOUNT;
    }

    ApiCaller admin();

    ApiCaller anonymous();

    /** A caller with a token that nobody has given out. */
    ApiCaller stranger();

    /** For what cannot be brought about on a real cluster. */
    Optional<SimulatedCluster> simulation();

    @Override
    void close();
}
