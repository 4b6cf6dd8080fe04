package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.camel.support.cluster.AbstractCamelClusterService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one of several replicas lead, by a Lease, for as long as the program runs: whatever a
 * request for the Lease comes to ends at most one try, and another one follows. Who leads is
 * decided by {@link LeaseElector}. All views of this service show the one election, whatever they
 * are called.
 *
 * <p>fabric8's own elector trusts the time that the holder wrote into the Lease, so that a holder
 * whose clock was ahead is succeeded too late, and one whose clock was behind while it still leads.
 */
public final class LeaderElection extends AbstractCamelClusterService<LeaderView> {

    private static final Logger LOG = LoggerFactory.getLogger(LeaderElection.class);

    private static final int CONFLICT = 409;

    /** A renewal that got no answer may have been carried out, and the first try then conflicts. */
    private static final int RELEASES = 2;

    private final KubernetesClient client;
    private final LeaseTerms terms;
    private final String identity;
    private final String lease;
    private final ScheduledExecutorService executor;
    private final InstantSource clock;
    private final LongSupplier nanoTime;
    private final LeaseElector elector;
    private final LeaseTrouble trouble;
    private final List<LeaderView> views = new CopyOnWriteArrayList<>();
    private final Object requests = new Object();
    private final Object telling = new Object();
    private volatile boolean stopping;

    private boolean toldLeader;
    private String toldHolder = "";

    /**
     * @param client a client of its own, in the namespace of the Lease, without retries; it is
     *     closed with this service
     * @param identity what this replica is called in the Lease
     * @param executor two threads, which end with this service: whoever hears of a change must not
     *     keep the Lease from being renewed
     * @param clock the time that is written into the Lease; nothing is decided by it
     * @param nanoTime the monotonic clock, in nanoseconds
     */
    public LeaderElection(
            KubernetesClient client,
            LeaseTerms terms,
            String identity,
            ScheduledExecutorService executor,
            InstantSource clock,
            LongSupplier nanoTime) {
        super("leader-election");
        this.client = client;
        this.terms = terms;
        this.identity = identity;
        this.executor = executor;
        this.clock = clock;
        this.nanoTime = nanoTime;
        elector = new LeaseElector(identity, terms);
        lease = "Lease " + client.getNamespace() + "/" + terms.name();
        trouble = new LeaseTrouble(lease, terms, nanoTime);
    }

    /** Whether this replica leads now. It is judged when it is asked, and not by a timer. */
    public boolean isLeader() {
        return elector.leads(nanoTime.getAsLong());
    }

    @Override
    protected LeaderView createView(String namespace) {
        LeaderView view = new LeaderView(this, identity, namespace);
        views.add(view);
        return view;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        executor.execute(this::tryToLead);
        long tick = Math.max(1, terms.retry().toMillis() / 2);
        executor.scheduleWithFixedDelay(this::tell, tick, tick, TimeUnit.MILLISECONDS);
    }

    /** Gives the Lease back, so that another replica takes over at its next try. */
    @Override
    protected void doStop() throws Exception {
        stopping = true;
        elector.end();
        synchronized (requests) {
            if (giveBack()) {
                LOG.info("{} is free for another replica", lease);
            }
        }
        executor.shutdownNow();
        super.doStop();
        client.close();
    }

    private void tryToLead() {
        try {
            synchronized (requests) {
                tryOnce();
            }
            trouble.markWorked();
        } catch (RuntimeException e) {
            elector.markUncertain();
            if (!stopping) {
                trouble.markFailed(e);
            }
        } finally {
            again();
        }
    }

    private void again() {
        try {
            if (!stopping) {
                executor.execute(this::tell);
                executor.schedule(
                        this::tryToLead,
                        elector.waitMillis(
                                nanoTime.getAsLong(), ThreadLocalRandom.current().nextDouble()),
                        TimeUnit.MILLISECONDS);
            }
        } catch (RejectedExecutionException e) {
            LOG.debug("the election has ended", e);
        }
    }

    private void tryOnce() {
        if (elector.mustRead(nanoTime.getAsLong())) {
            read();
        }
        long sent = nanoTime.getAsLong();
        if (!stopping && elector.mayWrite(sent)) {
            write(elector.claim(clock.instant()), sent);
        }
    }

    private void read() {
        Lease found =
                client.leases().inNamespace(client.getNamespace()).withName(terms.name()).get();
        elector.markSeen(found == null ? null : LeaseRecord.of(found), nanoTime.getAsLong());
    }

    /** Creates the Lease, or changes it only if it still is the one that was seen last. */
    private void write(LeaseRecord record, long sent) {
        var resource = client.resource(record.toLease(client.getNamespace(), terms.name()));
        Lease written =
                record.version() == null
                        ? resource.create()
                        : resource.patch(PatchContext.of(PatchType.JSON_MERGE));
        elector.markWritten(LeaseRecord.of(written), sent, nanoTime.getAsLong());
    }

    private boolean giveBack() {
        for (int i = 0; i < RELEASES; i++) {
            try {
                return giveBackOnce();
            } catch (RuntimeException e) {
                LOG.debug("{} was not given back", lease, e);
                elector.markUncertain();
                if (!isConflict(e)) {
                    return false;
                }
            }
        }
        return false;
    }

    private static boolean isConflict(RuntimeException failure) {
        return Causes.find(KubernetesClientException.class, failure)
                .filter(answer -> answer.getCode() == CONFLICT)
                .isPresent();
    }

    private boolean giveBackOnce() {
        if (elector.isUncertain() && !elector.holder().isEmpty()) {
            read();
        }
        Optional<LeaseRecord> free = elector.release(clock.instant());
        free.ifPresent(record -> write(record, nanoTime.getAsLong()));
        return free.isPresent();
    }

    /** Tells what has changed. */
    private void tell() {
        synchronized (telling) {
            if (stopping) {
                return;
            }
            try {
                tellChanges();
            } catch (RuntimeException e) {
                LOG.error("{}: {}", lease, ErrorText.rootWords(e));
            }
        }
    }

    private void tellChanges() {
        boolean leader = isLeader();
        String holder = elector.holder();
        if (leader != toldLeader) {
            toldLeader = leader;
            if (leader) {
                LOG.info("{} is the leader, by {}", identity, lease);
            } else {
                LOG.warn("{} is not the leader any more: {}", identity, whyNot(holder));
            }
            views.forEach(LeaderView::fireChanged);
        }
        if (!leader && !holder.equals(toldHolder) && !holder.equals(identity)) {
            LOG.info(
                    "{}; {} stands by",
                    holder.isEmpty() ? "there is no leader" : holder + " is the leader",
                    identity);
        }
        toldHolder = holder;
    }

    private String whyNot(String holder) {
        if (!holder.isEmpty() && !holder.equals(identity)) {
            return holder + " holds " + lease;
        }
        return trouble.words()
                .map(words -> lease + " could not be renewed: " + words)
                .orElse(lease + " was not renewed in time");
    }
}
