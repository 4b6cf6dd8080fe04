package io.volumesnapshotter.testing;

import io.volumesnapshotter.simulation.SimulatedPods;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Pods that do what the default check does with what is on the volume. */
public final class DrillPods {

    private static final Pattern NONCE =
            Pattern.compile("([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})");

    private final List<SimulatedPods.Start> started = new CopyOnWriteArrayList<>();

    /** Those that were started so far. */
    public List<SimulatedPods.Start> started() {
        return started;
    }

    /** Does it. */
    public SimulatedPods.End check(SimulatedPods.Start pod) {
        started.add(pod);
        Matcher nonce = NONCE.matcher(pod.command());
        if (!nonce.find()) {
            return new SimulatedPods.Runs();
        }
        String mark = "\nvolume-snapshotter-check-ended " + nonce.group(1) + " ";
        if (!pod.command().contains("there is no file")) {
            return new SimulatedPods.Exits(0, mark + "0");
        }
        if (pod.content().isEmpty()) {
            return new SimulatedPods.Exits(1, "0 files read, 4 KiB\nthere is no file" + mark + "1");
        }
        if (pod.content().startsWith("corrupt")) {
            return new SimulatedPods.Exits(
                    1, "cat: read error on './db': Structure needs cleaning" + mark + "1");
        }
        return new SimulatedPods.Exits(0, "3 files read, 812 KiB" + mark + "0");
    }
}
