package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.camel.cluster.CamelClusterMember;
import org.apache.camel.support.cluster.AbstractCamelClusterService;
import org.apache.camel.support.cluster.AbstractCamelClusterView;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one of several replicas lead, by a Lease, for as long as the program runs: whatever a
 * request for the Lease comes to ends at most one round of fabric8's elector, and another one
 * begins. All views of this service show the one election, whatever they are called.
 *
 * <p>What makes a leader is when it wrote the Lease last, not what the elector thinks: a program
 * that was frozen knows by the clock that its time is over before it sends any request.
 */
public final class LeaderElection extends AbstractCamelClusterService<LeaderElection.View> {

    private static final Logger LOG = LoggerFactory.getLogger(LeaderElection.class);

    /** Two requests fit into what remains of the Lease when the deadline has passed. */
    private static final Duration LONGEST_REQUEST = Duration.ofSeconds(3);

    /**
     * How the replicas share a Lease.
     *
     * @param name name of the Lease
     * @param duration how long it holds after it was renewed, in whole seconds
     * @param deadline how long the leader tries to renew it before it steps down
     * @param retry how long to wait between two tries
     */
    public record Terms(String name, Duration duration, Duration deadline, Duration retry) {

        /**
         * @throws InvalidSettingException when a setting is wrong or they do not fit together
         */
        public static Terms of(Settings settings) {
            Terms terms =
                    new Terms(
                            settings.objectName("lease-name")
                                    .orElseThrow(
                                            () -> settings.invalid("lease-name", "give a name")),
                            settings.duration("lease-duration"),
                            settings.duration("renew-deadline"),
                            settings.duration("retry-period"));
            if (terms.duration.toMillis() % 1000 != 0) {
                throw settings.invalid("lease-duration", "a Lease holds whole seconds");
            }
            if (terms.duration.compareTo(terms.deadline) <= 0) {
                throw settings.invalid(
                        "lease-duration",
                        "it must be longer than renew-deadline, "
                                + settings.text("renew-deadline"));
            }
            // The elector waits up to 2.2 times as long, so that replicas do not try in step.
            if (terms.deadline.toMillis() <= terms.retry.toMillis() * 2.2) {
                throw settings.invalid(
                        "renew-deadline",
                        "it must be longer than 2.2 times retry-period, "
                                + settings.text("retry-period"));
            }
            return terms;
        }

        /** How long a request may take, so that the leader steps down before the Lease is over. */
        public Duration longestRequest() {
            Duration half = duration.minus(deadline).dividedBy(2);
            return half.compareTo(LONGEST_REQUEST) < 0 ? half : LONGEST_REQUEST;
        }
    }

    private final KubernetesClient client;
    private final Terms terms;
    private final String identity;
    private final String lease;
    private final ScheduledExecutorService executor;
    private final InstantSource clock;
    private final List<View> views = new CopyOnWriteArrayList<>();

    private volatile Instant leadsUntil = Instant.MIN;
    private volatile Instant lastTry = Instant.MIN;
    private volatile String holder = "";
    private volatile CompletableFuture<?> round = CompletableFuture.completedFuture(null);
    private volatile boolean stopping;

    private Instant troubleSince;
    private Instant lastTrouble = Instant.MIN;
    private String troubleWords = "";
    private boolean troubleTold;

    private boolean toldLeader;
    private String toldHolder = "";

    /**
     * @param client a client of its own, in the namespace of the Lease, without retries; it is
     *     closed with this service
     * @param identity what this replica is called in the Lease
     * @param executor one thread, which ends with this service
     */
    public LeaderElection(
            KubernetesClient client,
            Terms terms,
            String identity,
            ScheduledExecutorService executor,
            InstantSource clock) {
        super("leader-election");
        this.client = client;
        this.terms = terms;
        this.identity = identity;
        this.executor = executor;
        this.clock = clock;
        lease = "Lease " + client.getNamespace() + "/" + terms.name();
    }

    /** Whether this replica leads, as surely as the clocks of the replicas agree. */
    public boolean isLeader() {
        return clock.instant().isBefore(leadsUntil);
    }

    @Override
    protected View createView(String namespace) {
        View view = new View(namespace);
        views.add(view);
        return view;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        executor.execute(this::elect);
        long tick = Math.max(1, terms.retry().toMillis() / 2);
        executor.scheduleWithFixedDelay(this::look, tick, tick, TimeUnit.MILLISECONDS);
    }

    /** Gives the Lease back, so that another replica takes over at its next try. */
    @Override
    protected void doStop() throws Exception {
        synchronized (this) {
            stopping = true;
        }
        boolean led = isLeader();
        round.cancel(true);
        if (led && holder.isEmpty()) {
            LOG.info("{} is free for another replica", lease);
        }
        leadsUntil = Instant.MIN;
        executor.shutdownNow();
        super.doStop();
        client.close();
    }

    private synchronized void elect() {
        if (stopping) {
            return;
        }
        lastTry = clock.instant();
        round =
                client.leaderElector()
                        .withConfig(
                                new LeaderElectionConfigBuilder()
                                        .withName(terms.name())
                                        .withLock(new WatchedLease())
                                        .withLeaseDuration(terms.duration())
                                        .withRenewDeadline(terms.deadline())
                                        .withRetryPeriod(terms.retry())
                                        .withReleaseOnCancel(true)
                                        .withLeaderCallbacks(
                                                new LeaderCallbacks(
                                                        () -> {}, this::stepDown, any -> {}))
                                        .build())
                        .build()
                        .start();
        round.whenComplete((any, failure) -> again());
    }

