package io.volumesnapshotter.testing;

import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.SnapshotterConfiguration;
import io.volumesnapshotter.kubernetes.Cluster;
import io.volumesnapshotter.observe.NegotiatedMetrics;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import io.volumesnapshotter.snapshot.SnapshotNames;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.main.Main;

/**
 * The program with the route files that ship, in this JVM, against the simulated cluster. Only the
 * trigger is left to the test: the schedule never fires by itself.
 */
public final class Program implements AutoCloseable {

    public static final String NAMESPACE = SimulatedCluster.NAMESPACE;

    /** The identity that the program takes by default there. */
    public static final String INSTALLATION = NAMESPACE + ".volume-snapshotter";

    private final Main main = ReloadableContext.main();
    private final ToldLines lines = new ToldLines();
    private final SnapshotterConfiguration configuration;

    /** How much time has passed for the program that has not. */
    private volatile Duration passed = Duration.ZERO;

    /** How far the program's wall clock was set ahead. */
    private volatile Duration ahead;

    private Program(Builder builder) {
        ahead = builder.ahead;
        configuration =
                new SnapshotterConfiguration(
                        Cluster.of(builder.cluster.config(NAMESPACE)),
                        builder.environment,
                        this::now,
                        () -> System.nanoTime() + passed.toNanos());
        builder.settings.forEach(main::addOverrideProperty);
        main.bind("metricsPage", new NegotiatedMetrics());
        builder.beans.forEach(main::bind);
        main.configure().addConfiguration(configuration);
    }

    /**
     * A program of this cluster, which does not run yet. It waits little, never fires by itself,
     * and has no MBeans, as these are a third of what a start costs.
     */
    public static Builder of(SimulatedCluster cluster) {
        return new Builder(cluster);
    }

    /** Starts with these settings over quick defaults. */
    public static Program start(SimulatedCluster cluster, Map<String, String> settings) {
        return of(cluster).with(settings).start();
    }

    /**
     * Puts a snapshot there that an earlier run of the schedule {@code hourly} took.
     *
     * @return its name
     */
    public static String hadTaken(SimulatedCluster cluster, String claim, Instant due) {
        String name = SnapshotNames.snapshot(claim, "hourly", due);
        cluster.snapshot(
                NAMESPACE,
                name,
                claim,
                SnapshotLabels.of(name, "hourly", SnapshotNames.run("hourly", due), INSTALLATION),
                due);
        return name;
    }

    /** Starts with claims and otherwise quick defaults. */
    public static Program start(SimulatedCluster cluster, String claims) {
        return of(cluster).with("claims", claims).start();
    }

    /** Starts with claims and the routes of a directory, and otherwise quick defaults. */
    public static Program start(SimulatedCluster cluster, String claims, Path routes) {
        return of(cluster).with("claims", claims).routes(routes).start();
    }

    /** What a program is to be like. */
    public static final class Builder {

        private final SimulatedCluster cluster;
        private final Map<String, String> settings = new HashMap<>();
        private final Map<String, Object> beans = new HashMap<>();
        private Map<String, String> environment = Map.of();
        private Duration ahead = Duration.ZERO;

        private Builder(SimulatedCluster cluster) {
            this.cluster = cluster;
            with("schedule", "0 0 0 1 1 ? 2099");
            with("poll-interval", "50ms");
            with("max-poll-interval", "200ms");
            with("ready-timeout", Patience.LIMIT.toMillis() + "ms");
            with("camel.main.jmx-enabled", "false");
        }

        /**
         * A setting.
         *
         * @param name its name; one of the program's own may be given without its prefix
         */
        public Builder with(String name, String value) {
            settings.put(name.contains(".") ? name : Settings.PREFIX + name, value);
            return this;
        }

        /** Settings, as {@link #with(String, String)} takes each. */
        public Builder with(Map<String, String> several) {
            several.forEach(this::with);
            return this;
        }

        /** The routes of a directory in place of those that ship. */
        public Builder routes(Path directory) {
            return with("routes", directory.toString());
        }

        /** What else a pod's environment says. */
        public Builder environment(Map<String, String> variables) {
            environment = variables;
            return this;
        }

