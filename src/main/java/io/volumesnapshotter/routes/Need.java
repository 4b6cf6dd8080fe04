package io.volumesnapshotter.routes;

import java.util.List;

/**
 * What each schedule has to reach.
 *
 * @param fact a method of a bean, an operation of Kubernetes, or a value of the run
 * @param after what comes before it
 * @param before what comes behind it, where there is more than one of it; else an empty text
 * @param loser what the route has that has lost this
 * @param words what happens without it
 */
record Need(String fact, String after, String before, String loser, String words) {

    static final String START = "runs.start";
    static final String STALE = "runs.planDeletions";
    static final String FINISHES = "runs.finish";
    private static final String LISTS_RUN = "snapshots.ofRun";
    private static final String LISTS_ALL = "snapshots.ofSchedule";
    private static final String FACTS = "snapshots.facts";
    private static final String CHECKED = "runs.checkCreation";
    private static final String ASKED = "runs.markRequested";
    private static final String TAKES_OVER = "runs.takeOver";
    private static final String LOOKS = "runs.look";
    private static final String FAILS = "runs.fail";
    private static final String LOST = "runs.findLost";

    private static final String DRILLS = "drills.start";
    private static final String DRILL = "drills.drill";
    private static final String JUDGED = "drills.judge";

    /** All that a program needs that takes snapshots, in the order in which it is looked for. */
    static final List<Need> ALL =
            List.of(
                    new Need(START, Steps.POLICY, "no run begins, and nothing is taken or told"),
                    new Need(LISTS_ALL, START, TAKES_OVER, "a run is made up that took place"),
                    new Need(TAKES_OVER, START, "a run is made up that took place"),
                    new Need(ASKED, START, LISTS_RUN, "no snapshot is asked for"),
                    new Need(Steps.CREATES, START, LISTS_RUN, ASKED, "no snapshot is created"),
                    new Need(
                            CHECKED,
                            START,
                            Steps.CREATES,
                            Steps.CREATES,
                            "a run that is over takes snapshots"),
                    new Need(
                            "runs.checkAnswer",
                            Steps.CREATES,
                            "a snapshot of others counts as its own"),
                    new Need(LISTS_RUN, START, "no snapshot is seen ready"),
                    new Need(
                            "runs.markListing",
                            START,
                            LISTS_RUN,
                            LISTS_RUN,
                            "what vanishes is missed"),
                    new Need(LOOKS, LISTS_RUN, "no snapshot is seen ready"),
                    new Need(
                            Steps.PAUSES,
                            START,
                            LOOKS,
                            LISTS_RUN,
                            "it looks again without a pause"),
                    new Need(FAILS, LOOKS, LOST, "a snapshot that fails is not told"),
                    new Need(STALE, START, "nothing is pruned"),
                    new Need(FACTS, TAKES_OVER, STALE, STALE, "nothing is pruned"),
                    new Need(LOST, TAKES_OVER, STALE, STALE, "one that is gone counts as ready"),
                    new Need(FAILS, LOST, "a snapshot that is gone is not told"),
                    new Need(Steps.DELETES, STALE, "nothing is pruned"),
                    new Need(FINISHES, START, "no run is told as ended"),
                    new Need(DRILLS, Steps.DRILL, "nothing is drilled or told"),
                    new Need("drills.markBegun", DRILLS, "a drill that is cut off is not missed"),
                    new Need(DRILL, DRILLS, "nothing is drilled"),
                    new Need("drills.keep", DRILL, "what is proven is forgotten"),
                    new Need(JUDGED, DRILL, "a drill that fails is not told"),
                    new Need("drills.finish", DRILLS, "no run is told as ended"));

    Need(String fact, String after, String before, String words) {
        this(fact, after, before, after, words);
    }

    Need(String fact, String after, String words) {
        this(fact, after, "", words);
    }
}
