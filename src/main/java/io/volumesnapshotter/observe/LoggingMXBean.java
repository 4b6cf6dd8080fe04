package io.volumesnapshotter.observe;

import java.util.Map;

/** What is logged, as JMX shows and changes it, as {@code io.volumesnapshotter:type=Logging}. */
public interface LoggingMXBean {

    /** The loggers that have a level of their own; all others have that of the next one above. */
    Map<String, String> getLevels();

    /**
     * Changes what a logger tells, until the program ends or {@link #reset} is called.
     *
     * @param logger its name, such as {@code io.volumesnapshotter} or {@code ROOT}
     * @param level {@code off}, {@code error}, {@code warn}, {@code info}, {@code debug} or {@code
     *     trace}, in small or capital letters
     * @throws IllegalArgumentException when there is no such level
     */
    void setLevel(String logger, String level);

    /** Puts all levels back to those of the start. */
    void reset();
}
