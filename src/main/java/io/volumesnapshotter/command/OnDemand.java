package io.volumesnapshotter.command;

/** The schedule to whose name belongs what is taken by hand. */
final class OnDemand {

    static final String SCHEDULE = "on-demand";

    private OnDemand() {}
}
