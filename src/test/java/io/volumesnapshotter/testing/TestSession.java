package io.volumesnapshotter.testing;

import org.awaitility.Awaitility;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/** What holds for all tests. The JUnit platform finds it as a service and calls it first. */
public final class TestSession implements LauncherSessionListener {

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        Awaitility.setDefaultTimeout(Patience.LIMIT);
        System.setProperty(
                "junit.jupiter.execution.timeout.default",
                Patience.LONGEST_TEST.toSeconds() + " s");
        System.setProperty("jqwik.tries.default", Integer.toString(Scale.of(2_000, 100_000)));
    }
}