        /** A wall clock that is so far ahead at the start. */
        public Builder clockAhead(Duration time) {
            ahead = time;
            return this;
        }

        /** Something that routes refer to. */
        public Builder bind(String name, Object bean) {
            beans.put(name, bean);
            return this;
        }

        /** MBeans as in a pod. */
        public Builder shownByJmx() {
            return with("camel.main.jmx-enabled", "true");
        }

        /** The page of metrics as in a pod, and the port for it, any that is free. */
        public Builder managed() {
            return with("camel.metrics.enabled", "true")
                    .with("camel.management.enabled", "true")
                    .with("camel.management.port", "0");
        }

        /** One of several replicas in this JVM, with an election. */
        public Builder replica(String pod) {
            // Quartz finds its schedulers by this name.
            return with("leader-election", "true")
                    .with("camel.main.name", pod)
                    .environment(Map.of("HOSTNAME", pod));
        }

        /**
         * Starts it, and waits until its look at the cluster after the start is over: what that
         * sends and tells does not mix with what a test is about.
         */
        public Program start() {
            Program program = new Program(this);
            try {
                program.main.start();
                program.awaitFirstLook();
            } catch (RuntimeException | Error e) {
                program.close();
                throw e;
            }
            return program;
        }
    }

    private void awaitFirstLook() {
        await().alias("the look at the cluster after the start")
                .pollInterval(Duration.ofMillis(2))
                .until(configuration.preflight()::hasLooked);
    }

    /** The present, as far as the program knows. */
    public Instant now() {
        return Instant.now().plus(passed).plus(ahead);
    }

    /**
     * Lets time pass for the program. Quartz does not notice, so what was due meanwhile is missed
     * and made up; waits that have begun last as long as they were to.
     */
    public void pass(Duration time) {
        passed = passed.plus(time);
    }

    /** Sets the program's wall clock so far ahead of the right time, which Quartz has. */
    public void setClock(Duration aheadOfTime) {
        ahead = aheadOfTime;
    }

    public CamelContext context() {
        return main.getCamelContext();
    }

    /** Fires a schedule as its trigger would, and returns when the run has ended. */
    public void fire(String schedule, Instant dueTime) {
        process(
                schedule,
                ExchangeBuilder.anExchange(context())
                        .withHeader("scheduledFireTime", Date.from(dueTime))
                        .build());
    }

    private void process(String schedule, Exchange exchange) {
        exchange.getExchangeExtension().setFromRouteId(schedule);
        try {
            context().getRoute(schedule).getProcessor().process(exchange);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        if (exchange.getException() != null) {
            throw new IllegalStateException(exchange.getException());
        }
    }

    /** Fires the hourly schedule as Quartz does, at a time that need not be the one it was due. */
    public void fireByTrigger(Instant time) {
        process(
                "hourly",
                ExchangeBuilder.anExchange(context())
                        .withHeader("scheduledFireTime", Date.from(time))
                        .withHeader("trigger", "its trigger")
                        .build());
    }

    /** Makes the hourly schedule's run up as a start of the program does. */
    public void makeUp(Instant dueTime) {
        process(
                "hourly",
                ExchangeBuilder.anExchange(context())
                        .withHeader("scheduledFireTime", Date.from(dueTime))
                        .withProperty("cause", Firing.Cause.MADE_UP)
                        .build());
    }

    public void fire(Instant dueTime) {
        fire("hourly", dueTime);
    }

    public CompletableFuture<Void> fireLater(Instant dueTime) {
        return later(() -> fire(dueTime));
    }

    public static CompletableFuture<Void> later(Runnable task) {
        // Not in the common pool: the HTTP client needs it, and on two processors it has one
        // thread.
        return CompletableFuture.runAsync(task, run -> new Thread(run).start());
    }

    /** What the program told its user so far, at least this important. */
    public List<String> told(Level level) {
        return lines.atLeast(level);
    }

    /** Lets {@link #told} begin anew, where tests share a program. */
    public void forgetTold() {
        lines.clear();
    }

    /** Ends it as a signal does; what it told stays there. */
    public void stop() {
        // A test that is ended by its time limit is interrupted; nothing of its program may stay.
        boolean interrupted = Thread.interrupted();
        try {
            main.stop();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        stop();
        lines.close();
    }
}
