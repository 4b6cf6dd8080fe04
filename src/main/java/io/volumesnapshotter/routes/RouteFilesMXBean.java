package io.volumesnapshotter.routes;

import java.util.Map;

/** The route files as JMX shows them, as {@code io.volumesnapshotter:type=RouteFiles}. */
public interface RouteFilesMXBean {

    /** The version of each file that runs, and what is wrong with what is in the file, by name. */
    Map<String, String> getFiles();

    /** What was refused last; null when all that is in the files runs. */
    String getLastError();

    /** How often edits were taken. */
    long getReloadCount();

    /** How often edits were refused. */
    long getFailureCount();

    /** Looks for edits now. */
    void reload();
}