    private void again() {
        if (!stopping) {
            executor.schedule(this::elect, terms.retry().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void stepDown() {
        leadsUntil = Instant.MIN;
        lookSoon();
    }

    private void lookSoon() {
        if (!stopping) {
            executor.execute(this::look);
        }
    }

    /** Tells what has changed, and ends a round that has come to a standstill. */
    private void look() {
        if (stopping) {
            return;
        }
        try {
            boolean leader = isLeader();
            if (leader != toldLeader) {
                toldLeader = leader;
                if (leader) {
                    LOG.info("{} is the leader, by {}", identity, lease);
                } else {
                    LOG.warn("{} is not the leader any more: {}", identity, whyNot());
                }
                views.forEach(View::changed);
            }
            String other = holder;
            if (!leader && !other.equals(toldHolder) && !other.equals(identity)) {
                LOG.info(
                        "{}; {} stands by",
                        other.isEmpty() ? "there is no leader" : other + " is the leader",
                        identity);
            }
            toldHolder = other;
            if (lastTry.isBefore(clock.instant().minus(terms.duration()))) {
                round.cancel(true);
            }
        } catch (RuntimeException e) {
            LOG.error("{}: {}", lease, ErrorText.rootWords(e));
        }
    }

    private synchronized String whyNot() {
        if (!holder.isEmpty() && !holder.equals(identity)) {
            return holder + " holds " + lease;
        }
        return troubleSince == null
                ? lease + " was not renewed in time"
                : lease + " could not be renewed: " + troubleWords;
    }

    /** A passing trouble is none; one that lasts is told once, and once that it is over. */
    private synchronized void troubled(RuntimeException failure) {
        lastTrouble = clock.instant();
        troubleWords = ErrorText.words(failure);
        if (troubleSince == null) {
            troubleSince = lastTrouble;
        }
        if (!troubleTold
                && !stopping
                && troubleSince.plus(terms.deadline()).isBefore(lastTrouble)) {
            troubleTold = true;
            LOG.warn(
                    "{}: {}; this replica cannot lead -> {}", lease, troubleWords, remedy(failure));
        }
    }

    private synchronized void worked() {
        if (troubleSince != null && lastTrouble.plus(terms.duration()).isBefore(clock.instant())) {
            troubleSince = null;
            if (troubleTold) {
                troubleTold = false;
                LOG.info("{} can be read and written again", lease);
            }
        }
    }

    private static String remedy(RuntimeException failure) {
        return Causes.find(KubernetesClientException.class, failure)
                .filter(answer -> answer.getCode() == 401 || answer.getCode() == 403)
                .map(
                        answer ->
                                answer.getCode() == 401
                                        ? ApiErrors.remedy(answer)
                                        : "grant it, as in k8s/components/high-availability")
                .orElse("look at the API server; it is tried again until it works");
    }

    /** The Lease, with an eye on what becomes of each request. */
    private final class WatchedLease extends LeaseLock {

        WatchedLease() {
            super(client.getNamespace(), terms.name(), identity);
        }

        @Override
        public LeaderElectionRecord get(KubernetesClient client) {
            lastTry = clock.instant();
            return watch(
                    () -> {
                        LeaderElectionRecord found = super.get(client);
                        note(found == null ? null : found.getHolderIdentity());
                        return found;
                    });
        }

        @Override
        public void create(KubernetesClient client, LeaderElectionRecord written) {
            watch(
                    () -> {
                        super.create(client, written);
                        return note(written);
                    });
        }

        @Override
        public void update(KubernetesClient client, LeaderElectionRecord written) {
            watch(
                    () -> {
                        super.update(client, written);
                        return note(written);
                    });
        }

        /** The elector survives only the client's own exceptions. */
        private <T> T watch(Supplier<T> request) {
            try {
                T answer = request.get();
                worked();
                return answer;
            } catch (RuntimeException e) {
                troubled(e);
                throw e instanceof KubernetesClientException known
                        ? known
                        : new KubernetesClientException(ErrorText.rootWords(e), e);
            }
        }

        private LeaderElectionRecord note(LeaderElectionRecord written) {
            leadsUntil =
                    identity.equals(written.getHolderIdentity())
                            ? written.getRenewTime().plus(written.getLeaseDuration()).toInstant()
                            : Instant.MIN;
            note(written.getHolderIdentity());
            lookSoon();
            return written;
        }

        private void note(String present) {
            holder = present == null ? "" : present;
            if (!holder.equals(identity)) {
                stepDown();
            }
        }

        /** One that nobody holds has no holder, rather than one whose time is almost over. */
        @Override
        protected Lease toResource(LeaderElectionRecord written, ObjectMetaBuilder meta) {
            Lease resource = super.toResource(written, meta);
            if (written.getHolderIdentity() == null) {
                resource.getSpec().setHolderIdentity("");
            }
            return resource;
        }

        /** One that was not written by an elector, and so never expires, is there to be taken. */
        @Override
        protected LeaderElectionRecord toRecord(Lease resource) {
            LeaseSpec spec = resource.getSpec();
            if (spec == null
                    || spec.getLeaseDurationSeconds() == null
                    || spec.getAcquireTime() == null
                    || spec.getRenewTime() == null) {
                ZonedDateTime now = clock.instant().atZone(ZoneOffset.UTC);
                return new LeaderElectionRecord(null, terms.duration(), now, now, 0);
            }
            return super.toRecord(resource);
        }
    }

    /** What {@code master:} endpoints see of the election. */
    final class View extends AbstractCamelClusterView {

        private final CamelClusterMember local =
                new CamelClusterMember() {
                    @Override
                    public boolean isLeader() {
                        return LeaderElection.this.isLeader();
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

        View(String namespace) {
            super(LeaderElection.this, namespace);
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

        private void changed() {
            fireLeadershipChangedEvent(getLeader().orElse(null));
        }
    }
}
