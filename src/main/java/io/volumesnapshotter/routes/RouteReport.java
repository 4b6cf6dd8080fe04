package io.volumesnapshotter.routes;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is told of the route files: in the log, in metrics and in JMX. */
final class RouteReport {

    private static final int VERSION_LENGTH = 12;

    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private final InstantSource clock;
    private final Map<String, RouteFiles.Loaded> loaded = new TreeMap<>();
    private Map<Path, String> told = new TreeMap<>();
    private Instant lastReload;
    private String lastError;
    private long reloads;
    private long failures;

    RouteReport(InstantSource clock) {
        this.clock = clock;
    }

    RouteFiles.Status status() {
        return new RouteFiles.Status(
                Collections.unmodifiableMap(new TreeMap<>(loaded)),
                reloads,
                failures,
                Optional.ofNullable(lastReload),
                Optional.ofNullable(lastError));
    }

    boolean hasError() {
        return lastError != null;
    }

    /** Logs what is left out at the start. */
    void tellStart(
            Map<Path, String> running,
            Map<Path, String> texts,
            Map<Path, InvalidSettingException> wrong) {
        wrong.forEach(
                (file, e) -> {
                    told.put(file, texts.get(file) + e.getMessage());
                    LOG.error("{}; the others run on", e.getMessage());
                });
        note(running.keySet(), running, wrong);
    }

    /** Logs and counts that nothing of what is there can be taken. */
    void refuse(String words) {
        if (!words.equals(lastError)) {
            failures++;
            lastError = words;
            LOG.error("{}; what runs goes on", words);
        }
    }

    /**
     * Logs and counts what a reload brought.
     *
     * @param running the files that run now, with their texts
     * @param texts what was read
     */
    void tell(
            Set<Path> taken,
            Map<Path, String> running,
            Map<Path, String> texts,
            Map<Path, InvalidSettingException> wrong) {
        for (Path file : taken) {
            if (texts.containsKey(file)) {
                LOG.info("{}: version {} is in force", file, version(texts.get(file)));
            } else {
                LOG.info("{}: removed, its routes start no more", file);
            }
        }
        Map<Path, String> refused = new TreeMap<>();
        wrong.forEach(
                (file, e) -> {
                    String words = e.getMessage();
                    refused.put(file, texts.get(file) + words);
                    if (refused.get(file).equals(told.get(file))) {
                        return;
                    }
                    LOG.error(
                            "{}{}; {}",
                            words.startsWith(file.toString()) ? "" : file + ": not taken: ",
                            words,
                            running.containsKey(file)
                                    ? "its last good version runs on"
                                    : "the others run on");
                });
        if (!taken.isEmpty()) {
            reloads++;
            lastReload = clock.instant();
        }
        if (!told.equals(refused) && !refused.isEmpty()) {
            failures++;
        }
        told = refused;
        note(taken, running, wrong);
    }

    private void note(
            Set<Path> taken, Map<Path, String> running, Map<Path, InvalidSettingException> wrong) {
        Instant now = clock.instant();
        taken.forEach(file -> loaded.remove(name(file)));
        loaded.values().removeIf(file -> file.version().isEmpty());
        loaded.replaceAll(
                (name, file) ->
                        new RouteFiles.Loaded(file.version(), file.since(), Optional.empty()));
        running.forEach(
                (file, text) ->
                        loaded.putIfAbsent(
                                name(file),
                                new RouteFiles.Loaded(version(text), now, Optional.empty())));
        wrong.forEach(
                (file, e) -> {
                    RouteFiles.Loaded good = loaded.get(name(file));
                    loaded.put(
                            name(file),
                            new RouteFiles.Loaded(
                                    good == null ? "" : good.version(),
                                    good == null ? now : good.since(),
                                    Optional.of(e.getMessage())));
                });
        lastError = wrong.values().stream().map(Throwable::getMessage).findFirst().orElse(null);
    }

    static String name(Path file) {
        return file.getFileName().toString();
    }

    private static String version(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, VERSION_LENGTH);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
