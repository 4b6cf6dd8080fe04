package io.volumesnapshotter;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.ExecutorServiceManager;
import org.apache.camel.spi.ThreadPoolProfile;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The threads of the program, which end with the context. */
final class Threads {

    private static final int MAX_NOTIFICATIONS = 1000;

    private static final Logger LOG = LoggerFactory.getLogger(Threads.class);

    private final ExecutorServiceManager manager;

    Threads(CamelContext context) {
        manager = context.getExecutorServiceManager();
    }

    /** As many threads as there is work at a time. */
    ExecutorService pool(String name) {
        return manager.newCachedThreadPool(this, name);
    }

    /** A thread for what is done again and again; at the stop nothing waits for the next time. */
    ScheduledExecutorService timer(String name) {
        return timer(name, 1);
    }

    ScheduledExecutorService timer(String name, int size) {
        ScheduledExecutorService timer = manager.newScheduledThreadPool(this, name, size);
        if (timer instanceof SizedScheduledExecutorService sized) {
            sized.getScheduledThreadPoolExecutor()
                    .setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        }
        return timer;
    }

    /**
     * Where Events are written and notifications sent, one after the other. Nothing waits for
     * either, so when they take too long, further ones are dropped and told.
     */
    ExecutorService notifications() {
        ThreadPoolProfile profile = new ThreadPoolProfile("notifications");
        profile.setPoolSize(1);
        profile.setMaxPoolSize(1);
        profile.setMaxQueueSize(MAX_NOTIFICATIONS);
        profile.setKeepAliveTime(0L);
        profile.setAllowCoreThreadTimeOut(false);
        ExecutorService executor = manager.newThreadPool(this, "notifications", profile);
        AtomicLong dropped = new AtomicLong();
        ((ThreadPoolExecutor) executor)
                .setRejectedExecutionHandler(
                        (task, full) -> {
                            if (dropped.getAndIncrement() % MAX_NOTIFICATIONS == 0) {
                                LOG.warn(
                                        "notifications are dropped: {} wait already; look at route"
                                                + " notify",
                                        MAX_NOTIFICATIONS);
                            }
                        });
        return executor;
    }
}
