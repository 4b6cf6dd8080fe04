package io.volumesnapshotter.observe;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ProgramSettings;
import io.volumesnapshotter.settings.Settings;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.LoggerFactory;

/**
 * What is logged. Its settings have taken effect before this is asked: {@code logback.xml} reads
 * them itself, from the environment or the system properties.
 */
public final class Logging implements LoggingMXBean {

    private static final List<String> LEVELS =
            List.of("off", "error", "warn", "info", "debug", "trace");

    private final LoggerContext loggers = (LoggerContext) LoggerFactory.getILoggerFactory();
    private final Map<String, String> initial = getLevels();

    /**
     * Checks the settings.
     *
     * @throws InvalidSettingException when one is wrong; then the log is as it is by default
     */
    public Logging(Settings settings) {
        settings.get(ProgramSettings.LOG_FORMAT);
        if (!isLevel(settings.text(ProgramSettings.LOG_LEVEL))) {
            // Logback takes it for debug.
            loggers.getLogger(Settings.PROGRAM).setLevel(Level.INFO);
            settings.oneOf(ProgramSettings.LOG_LEVEL.name(), LEVELS);
        }
    }

    @Override
    public Map<String, String> getLevels() {
        Map<String, String> levels = new TreeMap<>();
        for (Logger logger : loggers.getLoggerList()) {
            if (logger.getLevel() != null) {
                levels.put(logger.getName(), text(logger.getLevel()));
            }
        }
        return levels;
    }

    @Override
    public void setLevel(String logger, String level) {
        if (!isLevel(level)) {
            throw new IllegalArgumentException(
                    "\"" + level + "\" is no level: give one of " + String.join(", ", LEVELS));
        }
        loggers.getLogger(logger).setLevel(Level.toLevel(level));
    }

    @Override
    public void reset() {
        getLevels()
                .keySet()
                .forEach(
                        name -> {
                            String level = initial.get(name);
                            loggers.getLogger(name)
                                    .setLevel(level == null ? null : Level.toLevel(level));
                        });
    }

    /** Log lines show levels in capitals. */
    private static boolean isLevel(String text) {
        return text != null && LEVELS.contains(text.toLowerCase(Locale.ROOT));
    }

    private static String text(Level level) {
        return level.toString().toLowerCase(Locale.ROOT);
    }
}
