package io.volumesnapshotter.routes;

import io.volumesnapshotter.kubernetes.ErrorText;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import org.apache.camel.CamelContext;
import org.apache.camel.StartupListener;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks for edits of the route files while the program runs, and shows how that goes. */
public final class RouteReload implements RouteFilesMXBean {

    /** After so long a file that changes no more counts as written to its end. */
    private static final Duration SETTLING = Duration.ofMillis(200);

    private static final Logger LOG = LoggerFactory.getLogger(RouteReload.class);

    private final ReloadableContext context;
    private final RouteFiles files;
    private final BiConsumer<Boolean, String> news;
    private final Executor notifications;
    private volatile String told = "";

    /**
     * @param news is told whether an edit took effect, and in words how it went
     * @param notifications where that is told
     */
    public RouteReload(
            ReloadableContext context,
            RouteFiles files,
            BiConsumer<Boolean, String> news,
            Executor notifications) {
        this.context = context;
        this.files = files;
        this.news = news;
        this.notifications = notifications;
    }

    /** Looks for edits so often, once all routes have started. */
    public StartupListener every(Duration interval, ScheduledExecutorService executor) {
        return new StartupListener() {
            @Override
            public void onCamelContextStarted(CamelContext started, boolean alreadyStarted) {
                // the routes are not started yet
            }

            @Override
            public void onCamelContextFullyStarted(CamelContext started, boolean alreadyStarted) {
                schedule(interval);
            }

            private void schedule(Duration delay) {
                try {
                    executor.schedule(
                            () -> schedule(look(false) ? SETTLING : interval),
                            delay.toMillis(),
                            TimeUnit.MILLISECONDS);
                } catch (RejectedExecutionException e) {
                    LOG.debug("the program stops", e);
                }
            }
        };
    }

    /**
     * Looks for edits once.
     *
     * @param again whether what was refused is tried again though it has not changed
     * @return whether to look again soon
     */
    private boolean look(boolean again) {
        try {
            RouteFiles.Status before = files.status();
            boolean soon = context.whileRunning(() -> files.reload(context, again));
            tell(before, files.status());
            told = "";
            return soon;
        } catch (Exception | LinkageError | StackOverflowError e) {
            String words = ErrorText.rootWords(e);
            if (!words.equals(told)) {
                LOG.error("looking for edits of the route files failed: {}", words);
                told = words;
            }
            LOG.debug("reload failed", e);
            return false;
        }
    }

    private void tell(RouteFiles.Status before, RouteFiles.Status now) {
        if (now.reloads() > before.reloads()) {
            notifications.execute(() -> news.accept(true, "edits of the route files are in force"));
        }
        if (now.failures() > before.failures()) {
            notifications.execute(() -> news.accept(false, now.lastError().orElse("")));
        }
    }

    @Override
    public void reload() {
        if (look(true)) {
            LockSupport.parkNanos(SETTLING.toNanos());
            look(true);
        }
    }

    @Override
    public Map<String, String> getFiles() {
        Map<String, String> shown = new TreeMap<>();
        files.status()
                .files()
                .forEach(
                        (name, file) ->
                                shown.put(
                                        name,
                                        (file.version().isEmpty()
                                                        ? "none"
                                                        : file.version() + " since " + file.since())
                                                + file.error()
                                                        .map(error -> ", refused: " + error)
                                                        .orElse("")));
        return shown;
    }

    @Override
    public String getLastError() {
        return files.status().lastError().orElse(null);
    }

    @Override
    public long getReloadCount() {
        return files.status().reloads();
    }

    @Override
    public long getFailureCount() {
        return files.status().failures();
    }

    /** Tells how it stands with the files. */
    public HealthCheck check() {
        return new Check();
    }

    /** Never down: what runs is right. It says that the files hold something else. */
    private final class Check extends AbstractHealthCheck {

        Check() {
            super("volume-snapshotter", "route-files");
        }

        @Override
        public boolean isLiveness() {
            return false;
        }

        @Override
        protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
            String error = getLastError();
            builder.up().detail("state", error == null ? "ok" : "degraded");
            if (error != null) {
                builder.message(error);
            }
        }
    }
}
