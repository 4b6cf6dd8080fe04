package io.volumesnapshotter.run;

import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.Snapshot;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/**
 * Several listeners as one.
 *
 * @param listeners who is told, in this order
 */
public record RunListeners(List<RunListener> listeners) implements RunListener {

    private void each(Consumer<RunListener> news) {
        listeners.forEach(news);
    }

    @Override
    public void started(Run run) {
        each(listener -> listener.started(run));
    }

    @Override
    public void created(Run run, Claim claim, String snapshot, boolean isNew) {
        each(listener -> listener.created(run, claim, snapshot, isNew));
    }

    @Override
    public void delayed(Run run, Claim claim, String words) {
        each(listener -> listener.delayed(run, claim, words));
    }

    @Override
    public void ready(Run run, Claim claim, Snapshot snapshot) {
        each(listener -> listener.ready(run, claim, snapshot));
    }

    @Override
    public void lost(Run run, Claim claim) {
        each(listener -> listener.lost(run, claim));
    }

    @Override
    public void listed(Run run, Collection<Snapshot> listed) {
        each(listener -> listener.listed(run, listed));
    }

    @Override
    public void pruned(Run run, Snapshot snapshot, String reason) {
        each(listener -> listener.pruned(run, snapshot, reason));
    }

    @Override
    public void failed(Failure letter) {
        each(listener -> listener.failed(letter));
    }

    @Override
    public void failed(Failure letter, boolean isPassing) {
        each(listener -> listener.failed(letter, isPassing));
    }

    @Override
    public void ended(Run run) {
        each(listener -> listener.ended(run));
    }
}
