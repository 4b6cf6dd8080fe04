package io.volumesnapshotter.command;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.settings.Settings;
import org.slf4j.LoggerFactory;

/**
 * What a command makes of the program's log: warnings and mistakes in route files are lines beside
 * the result, other failures are the command's own to tell, and the rest is for who asks for it.
 */
public final class CommandLog extends AppenderBase<ILoggingEvent> {

    private final Console console;
    private final boolean all;

    private CommandLog(Console console, boolean all) {
        this.console = console;
        this.all = all;
    }

    /**
     * Lets the log of this process go to the console.
     *
     * @param all whether all of it, and not warnings alone
     */
    public static void set(Console console, boolean all) {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.detachAndStopAllAppenders();
        CommandLog log = new CommandLog(console, all);
        log.setContext(root.getLoggerContext());
        log.start();
        root.addAppender(log);
        if (all) {
            ((Logger) LoggerFactory.getLogger(Settings.PROGRAM)).setLevel(Level.DEBUG);
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (all) {
            console.tell(
                    "%s %-5s %s"
                            .formatted(
                                    event.getInstant(),
                                    event.getLevel(),
                                    event.getFormattedMessage()));
        } else if (event.getLevel() == Level.ERROR
                && event.getLoggerName().equals(RouteFiles.class.getName())) {
            console.error(event.getFormattedMessage());
        } else if (event.getLevel() == Level.WARN
                && event.getLoggerName().startsWith(Settings.PROGRAM)) {
            console.warn(event.getFormattedMessage());
        }
    }
}
