package io.volumesnapshotter.run;

import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Tells whether a run may still do something in the cluster. It is asked right before each creation
 * and each deletion, so that whoever sees the wrong thing happen can stop it at once: by suspending
 * the schedule, by taking its file away, or by ending the program.
 */
public final class Brake {

    private final BooleanSupplier leads;
    private final BooleanSupplier ends;
    private final Predicate<String> isStopped;

    /**
     * @param leads whether this program is the one of several replicas that fires
     * @param ends whether the program was told to stop
     * @param isStopped whether a schedule, by its name, is suspended, stopped or gone
     */
    public Brake(BooleanSupplier leads, BooleanSupplier ends, Predicate<String> isStopped) {
        this.leads = leads;
        this.ends = ends;
        this.isStopped = isStopped;
    }

    /** Whether this program is the one of several replicas that fires. */
    boolean leads() {
        return leads.getAsBoolean();
    }

    /** Whether a schedule is suspended, stopped or gone. */
    boolean isStopped(String schedule) {
        return isStopped.test(schedule);
    }

    /** Why a run must not do anything more, if so. */
    Optional<String> reasonToStop(Run run) {
        Optional<String> known = run.givenUp();
        if (known.isPresent()) {
            return known;
        }
        if (!leads()) {
            return Optional.of("another replica may lead");
        }
        return isStopped(run.schedule())
                ? Optional.of("the schedule was suspended, stopped or removed")
                : Optional.empty();
    }

    /** Why a run must not delete anything more, if so: a stop lets creations end, no deletions. */
    public Optional<String> reasonNotToDelete(Run run) {
        return reasonToStop(run)
                .or(
                        () ->
                                ends.getAsBoolean()
                                        ? Optional.of("the program was told to stop")
                                        : Optional.empty());
    }
}
