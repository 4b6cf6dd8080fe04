package io.volumesnapshotter.testing;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.SnapshotterConfiguration;
import io.volumesnapshotter.routes.ReloadableContext;
import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
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

    private Program(
            SimulatedCluster cluster,
            Map<String, String> settings,
            Map<String, String> environment,
            InstantSource clock) {
        Map<String, String> quick =
                Map.of(
                        "snapshotter.schedule", "0 0 0 1 1 ? 2099",
                        "snapshotter.poll-interval", "50ms",
                        "snapshotter.max-poll-interval", "200ms",
                        "snapshotter.ready-timeout", "5s");
        quick.forEach(main::addOverrideProperty);
        settings.forEach(main::addOverrideProperty);
        main.configure()
                .addConfiguration(
                        new SnapshotterConfiguration(
                                cluster.config(NAMESPACE), environment, clock, System::nanoTime));
    }

    /** Starts with these settings, given with their full names, over quick defaults. */
    public static Program start(SimulatedCluster cluster, Map<String, String> settings) {
        return start(cluster, settings, Map.of());
    }

    /** Starts with these settings and what else a pod's environment says. */
    public static Program start(
            SimulatedCluster cluster,
            Map<String, String> settings,
            Map<String, String> environment) {
        return new Program(cluster, settings, environment, InstantSource.system()).started();
    }

    /** Starts with a wall clock that the test may set; Quartz goes by the machine's. */
    public static Program start(
            SimulatedCluster cluster, Map<String, String> settings, InstantSource clock) {
        return new Program(cluster, settings, Map.of(), clock).started();
    }

    /** Starts as one of several replicas in this JVM, with an election. */
    public static Program startReplica(
            SimulatedCluster cluster, String pod, Map<String, String> settings) {
        Map<String, String> own = new HashMap<>(settings);
        own.put("snapshotter.leader-election", "true");
        // Quartz finds its schedulers by this name.
        own.put("camel.main.name", pod);
        return start(cluster, own, Map.of("HOSTNAME", pod));
    }

    private Program started() {
        try {
            main.start();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        return this;
    }

    /** Starts with claims, the routes of a directory, and a bean that these refer to. */
    public static Program start(
            SimulatedCluster cluster, String claims, Path routes, String name, Object bean) {
        Program program =
                new Program(
                        cluster,
                        Map.of(
                                "snapshotter.claims",
                                claims,
                                "snapshotter.routes",
                                routes.toString()),
                        Map.of(),
                        InstantSource.system());
        program.main.bind(name, bean);
        return program.started();
    }

    /** Starts with claims and otherwise quick defaults. */
    public static Program start(SimulatedCluster cluster, String claims) {
        return start(cluster, Map.of("snapshotter.claims", claims));
    }

    /** Starts with claims and the routes of a directory, and otherwise quick defaults. */
    public static Program start(SimulatedCluster cluster, String claims, Path routes) {
        return start(
                cluster,
                Map.of("snapshotter.claims", claims, "snapshotter.routes", routes.toString()));
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

    /** Ends it as a signal does; what it told stays there. */
    public void stop() {
        main.stop();
    }

    @Override
    public void close() {
        stop();
        lines.close();
    }
}
