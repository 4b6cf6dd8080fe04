package io.volumesnapshotter.kubernetes;

import java.util.List;
import java.util.Optional;
import org.apache.camel.cluster.CamelClusterMember;
import org.apache.camel.support.cluster.AbstractCamelClusterView;

/** What {@code master:} endpoints see of the election. */
final class LeaderView extends AbstractCamelClusterView {

    private final CamelClusterMember local;

    LeaderView(LeaderElection election, String identity, String namespace) {
        super(election, namespace);
        local =
                new CamelClusterMember() {
                    @Override
                    public boolean isLeader() {
                        return election.isLeader();
                    }

                    @Override
                    public boolean isLocal() {
                        return true;
                    }

                    @Override
                    public String getId() {
                        return identity;
                    }
                };
    }

    @Override
    public Optional<CamelClusterMember> getLeader() {
        return Optional.of(local).filter(CamelClusterMember::isLeader);
    }

    @Override
    public CamelClusterMember getLocalMember() {
        return local;
    }

    @Override
    public List<CamelClusterMember> getMembers() {
        return List.of(local);
    }

    /** Tells the endpoints that this replica began or ceased to lead. */
    void fireChanged() {
        fireLeadershipChangedEvent(getLeader().orElse(null));
    }
}
