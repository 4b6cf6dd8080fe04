package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.PolicyComponent;
import io.volumesnapshotter.schedule.Schedule;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the start whether the cluster lets the schedules work. What is wrong may heal, so the
 * program goes on, and looks again as long as runs would fail; each finding is told when it comes
 * and when it goes.
 */
public final class Preflight implements StartupListener {

    private static final Logger LOG = LoggerFactory.getLogger(Preflight.class);

    private static final long FIRST_DELAY = 1;

    /** The longest wait, in seconds, while nothing works. */
    private static final long ESSENTIAL_DELAY = 30;

    /** The longest wait, in seconds, while some claims' runs would fail. */
    private static final long DELAY = 300;

    private final KubernetesClient client;
    private final ApiServerMonitor apiServer;
    private final Claims claims;
    private final ScheduledExecutorService executor;
    private List<Finding> told = List.of();
    private boolean ready;
    private volatile boolean looked;

    /**
     * @param claims is told where claims may be listed
     * @param executor where to look; it ends with the program
     */
    public Preflight(
            KubernetesClient client,
            ApiServerMonitor apiServer,
            Claims claims,
            ScheduledExecutorService executor) {
        this.client = client;
        this.apiServer = apiServer;
        this.claims = claims;
        this.executor = executor;
    }

    @Override
    public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
        // the routes are not started yet
    }

    @Override
    public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
        executor.execute(
                () -> {
                    look(context, FIRST_DELAY);
                    looked = true;
                });
    }

    private void look(CamelContext context, long delay) {
        long longest = ESSENTIAL_DELAY;
        try {
            List<Schedule> schedules = PolicyComponent.schedules(context);
            if (context.isStopping() || context.isStopped()) {
                return;
            }
            List<Finding> problems =
                    new ClusterCheck(client, apiServer, claims, schedules)
                            .look().stream().filter(Finding::isProblem).toList();
            tell(problems);
            if (problems.stream().noneMatch(Finding::essential)) {
                if (!ready) {
                    LOG.info("ready: VolumeSnapshots of {} can be listed", where(schedules));
                    ready = true;
                }
                if (problems.stream().allMatch(p -> p.weight() == Finding.Weight.WARN)) {
                    later(() -> lookWhenAway(context), ESSENTIAL_DELAY);
                    return;
                }
                longest = DELAY;
            }
        } catch (KubernetesClientException e) {
            // A server that does not serve is told by ApiServerMonitor, for all requests.
            if (e.getCode() <= 0 && !executor.isShutdown()) {
                apiServer.unreachable(e);
            }
        } catch (RuntimeException e) {
            // Routes may be exchanged meanwhile, or an answer may make no sense.
            LOG.debug("preflight failed", e);
        }
        later(() -> look(context, Math.min(2 * delay, DELAY)), Math.min(delay, longest));
    }

    /** Whether it has looked at least once, whatever it found. */
    public boolean hasLooked() {
        return looked;
    }

    /** Between runs nobody else would notice that the server is back. */
    private void lookWhenAway(CamelContext context) {
        if (apiServer.isToldAway()) {
            look(context, FIRST_DELAY);
        } else {
            later(() -> lookWhenAway(context), ESSENTIAL_DELAY);
        }
    }

    private void later(Runnable task, long seconds) {
        if (!executor.isShutdown()) {
            executor.schedule(task, seconds, TimeUnit.SECONDS);
        }
    }

    private void tell(List<Finding> problems) {
        for (Finding problem : problems) {
            if (told.contains(problem)) {
                continue;
            }
            if (problem.weight() == Finding.Weight.ERROR) {
                LOG.error("{}", problem.text());
            } else {
                LOG.warn("{}", problem.text());
            }
        }
        told.stream()
                .filter(problem -> !problems.contains(problem))
                .forEach(problem -> LOG.info("{}: no longer: {}", problem.what(), problem.words()));
        told = problems;
    }

    private String where(List<Schedule> schedules) {
        Set<Optional<String>> listed =
                schedules.stream()
                        .map(s -> s.policy().selection().singleNamespace(client.getNamespace()))
                        .collect(Collectors.toSet());
        if (listed.contains(Optional.<String>empty())) {
            return Permission.where(Optional.empty());
        }
        Set<String> names =
                listed.stream()
                        .flatMap(Optional::stream)
                        .collect(Collectors.toCollection(TreeSet::new));
        return "namespace " + String.join(", ", names);
    }
}
