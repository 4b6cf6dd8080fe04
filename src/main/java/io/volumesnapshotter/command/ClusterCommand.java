package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * A command that works with the cluster: it has kubectl's flags for that, the forms of output and
 * what all commands share. What it throws, {@link Failed} tells in one line.
 */
public abstract class ClusterCommand implements Callable<Integer> {

    @Mixin private ClusterOptions cluster;

    @Mixin private OutputOptions output;

    @Option(
            names = {"-v", "--verbose"},
            description = "Writes the program's log to standard error.")
    private boolean verbose;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this help.")
    private boolean help;

    private final CommandEnvironment environment;

    protected ClusterCommand(CommandEnvironment environment) {
        this.environment = environment;
    }

    /** Which cluster, and who to be there. */
    protected final ClusterOptions cluster() {
        return cluster;
    }

    /** Where results go, in the form that was asked for. */
    protected final Output output() {
        return new Output(environment.console(), output);
    }

    /** The form that was asked for. */
    protected final OutputOptions.Form form() {
        return output.form();
    }

    protected final Console console() {
        return environment.console();
    }

    protected final Interrupts interrupts() {
        return environment.interrupts();
    }

    protected final Wiring wiring() {
        return environment.wiring();
    }

    /** A client of the cluster, for commands that need no schedules. */
    protected final KubernetesClient connect() {
        return environment.wiring().connect(cluster.choice());
    }

    /** The component of the manifests that grants what it does, where one does. */
    Optional<String> component() {
        return Optional.empty();
    }

    /** Whether the program's log is to be written, too. */
    final boolean isVerbose() {
        return verbose;
    }
}
